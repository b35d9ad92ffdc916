// Link down: the network interface of chosen nodes goes down, as if its cable were pulled: the node
// itself is told (ENETUNREACH), everybody else meets silence.
//
// Going down, the kernel forgets routes and neighbours; coming up, the cluster gives them back.

#include <algorithm>
#include <array>

#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"
#include "nemesis/process_fault.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using cluster::Endpoint;

// Every link of the chosen nodes, clients' too.
Result<Cut> plan_nodes(const NemesisContext& context,
                       const PlannedFault& fault,
                       base::Random& random) {
  PlannedFault meant = fault;
  if (fault.shape == "moving") meant.shape = "one";
  auto targets = resolve_targets(context, meant, random);
  if (targets.has_error()) return targets.error();
  Cut cut;
  cut.nodes = std::move(targets->nodes);
  cut.sides = join_nodes(cut.nodes, ",");
  cut.remark = std::move(targets->remark);
  for (const std::size_t node : cut.nodes) {
    for (std::size_t other = 0; other < context.cluster.endpoints(); ++other) {
      if (other == node) continue;
      const auto self = static_cast<Endpoint>(node);
      cut.links.emplace_back(self, static_cast<Endpoint>(other));
      cut.links.emplace_back(static_cast<Endpoint>(other), self);
    }
  }
  std::ranges::sort(cut.links);
  cut.links.erase(std::ranges::unique(cut.links).begin(), cut.links.end());
  return cut;
}

class ActiveLinkDown final : public CutFault {
 public:
  using CutFault::CutFault;

  ~ActiveLinkDown() override { heal_at_last(); }

 private:
  [[nodiscard]] Result<void> impose() override {
    cluster::NetworkFaults& network = context_.cluster.network();
    for (const std::size_t node : cut().nodes) {
      const auto before = network.unroutable(node);
      auto down =
          before.has_error() ? Result<void>(before.error()) : network.take_down(planned_.id, node);
      const auto up = network.is_up(node);
      if (down.has_value() && up.has_error()) down = up.error();
      if (down.has_error()) {
        (void)bring_all_up();
        return down;
      }
      if (!*up) ++seen_down_;
      unroutable_before_ += *before;
    }
    return {};
  }

  [[nodiscard]] Result<void> bring_all_up() {
    Result<void> outcome;
    for (const std::size_t node : cut().nodes) {
      auto up = context_.cluster.network().bring_up(planned_.id, node);
      if (up.has_error() && outcome.has_value()) outcome = up;
    }
    return outcome;
  }

  [[nodiscard]] Result<void> lift() override {
    Result<void> outcome;
    for (const std::size_t node : cut().nodes) {
      const auto count = context_.cluster.network().unroutable(node);
      if (count.has_value()) unroutable_after_ += *count;
      if (count.has_error() && outcome.has_value()) outcome = count.error();
    }
    SUNDER_TRY(bring_all_up());
    return outcome;
  }

  [[nodiscard]] std::string prove() override {
    const std::uint64_t failed = unroutable_after_ - unroutable_before_;
    add_evidence("interfaces seen down", static_cast<double>(seen_down_), "");
    add_evidence("packets without a route", static_cast<double>(failed), "packets");
    if (cut().nodes.empty()) return cut().remark;
    if (seen_down_ == 0) return "no interface was seen down";
    return failed > 0 ? "" : "no node tried to send while its interface was down";
  }

  std::uint64_t seen_down_ = 0;
  std::uint64_t unroutable_before_ = 0;
  std::uint64_t unroutable_after_ = 0;
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {}},
    FaultShape{"followers", "every node but the leader", 2, {}},
    FaultShape{"leader", "the leader", 1, {2, 1.4, 0.4, 0.6, true}},
    FaultShape{"majority", "the smallest majority", 1, {}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1.4, 0.4, 0.6, false}},
    FaultShape{"moving",
               "one random node, another one after a while, and so on",
               2,
               {1, 1.4, 0.4, 0.6, false},
               Extent::one},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {}},
    FaultShape{"one", "one random node", 1, {2, 1.4, 0.4, 0.6, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

}  // namespace

FaultInfo link_down_fault() {
  static const std::array parameters{kEveryParameter, kFlapParameter};
  return {.name = "link-down",
          .summary = "Takes the network interface of nodes down and up again.",
          .shapes = kShapes,
          .parameters = parameters,
          .evidence =
              "Interfaces that the kernel showed as down, and what their nodes could not send for "
              "want of a route (IpOutNoRoutes of the node's namespace).",
          .limits =
              "Others are not told; they meet silence, as with a partition. The kernel gives the "
              "carrier back up to a second after the interface is up.",
          .example = "link-down:leader@2s+3s;flap=300ms",
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(2),
          .randomize = randomize_cut,
          .check = check_cut,
          .apply = apply_cut<ActiveLinkDown, plan_nodes>};
}

}  // namespace sunder::nemesis
