// Restart: asks chosen nodes to stop (SIGTERM), waits until they have, starts them again at the end
// of the fault.

#include <array>
#include <csignal>

#include <fmt/format.h>

#include "nemesis/families.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

// A node that takes longer is killed, and the fault says that the stop was not clean.
constexpr std::chrono::seconds kStop_limit(5);
constexpr std::chrono::seconds kReap_limit(5);

class ActiveRestart final : public ProcessFault {
 public:
  using ProcessFault::ProcessFault;

  ~ActiveRestart() override { heal_at_last(); }

  boost::asio::awaitable<Result<void>> begin() {
    auto told = signal_all(SIGTERM);
    if (told.has_error()) co_return told;
    for (Victim& victim : victims_) {
      auto ended = co_await context_.cluster.wait_down(victim.node, kStop_limit);
      if (ended.has_error() && !is(ended.error(), Errc::timed_out)) co_return ended;
      if (ended.has_error()) {
        not_exercised(fmt::format("n{} did not stop on SIGTERM", victim.node + 1));
        auto sent = context_.cluster.signal(victim.node, SIGKILL);
        if (sent.has_error()) co_return sent;
        auto reaped = co_await context_.cluster.wait_down(victim.node, kReap_limit);
        if (reaped.has_error()) co_return reaped;
      }
      victim.since = context_.clock.now();
      judge_end(victim);
    }
    stands();
    co_return Result<void>();
  }

 private:
  void judge_end(const Victim& victim) {
    const double took = static_cast<double>(victim.since - record_.applying.begin) / 1e6;
    add_evidence(victim, "pid stopped", victim.pid, "");
    add_evidence(victim, "stopped in", took, "ms");
    const std::string how = context_.cluster.how_ended(victim.node);
    if (how.empty()) return;
    add_evidence(victim, "stopped cleanly", how == "exit 0" ? 1 : 0, "");
    if (how != "exit 0")
      not_exercised(fmt::format("n{} ended by {}, not cleanly", victim.node + 1, how));
  }

  [[nodiscard]] Result<void> undo() override { return start_all_again(); }
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {0, 0.8, 0.12, 0.2, false}},
    FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.2, 0.3, false}},
    FaultShape{"leader", "the leader", 1, {3, 1, 0.2, 0.4, true}},
    FaultShape{"majority", "the smallest majority", 1, {0, 1, 0.2, 0.3, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1, 0.2, 0.4, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.2, 0.4, false}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.2, 0.4, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

}  // namespace

FaultInfo restart_fault() {
  return {.name = "restart",
          .summary = "Stops processes with SIGTERM and starts them again at the end of the fault.",
          .shapes = kShapes,
          .parameters = {},
          .evidence =
              "The process ended with status 0 after SIGTERM, how long that took, how long the "
              "node was down, its new number.",
          .limits = "A node that does not stop in time is killed, and the fault is not exercised.",
          .example = "restart:one@5s+500ms",
          .burden = {.stops = true},
          .apply = apply_process_fault<ActiveRestart>};
}

}  // namespace sunder::nemesis
