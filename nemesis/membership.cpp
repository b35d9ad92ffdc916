// Membership: adds and removes members of the cluster while it serves, and brings the first members
// back at the end of the fault.
//
// The changes themselves are the system's own commands, carried out by Members in the background.
// Their number never strays by more than one from the first, and with an even number of nodes never
// below it, so that no minority of the first members ever decides alone: what the other promises
// say of minorities stays true. A replaced node comes back with its own disk: a node has no second
// identity, and one that voted must not return without its memory.

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/history/operation.hpp"
#include "nemesis/families.hpp"
#include "nemesis/members.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using cluster::Endpoint;
using cluster::NodeState;

// What the shape makes of the cluster as it is now.
struct Plan {
  MemberJob job;
  std::vector<std::size_t> nodes;  // of the cluster, that it acts on; sorted
  std::string remark;
};

class Planner {
 public:
  Planner(const NemesisContext& context, const PlannedFault& fault)
      : context_(context), fault_(fault), random_(fault.seed) {
    plan_.job.fault = fault.id;
  }

  [[nodiscard]] Plan plan() {
    if (fault_.shape == "add") {
      if (const auto node = follower()) add_spare(*node);
    } else if (fault_.shape == "remove") {
      remove(follower());
    } else if (fault_.shape == "remove-leader") {
      const auto leader = running_leader(context_);
      if (!leader) plan_.remark = "no leader was known: a random node instead";
      remove(leader ? leader : follower());
    } else if (fault_.shape == "replace") {
      replace(follower());
    } else if (fault_.shape == "churn") {
      replace(follower());
      replace(follower());
    } else {
      SUNDER_ASSERT(fault_.shape == "remove-unreachable");
      remove_unreachable();
    }
    std::ranges::sort(plan_.nodes);
    if (plan_.job.changes.empty() && plan_.remark.empty()) {
      plan_.remark = "no node was free to be changed";
    }
    return std::move(plan_);
  }

 private:
  // A running node that does not lead, that no other fault holds and that is not in the plan yet.
  std::optional<std::size_t> follower() {
    const auto leader = context_.leader();
    std::vector<std::size_t> free;
    for (std::size_t node = 0; node < context_.cluster.nodes(); ++node) {
      const bool held = std::ranges::count(context_.held, node) > 0;
      const bool planned = std::ranges::count(plan_.nodes, node) > 0;
      const bool runs = context_.cluster.state(node) == NodeState::running;
      if (runs && !held && !planned && leader != node) free.push_back(node);
    }
    if (free.empty()) return std::nullopt;
    return random_.pick(free);
  }

  void add_spare(std::size_t beside) {
    if (spares_used_ >= context_.cluster.spares()) return;
    MemberChange change;
    change.add = true;
    change.node = context_.cluster.nodes() + spares_used_++;
    change.beside = beside;
    plan_.job.changes.push_back(change);
  }

  void remove(std::optional<std::size_t> node) {
    if (!node) return;
    if (context_.cluster.nodes() % 2 == 0) {
      plan_.remark =
          "replaced, not only removed: of an even number, one less would make a minority "
          "a majority";
      return replace(node);
    }
    take_out(*node, false);
  }

  void replace(std::optional<std::size_t> node) {
    if (!node || spares_used_ >= context_.cluster.spares()) return;
    add_spare(*node);
    take_out(*node, true);
  }

  void take_out(std::size_t node, bool end) {
    MemberChange change;
    change.node = node;
    change.end = end;
    plan_.job.changes.push_back(change);
    plan_.nodes.push_back(node);
  }

  // A hasty operator's mistake: those that the leader cannot reach are to go, all at once.
  void remove_unreachable() {
    const auto leader = running_leader(context_);
    if (!leader) {
      plan_.remark = "no leader was known";
      return;
    }
    const cluster::LinkMatrix links = context_.cluster.installed();
    const auto from = static_cast<Endpoint>(*leader);
    for (std::size_t node = 0; node < context_.cluster.nodes(); ++node) {
      const auto to = static_cast<Endpoint>(node);
      if (links.at(from, to).blackhole || links.at(to, from).blackhole) take_out(node, false);
    }
    plan_.job.hasty_at = leader;
    if (plan_.job.changes.size() < 2) {
      plan_.job.changes.clear();
      plan_.nodes.clear();
      plan_.remark = fmt::format("the leader, n{}, reaches the others", *leader + 1);
    }
  }

  const NemesisContext& context_;
  const PlannedFault& fault_;
  base::Random random_;
  Plan plan_;
  std::size_t spares_used_ = 0;
};

std::string describe(const Plan& plan) {
  std::string text;
  for (const MemberChange& change : plan.job.changes) {
    text += fmt::format(
        "{}{} n{}", text.empty() ? "" : ", ", change.add ? "add" : "remove", change.node + 1);
  }
  if (plan.job.hasty_at) text += fmt::format(", all at once at n{}", *plan.job.hasty_at + 1);
  return text.empty() ? "nothing" : text;
}

