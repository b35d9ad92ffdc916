#include "nemesis/clock_fault.hpp"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <poll.h>

namespace sunder::nemesis {
namespace {

using clock_shim::ClockError;
using clock_shim::ClockReadings;
using clock_shim::ProcessClock;

// How long a heal waits for the nodes to look at their clocks again. Healing is synchronous: this
// delays the whole harness, so it is short; who looks less often has no such evidence.
constexpr int kLooks_max = 25;
constexpr int kLook_ms = 1;

double in_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

class ActiveClockFault final : public ProcessFault {
 public:
  ActiveClockFault(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets)
      : ProcessFault(context, planned, std::move(targets)) {
    record_.disabled_nodes.clear();  // they work, and do not know
  }

  ~ActiveClockFault() override { heal_at_last(); }

  Result<void> begin(const PlannedFault& planned, base::Random& random, MakeClockError make) {
    for (Victim& victim : victims_) {
      ProcessClock* const clock = context_.cluster.realtime_clock(victim.node);
      if (clock == nullptr) {
        return base::make_error(Errc::unsupported, "the nodes were started without a clock shim");
      }
      clock->clear_extremes();
      begun_.push_back(clock->readings());
      SUNDER_TRY(clock->set(planned.id, make(planned, random)));
      victim.since = context_.clock.now();
    }
    stands();
    return {};
  }

 private:
  [[nodiscard]] Result<void> undo() override {
    for (std::size_t i = 0; i < begun_.size(); ++i) tell_what_was_seen(victims_[i], begun_[i]);
    for (std::size_t i = 0; i < begun_.size(); ++i) clock_of(victims_[i]).withdraw(record_.id);
    for (int look = 0; look < kLooks_max && !all_looked_again(); ++look) {
      ::poll(nullptr, 0, kLook_ms);
    }
    for (std::size_t i = 0; i < begun_.size(); ++i) {
      if (!clock_of(victims_[i]).looked_since_change()) continue;
      add_evidence(
          victims_[i], "offset after heal", in_ms(clock_of(victims_[i]).readings().last), "ms");
    }
    return {};
  }

  ProcessClock& clock_of(const Victim& victim) {
    return *context_.cluster.realtime_clock(victim.node);
  }

  void tell_what_was_seen(const Victim& victim, const ClockReadings& before) {
    const ProcessClock& clock = clock_of(victim);
    const ClockReadings after = clock.readings();
    const auto furthest = after.highest > -after.lowest ? after.highest : after.lowest;
    add_evidence(victim, "readings", static_cast<double>(after.readings - before.readings), "");
    add_evidence(victim, "furthest offset", in_ms(furthest), "ms");
    add_evidence(victim, "offset before heal", in_ms(after.last), "ms");
    add_evidence(victim, "waits translated", static_cast<double>(after.waits - before.waits), "");
    const int pid = context_.cluster.pid(victim.node);
    if (!clock.used_by(victim.pid) && (pid == 0 || !clock.used_by(pid))) {
      not_exercised(
          fmt::format("n{} did not load the clock shim (a static program?)", victim.node + 1));
    } else if (after.readings == before.readings) {
      not_exercised(fmt::format("n{} did not read its realtime clock", victim.node + 1));
    } else if (furthest.count() == 0) {
      not_exercised(fmt::format("no reading of n{} was wrong", victim.node + 1));
    }
  }

  bool all_looked_again() {
    for (std::size_t i = 0; i < begun_.size(); ++i) {
      const bool running = context_.cluster.state(victims_[i].node) == cluster::NodeState::running;
      if (running && !clock_of(victims_[i]).looked_since_change()) return false;
    }
    return true;
  }

  std::vector<ClockReadings> begun_;  // of the first victims, whose clocks were set
};

}  // namespace

int clock_direction(const PlannedFault& fault, base::Random& random) {
  const std::string word = word_of(fault, "direction").value_or("either");
  const bool forward = random.below(2) == 0;  // always drawn: the seed gives the same elsewhere
  if (word == "either") return forward ? 1 : -1;
  return word == "forward" ? 1 : -1;
}

boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> begin_clock_fault(
    NemesisContext& context, PlannedFault fault, MakeClockError make) {
  base::Random random(fault.seed);
  auto targets = resolve_targets(context, fault, random);
  if (targets.has_error()) co_return targets.error();
  auto active = std::make_unique<ActiveClockFault>(context, fault, std::move(*targets));
  auto begun = active->begin(fault, random, make);
  if (begun.has_error()) co_return with_context(begun.error(), active->record().description);
  co_return std::unique_ptr<ActiveFault>(std::move(active));
}

}  // namespace sunder::nemesis
