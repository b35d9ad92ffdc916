// Pause: SIGSTOP to chosen nodes, SIGCONT at the end: a process that is alive, connected and
// silent.

#include <array>
#include <csignal>

#include <fmt/format.h>

#include "harness/base/deadline.hpp"
#include "nemesis/families.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

// The kernel stops a process soon after kill() returns, and tells nobody but its parent's wait
// calls, which belong to the cluster: hence a bounded look at /proc.
constexpr std::chrono::milliseconds kLook_interval(1);
constexpr int kLooks_max = 500;

class ActivePause final : public ProcessFault {
 public:
  using ProcessFault::ProcessFault;

  ~ActivePause() override { heal_at_last(); }

  boost::asio::awaitable<Result<void>> begin() {
    auto sent = signal_all(SIGSTOP);
    if (sent.has_error()) co_return sent;
    for (Victim& victim : victims_) victim.since = context_.clock.now();
    for (const Victim& victim : victims_) {
      char state = process_state(victim.pid);
      for (int look = 0; state != 'T' && look < kLooks_max; ++look) {
        if (!co_await base::pause_for(kLook_interval)) break;
        state = process_state(victim.pid);
      }
      add_evidence(victim, "seen stopped", state == 'T' ? 1 : 0, "");
      if (state != 'T') not_exercised(fmt::format("n{} was never seen stopped", victim.node + 1));
    }
    stands();
    co_return Result<void>();
  }

 private:
  [[nodiscard]] Result<void> undo() override {
    Result<void> outcome;
    for (const Victim& victim : victims_) {
      // Killed meanwhile by another fault: its successor was never stopped.
      if (context_.cluster.pid(victim.node) != victim.pid) continue;
      add_evidence(
          victim, "paused", static_cast<double>(context_.clock.now() - victim.since) / 1e6, "ms");
      if (process_state(victim.pid) != 'T') {
        not_exercised(fmt::format("n{} ran before the pause ended", victim.node + 1));
      }
      auto sent = context_.cluster.signal(victim.node, SIGCONT);
      if (sent.has_error() && outcome.has_value()) outcome = sent;
    }
    return outcome;
  }
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {0, 1, 0.2, 0.4, false}},
    FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.2, 0.4, false}},
    FaultShape{"leader", "the leader", 1, {3, 1, 0.3, 0.55, true}},
    FaultShape{"majority", "the smallest majority", 1, {0, 1, 0.2, 0.4, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1, 0.3, 0.55, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.3, 0.55, false}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.55, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

}  // namespace

FaultInfo pause_fault() {
  return {
      .name = "pause",
      .summary =
          "Stops processes with SIGSTOP and lets them go on with SIGCONT at the end of the fault.",
      .shapes = kShapes,
      .parameters = {},
      .evidence =
          "The process was seen stopped in /proc when the fault began and when it ended; how long.",
      .limits =
          "Connections stay open: the kernel goes on to acknowledge what arrives until the buffers "
          "are full.",
      .example = "pause:leader@1s+900ms",
      .burden = {.stops = true},
      .apply = apply_process_fault<ActivePause>};
}

}  // namespace sunder::nemesis
