// LockModel: what the models of mutexes, semaphores, read–write locks and leases share: states that
// say which process holds what.
//
// A model says when an acquire or a release is possible and what it changes. An acquire that found
// the lock taken is right exactly when acquiring is not possible.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkers/models/model.hpp"
#include "checkers/models/state_table.hpp"

namespace sunder::checkers {

class LockModel : public Model {
 public:
  // What each process holds, by process, and the last token. Processes that hold nothing are not
  // in it.
  struct Holders {
    std::map<std::int64_t, std::int64_t> holds;
    std::int64_t token = 0;
    friend auto operator<=>(const Holders&, const Holders&) = default;
  };

  explicit LockModel(Holders initial) { (void)intern(std::move(initial)); }

  [[nodiscard]] State initial() final { return 0; }

  [[nodiscard]] std::optional<Call> encode(const history::Operation& operation) final;
  [[nodiscard]] State step(State state, Call call) final;

  [[nodiscard]] bool observes(Call call) const noexcept final;

  [[nodiscard]] bool is_idempotent(Call) const noexcept override { return true; }

  // Drops unknown acquires of processes that never released anything, unless somebody found the
  // lock taken, and unknown releases of processes that never acquired anything.
  void simplify(std::vector<SearchOperation>& operations) final;

  [[nodiscard]] std::string describe(State state) const final;
  [[nodiscard]] std::size_t memory() const noexcept final;

 protected:
  // What acquire() and release() are told of an operation: its mode, its permits, its token.
  [[nodiscard]] virtual std::int64_t argument_of(const history::Operation& operation) const = 0;
  // False: not possible; `holders` is then of no use.
  [[nodiscard]] virtual bool acquire(Holders& holders,
                                     std::int64_t process,
                                     std::int64_t argument) const = 0;

  // Gives back all that the process holds, unless a model knows better.
  [[nodiscard]] virtual bool release(Holders& holders,
                                     std::int64_t process,
                                     std::int64_t argument) const {
    (void)argument;
    return holders.holds.erase(process) > 0;
  }

 private:
  State intern(Holders holders) {
    constexpr std::size_t kNode = 64;  // of a map
    const std::size_t bytes = holders.holds.size() * kNode;
    return states_.number(std::move(holders), bytes);
  }

  std::uint32_t number_of(std::int64_t value);

  StateTable<Holders> states_;
  std::map<std::int64_t, std::uint32_t> numbers_;
  std::vector<std::int64_t> values_;  // processes and arguments, by number
};

}  // namespace sunder::checkers
