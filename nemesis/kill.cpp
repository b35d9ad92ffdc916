// Kill: SIGKILL to chosen nodes at once, and a fresh start of each at the end of the fault.
//
// A process crash: the page cache survives, so this says nothing of a loss of power.

#include <array>
#include <csignal>

#include <fmt/format.h>

#include "nemesis/families.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::chrono::seconds kReap_limit(5);

class ActiveKill final : public ProcessFault {
 public:
  using ProcessFault::ProcessFault;

  ~ActiveKill() override { heal_at_last(); }

  // All signals first, then the waiting: the nodes die together.
  boost::asio::awaitable<Result<void>> begin() {
    auto sent = signal_all(SIGKILL);
    if (sent.has_error()) co_return sent;
    for (Victim& victim : victims_) {
      victim.since = context_.clock.now();
      auto reaped = co_await context_.cluster.wait_down(victim.node, kReap_limit);
      if (reaped.has_error()) co_return reaped;
    }
    stands();
    for (const Victim& victim : victims_) {
      add_evidence(victim, "pid killed", victim.pid, "");
      const std::string how = context_.cluster.how_ended(victim.node);
      if (!how.empty() && how != "signal 9") {
        not_exercised(fmt::format("n{} ended by {}, not by SIGKILL", victim.node + 1, how));
      }
    }
    co_return Result<void>();
  }

 private:
  [[nodiscard]] Result<void> undo() override { return start_all_again(); }
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {0, 0.8, 0.12, 0.2, false}},
    FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.2, 0.4, false}},
    FaultShape{"leader", "the leader", 1, {3, 1, 0.3, 0.55, true}},
    FaultShape{"majority", "the smallest majority", 1, {0, 1, 0.2, 0.4, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {2, 1, 0.3, 0.55, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.3, 0.55, false}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.55, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

}  // namespace

FaultInfo kill_fault() {
  return {.name = "kill",
          .summary = "Kills processes with SIGKILL and starts them again at the end of the fault.",
          .shapes = kShapes,
          .parameters = {},
          .evidence =
              "The numbers of the processes that were killed and of those that follow them, what "
              "the kernel said of their end, how long each node was down.",
          .limits = "A process crash: what was written survives in the page cache, synced or not.",
          .example = "kill:leader@became-leader+1s;after=2s",
          .burden = {.stops = true},
          .apply = apply_process_fault<ActiveKill>};
}

}  // namespace sunder::nemesis
