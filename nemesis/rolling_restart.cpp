// Rolling restart: asks nodes to stop (SIGTERM) and starts them again, one after another, each only
// when the one before answers again: a planned upgrade.

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>

#include <fmt/format.h>

#include "nemesis/families.hpp"
#include "nemesis/node_probe.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kLook = milliseconds(10);
constexpr nanoseconds kStop_limit = std::chrono::seconds(5);

class ActiveRollingRestart final : public ProcessFault {
 public:
  ActiveRollingRestart(NemesisContext& context,
                       const PlannedFault& planned,
                       ResolvedTargets targets)
      : ProcessFault(context, planned, std::move(targets)) {
    base::Random random(base::Random(planned.seed).fork("order"));
    random.shuffle(victims_);
    record_.porous = true;  // one at a time
  }

  ~ActiveRollingRestart() override { heal_at_last(); }

  boost::asio::awaitable<Result<void>> begin() {
    stands();
    co_return Result<void>();
  }

  [[nodiscard]] std::optional<nanoseconds> period() const override { return kLook; }

  [[nodiscard]] Result<void> toggle() override {
    if (next_ == victims_.size()) return {};
    const Victim& victim = victims_[next_];
    switch (step_) {
      case Step::stop:
        return stop(victim);
      case Step::start:
        return start(victim);
      case Step::ask:
        ask(victim);
        break;
    }
    return {};
  }

 private:
  enum class Step : std::uint8_t { stop, start, ask };

  [[nodiscard]] Result<void> stop(const Victim& victim) {
    since_ = context_.clock.now();
    step_ = Step::start;
    if (context_.cluster.state(victim.node) == cluster::NodeState::down) {
      // By itself, or by another fault, which starts it again.
      ++next_;
      step_ = Step::stop;
      return {};
    }
    return context_.cluster.signal(victim.node, SIGTERM);
  }

  [[nodiscard]] Result<void> start(const Victim& victim) {
    if (context_.cluster.state(victim.node) != cluster::NodeState::down) {
      if (context_.clock.now() - since_ < kStop_limit.count()) return {};
      not_exercised(fmt::format("n{} did not stop on SIGTERM", victim.node + 1));
      SUNDER_TRY(context_.cluster.signal(victim.node, SIGKILL));
    }
    SUNDER_TRY(context_.cluster.start(victim.node));
    probe_.reset();
    step_ = Step::ask;
    return {};
  }

  void ask(const Victim& victim) {
    if (!probe_) probe_.emplace(context_.cluster, victim.node);
    const NodeProbe::Answer answer = probe_->look();
    if (answer == NodeProbe::Answer::refused) probe_.reset();
    if (answer != NodeProbe::Answer::answered) return;
    probe_.reset();
    add_evidence(victim,
                 "answered again after",
                 static_cast<double>(context_.clock.now() - since_) / 1e6,
                 "ms");
    ++done_;
    ++next_;
    step_ = Step::stop;
  }

  [[nodiscard]] Result<void> undo() override {
    const std::size_t all = victims_.size();
    record_.evidence.push_back({"restarted", static_cast<double>(done_), "nodes"});
    if (done_ < all) {
      not_exercised(fmt::format("only {} of {} nodes answered again in time", done_, all));
    }
    probe_.reset();
    if (next_ == all || step_ != Step::start) return {};
    const Victim& victim = victims_[next_];
    if (context_.cluster.state(victim.node) != cluster::NodeState::down) {
      SUNDER_TRY(context_.cluster.signal(victim.node, SIGKILL));
    }
    return context_.cluster.start(victim.node);
  }

  std::size_t next_ = 0;  // of victims_
  std::size_t done_ = 0;
  Step step_ = Step::stop;
  std::int64_t since_ = 0;  // when the node was asked to stop
  std::optional<NodeProbe> probe_;
};

// One at a time, but it holds all of them as long as it stands: nothing else may count on a node.
constexpr std::array kShapes{
    FaultShape{"all", "every node, one after another", 1, {2, 1.5, 0.8, 0.9, false}},
    FaultShape{"followers", "every node but the leader", 2, {1, 1.5, 0.8, 0.9, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {}, Extent::one},
};

}  // namespace

FaultInfo rolling_restart_fault() {
  return {.name = "rolling-restart",
          .summary = "Stops and starts nodes one after another, each when the last answers again.",
          .shapes = kShapes,
          .parameters = {},
          .evidence = "How long each node took from SIGTERM until it answered a PING again.",
          .limits =
              "Not exercised when the time does not suffice for all nodes. Whether a node answers "
              "is asked from within its own namespace, in RESP.",
          .example = "rolling-restart:all@2s+10s",
          .burden = {.stops = true},
          .usual = std::chrono::seconds(8),
          .apply = apply_process_fault<ActiveRollingRestart>};
}

}  // namespace sunder::nemesis
