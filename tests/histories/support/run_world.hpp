// Small runs with faults, and who could reach whom at each tick of them: what the checkers that
// judge a run by what happened around it are compared with.
//
// A tick is a millisecond, and everything happens at whole ticks, so that questions about a time
// are questions about each of its ticks, asked of the fault records as their comments read. Shares
// no code with the checkers.
//
// Threading: functions of their seed; RunWorld is immutable.

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "harness/base/random.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::test {

constexpr std::int64_t kTick = 1'000'000;
constexpr std::int64_t kTicks = 60;  // a small run's faults are over by then, or last

// Up to three nodes or five with clients pinned to them round robin, and up to three faults: cuts
// of any links, in one direction or both, with pauses, porous, of nodes that are killed, end for
// good or change who the members are, and some that are never healed.
[[nodiscard]] history::RunContext small_run_context(base::Random& random);

class RunWorld {
 public:
  // What held while a fault was installed or healed is not known: `possibly` counts it.
  RunWorld(const history::RunContext& context, bool possibly);

  // Endpoints are nodes, then clients.
  [[nodiscard]] std::size_t nodes() const { return context_.nodes.size(); }

  [[nodiscard]] std::size_t endpoints() const {
    return context_.nodes.size() + context_.clients.size();
  }

  [[nodiscard]] bool is_up(std::size_t node, std::int64_t tick) const;
  // Whether something sent from one to the other arrives.
  [[nodiscard]] bool passes(std::size_t from, std::size_t to, std::int64_t tick) const;

  [[nodiscard]] bool linked(std::size_t a, std::size_t b, std::int64_t tick) const {
    return passes(a, b, tick) && passes(b, a, tick);
  }

  // The only maximal set of running nodes, each linked to each, that is surely a majority; none
  // when there is none or another.
  [[nodiscard]] std::optional<std::set<std::size_t>> majority(std::int64_t tick) const;

  // The first tick of the time around this one in which no fault did anything, and the first after
  // it; kNever.
  [[nodiscard]] std::int64_t quiet_from(std::int64_t tick) const;
  [[nodiscard]] std::int64_t quiet_until(std::int64_t tick) const;

 private:
  // What a fault does, by endpoint instead of by name.
  struct Effect {
    const history::FaultRecord* fault = nullptr;
    std::vector<std::vector<bool>> cut;  // from, to
    std::vector<bool> disabled;
    std::vector<bool> ended;
  };

  [[nodiscard]] bool stands(const history::FaultRecord& fault, std::int64_t tick) const;
  [[nodiscard]] std::set<std::int64_t> changes() const;

  const history::RunContext& context_;
  bool possibly_;
  std::vector<Effect> effects_;
};

}  // namespace sunder::test
