// No new connections: what is established goes on, every new connection over chosen links fails:
// a full connection table, or a firewall rule that only new connections meet.
//
// A packet filter in the receiver's namespace that drops (or refuses) SYN. `lose` ends a part of
// the established connections when it begins, so that somebody has to connect again and cannot.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

class ActiveNoNewConnections final : public CutFault {
 public:
  ActiveNoNewConnections(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner)
      : CutFault(context, std::move(planned), std::move(cut), planner) {
    porous_ = true;
  }

  ~ActiveNoNewConnections() override { heal_at_last(); }

 private:
  [[nodiscard]] Result<void> impose() override {
    const bool refuses = word_of(planned_, "answer") == "refuse";
    const auto action =
        refuses ? netlink::FilterAction::refuse_new : netlink::FilterAction::drop_new;
    SUNDER_TRY(context_.cluster.network().install_filter(planned_.id, action, cut().links));
    const auto lost = lose_some();
    if (lost.has_error()) {
      (void)context_.cluster.network().remove_filter(planned_.id);
      return lost;
    }
    return {};
  }

  // Ends the connections of so many of the pairs as `lose` says, at least one.
  [[nodiscard]] Result<void> lose_some() {
    const double share = number_of(planned_, "lose").value_or(0) / 100;
    if (share <= 0) return {};
    std::vector<cluster::DirectedLink> pairs = pairs_of(cut());
    base::Random random(base::Random(planned_.seed).fork("lose"));
    random.shuffle(pairs);
    const double wanted = std::ceil(share * static_cast<double>(pairs.size()));
    pairs.resize(static_cast<std::size_t>(wanted));
    const auto destroyed = context_.cluster.network().destroy_connections(pairs);
    if (destroyed.has_error()) return destroyed.error();
    lost_ += *destroyed;
    return {};
  }

  [[nodiscard]] Result<void> lift() override {
    const auto count = context_.cluster.network().filter_count(planned_.id);
    SUNDER_TRY(context_.cluster.network().remove_filter(planned_.id));
    if (count.has_error()) return count.error();
    failed_ += *count;
    return {};
  }

  [[nodiscard]] std::string prove() override {
    add_evidence("connection attempts stopped", static_cast<double>(failed_), "packets");
    add_evidence("connections lost", static_cast<double>(lost_), "connections");
    return failed_ > 0 ? "" : "nobody tried to connect: set lose to end some connections";
  }

  std::uint64_t failed_ = 0;
  std::uint64_t lost_ = 0;
};

constexpr std::array<std::string_view, 1> kNeeds{"nf_tables"};
constexpr std::array<std::string_view, 2> kAnswers{"silence", "refuse"};
constexpr double kLose_random = 50;

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  set_number(fault, "lose", kLose_random);
  set_word(fault, "answer", kAnswers[random.chance(0.5) ? 0 : 1]);
}

// A client that lost its connection turns to other nodes for some seconds, and which end of a link
// connects is the nodes' business: clients' links and single directions are drawn by nobody, for
// they would rarely bite.
std::span<const FaultShape> shapes() {
  static const std::vector<FaultShape> all = [] {
    const std::span<const FaultShape> cuts = cut_shapes();
    std::vector<FaultShape> own(cuts.begin(), cuts.end());
    for (FaultShape& shape : own) {
      const bool rare = shape.name == "client-link" || shape.name == "one-way";
      if (rare) shape.random.weight = 0;
    }
    return own;
  }();
  return all;
}

}  // namespace

FaultInfo no_new_connections_fault() {
  static const std::array parameters{
      FaultParameter{.name = "answer",
                     .summary = "what a new connection meets",
                     .kind = ParameterKind::word,
                     .words = kAnswers,
                     .otherwise = "silence"},
      kEveryParameter,
      kFlapParameter,
      FaultParameter{.name = "lose",
                     .summary = "of so many of the cut pairs the established connections end when "
                                "it begins (needs sock-destroy)",
                     .kind = ParameterKind::percent,
                     .low = 0,
                     .high = 100,
                     .otherwise = "0%"},
  };
  return {.name = "no-new-connections",
          .summary = "Established connections go on while new ones fail.",
          .shapes = shapes(),
          .parameters = parameters,
          .evidence =
              "SYN packets that were dropped or refused, counted by the filters' own counters; "
              "connections that `lose` ended.",
          .limits =
              "Bites only when somebody connects: without `lose` a cluster whose connections all "
              "stand does not notice, and the fault is not exercised.",
          .example = "no-new-connections:leader@2s+3s;lose=50%;answer=refuse",
          .needs = kNeeds,
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(2),
          .randomize = randomize,
          .check = check_cut,
          .apply = apply_cut<ActiveNoNewConnections>};
}

}  // namespace sunder::nemesis
