// Crash loop and kill-recovery: nodes are killed, started and killed again soon after, several
// times: a crash loop lets them live for a while, kill-recovery strikes at a seeded instant before
// they are up again.

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>

#include "nemesis/families.hpp"
#include "nemesis/node_probe.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kReap_limit(5);
constexpr nanoseconds kDone = std::chrono::hours(1);  // nothing more to do until it is healed

class ActiveCrashLoop final : public ProcessFault {
 public:
  ActiveCrashLoop(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets)
      : ProcessFault(context, planned, std::move(targets)),
        planned_(planned),
        random_(base::Random(planned.seed).fork("instants")),
        recovering_(planned.family == "kill-recovery"),
        kills_left_(static_cast<int>(number_of(planned, "times").value_or(1))) {
    record_.porous = true;  // they work at times
  }

  ~ActiveCrashLoop() override { heal_at_last(); }

  boost::asio::awaitable<Result<void>> begin() {
    auto sent = signal_all(SIGKILL);
    if (sent.has_error()) co_return sent;
    for (Victim& victim : victims_) {
      victim.since = context_.clock.now();
      auto reaped = co_await context_.cluster.wait_down(victim.node, kReap_limit);
      if (reaped.has_error()) co_return reaped;
    }
    stands();
    co_return Result<void>();
  }

  [[nodiscard]] std::optional<nanoseconds> period() const override {
    if (!is_up_) return duration_of(planned_, "down");
    return kills_left_ == 0 ? kDone : up_;
  }

  [[nodiscard]] Result<void> toggle() override {
    if (is_up_ && kills_left_ == 0) return {};
    return is_up_ ? kill_again() : start_again();
  }

 private:
  [[nodiscard]] Result<void> start_again() {
    is_up_ = true;
    up_ = next_life();
    for (const Victim& victim : victims_) {
      if (context_.cluster.state(victim.node) != cluster::NodeState::down) continue;
      SUNDER_TRY(context_.cluster.start(victim.node));
      ++starts_;
    }
    return {};
  }

  [[nodiscard]] nanoseconds next_life() {
    if (!recovering_) return duration_of(planned_, "up").value_or(nanoseconds(0));
    const auto window = duration_of(planned_, "window").value_or(nanoseconds(0));
    return nanoseconds(random_.between(1, std::max<std::int64_t>(1, window.count())));
  }

  [[nodiscard]] Result<void> kill_again() {
    is_up_ = false;
    --kills_left_;
    for (const Victim& victim : victims_) {
      if (context_.cluster.state(victim.node) == cluster::NodeState::down) continue;
      NodeProbe probe(context_.cluster, victim.node);
      if (probe.look() == NodeProbe::Answer::refused) ++early_;
      const auto sent = context_.cluster.signal(victim.node, SIGKILL);
      if (sent.has_error() && sent.error().code != std::errc::no_such_process) return sent;
      ++kills_;
    }
    return {};
  }

  [[nodiscard]] Result<void> undo() override {
    Result<void> outcome;
    for (const Victim& victim : victims_) {
      if (context_.cluster.state(victim.node) != cluster::NodeState::down) continue;
      auto started = context_.cluster.start(victim.node);
      if (started.has_error() && outcome.has_value()) outcome = started;
      if (started.has_value()) ++starts_;
    }
    const auto count = [this](std::string name, int value) {
      record_.evidence.push_back({std::move(name), static_cast<double>(value), ""});
    };
    count("kills", static_cast<int>(victims_.size()) + kills_);
    count("starts", starts_);
    count("killed before it listened", early_);
    if (victims_.empty()) return outcome;
    if (kills_ == 0) not_exercised("it ended before a node was killed again");
    if (recovering_ && early_ == 0) {
      not_exercised("every node listened before it was killed again: take a shorter `window`");
    }
    return outcome;
  }

  PlannedFault planned_;
  base::Random random_;
  bool recovering_;
  int kills_left_;
  bool is_up_ = false;
  nanoseconds up_{0};
  int kills_ = 0;  // after the first
  int starts_ = 0;
  int early_ = 0;  // killed while its port was closed: not up yet
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {}},
    FaultShape{"followers", "every node but the leader", 2, {}},
    FaultShape{"leader", "the leader", 1, {2, 1, 0.3, 0.5, true}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1, 0.3, 0.5, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.5, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

constexpr FaultParameter duration_row(std::string_view name,
                                      std::string_view summary,
                                      std::string_view otherwise) {
  return {.name = name,
          .summary = summary,
          .kind = ParameterKind::duration,
          .low = limit(milliseconds(1)),
          .high = limit(std::chrono::minutes(1)),
          .otherwise = otherwise};
}

constexpr FaultParameter times_row(std::string_view otherwise) {
  return {.name = "times",
          .summary = "so many kills after the first",
          .kind = ParameterKind::number,
          .low = 1,
          .high = 1000,
          .otherwise = otherwise};
}

constexpr std::array kLoopParameters{
    duration_row("down", "from a kill to the next start", "50ms"),
    times_row("3"),
    duration_row("up", "from a start to the next kill", "200ms"),
};

constexpr std::array kRecoveryParameters{
    duration_row("down", "from a kill to the next start", "20ms"),
    times_row("6"),
    duration_row("window", "killed at an instant drawn from so long after its start", "15ms"),
};

}  // namespace

FaultInfo crash_loop_fault() {
  return {.name = "crash-loop",
          .summary = "Kills processes again and again, soon after each start.",
          .shapes = kShapes,
          .parameters = kLoopParameters,
          .evidence = "How often nodes were killed and started.",
          .limits = "The last start stays; a fault that ends early kills less often.",
          .example = "crash-loop:leader@2s+3s;times=5;up=100ms",
          .burden = {.stops = true},
          .usual = std::chrono::seconds(2),
          .apply = apply_process_fault<ActiveCrashLoop>};
}

FaultInfo kill_recovery_fault() {
  return {.name = "kill-recovery",
          .summary = "Kills processes while they start up and recover.",
          .shapes = kShapes,
          .parameters = kRecoveryParameters,
          .evidence =
              "How often nodes were killed and started, and how many of the kills found the "
              "node's port closed: it was not up yet.",
          .limits =
              "The instants are seeded, what a node does then is not. On a slow machine `window` "
              "may have to be longer to reach the end of a recovery.",
          .example = "kill-recovery:one@2s+2s;times=10;window=30ms",
          .burden = {.stops = true},
          .usual = std::chrono::seconds(1),
          .apply = apply_process_fault<ActiveCrashLoop>};
}

}  // namespace sunder::nemesis