class ActiveMembership final : public ActiveFault {
 public:
  ActiveMembership(NemesisContext& context, const PlannedFault& planned, Plan plan)
      : context_(context) {
    record_.id = planned.id;
    record_.family = planned.family;
    record_.shape = planned.shape;
    record_.description = fmt::format("membership {}: {}", planned.shape, describe(plan));
    if (!plan.remark.empty()) record_.description += fmt::format(" ({})", plan.remark);
    record_.changes_members = true;
    for (const std::size_t node : plan.nodes) {
      record_.targets.push_back(context.cluster.name(static_cast<Endpoint>(node)));
    }
    record_.applying.begin = context.clock.now();
    idle_ = plan.job.changes.empty();
    hasty_ = plan.job.hasty_at.has_value();
    if (idle_) record_.reason = plan.remark;
    if (!idle_) context_.members->begin(std::move(plan.job));
    record_.applying.end = context.clock.now();
    record_.active = {record_.applying.end, history::kNever};
  }

  ActiveMembership(const ActiveMembership&) = delete;
  ActiveMembership& operator=(const ActiveMembership&) = delete;

  ~ActiveMembership() override {
    if (!healed_) (void)heal();
  }

  [[nodiscard]] Result<void> heal() override {
    SUNDER_ASSERT(!healed_);
    healed_ = true;
    record_.active.end = context_.clock.now();
    if (!idle_) judge(context_.members->end(record_.id));
    record_.healed = context_.clock.now();
    return {};
  }

  [[nodiscard]] const history::FaultRecord& record() const noexcept override { return record_; }

 private:
  void judge(const std::vector<MemberChangeOutcome>& outcomes) {
    std::size_t committed = 0;
    std::size_t refusals = 0;
    std::size_t answers = 0;
    std::string error;
    for (const MemberChangeOutcome& outcome : outcomes) {
      refusals += outcome.refusals;
      answers += outcome.answers;
      if (!outcome.error.empty()) error = outcome.error;
      if (outcome.committed == 0) continue;
      ++committed;
      const std::string what =
          fmt::format("{} n{}", outcome.change.add ? "add" : "remove", outcome.change.node + 1);
      add_evidence(what + " committed at index", static_cast<double>(outcome.index), "");
      add_evidence(
          what + " took", static_cast<double>(outcome.committed - outcome.began) / 1e6, "ms");
    }
    add_evidence("changes committed", static_cast<double>(committed), "");
    add_evidence("changes refused as too early", static_cast<double>(refusals), "");
    // A hasty operator is there to be refused.
    record_.exercised = committed > 0 || (hasty_ && refusals + answers > 0);
    if (record_.exercised) return;
    record_.reason = outcomes.empty() ? "the cluster was still at an earlier change of members"
                                      : "no change was committed: " + error;
  }

  void add_evidence(std::string what, double value, std::string unit) {
    record_.evidence.push_back({std::move(what), value, std::move(unit)});
  }

  NemesisContext& context_;
  history::FaultRecord record_;
  bool idle_ = false;  // there was nothing to change
  bool hasty_ = false;
  bool healed_ = false;
};

boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> apply_membership(
    NemesisContext& context, PlannedFault fault) {
  if (context.members == nullptr) {
    co_return base::make_error(Errc::unsupported, "nobody here can change the members");
  }
  Planner planner(context, fault);
  auto active = std::make_unique<ActiveMembership>(context, fault, planner.plan());
  co_return std::unique_ptr<ActiveFault>(std::move(active));
}

constexpr std::array<std::string_view, 1> kNeeds{"membership"};

constexpr RandomUse kQuick{2, 1.2, 0.4, 0.6, false};
constexpr RandomUse kLong{1, 2, 0.5, 0.7, false};

constexpr std::array kShapes{
    FaultShape{"add", "a new node joins", 1, kQuick, Extent::one},
    FaultShape{"churn", "two nodes are replaced, one after the other", 4, kLong, Extent::minority},
    FaultShape{"remove", "a follower is removed", 3, kQuick, Extent::one},
    FaultShape{"remove-leader", "the leader is removed", 3, kQuick, Extent::one},
    FaultShape{"remove-unreachable",
               "whoever the leader cannot reach is to be removed, all at once (beside a partition)",
               4,
               {},
               Extent::minority},
    FaultShape{
        "replace", "a new node joins for a follower, which is killed", 2, kLong, Extent::one},
};

}  // namespace

FaultInfo membership_fault() {
  return {.name = "membership",
          .summary =
              "Adds and removes members while the cluster serves, and restores the first "
              "ones.",
          .shapes = kShapes,
          .parameters = {},
          .evidence =
              "For each change the index of the entry that committed it and how long it took; what "
              "was refused because the change before was not committed; when the first members "
              "were back.",
          .limits =
              "A change needs a majority: while the cluster is cut in two it may never happen, and "
              "the fault says so. The first members come back when other faults allow it.",
          .example = "membership:replace@2s+3s",
          .needs = kNeeds,
          .burden = {.stops = true},
          .usual = std::chrono::seconds(2),
          .apply = apply_membership};
}

}  // namespace sunder::nemesis
