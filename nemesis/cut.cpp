#include "nemesis/cut.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using cluster::DirectedLink;
using cluster::Endpoint;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Endpoint endpoint(std::size_t index) {
  return static_cast<Endpoint>(index);
}

// Links between clients and nodes, as the sides of the nodes say.
void add_clients(const NemesisContext& context, const PartitionPlan& plan, Cut& cut) {
  const std::size_t nodes = context.cluster.nodes();
  const std::size_t clients = std::min(context.client_nodes.size(), context.cluster.clients());
  for (std::size_t client = 0; client < clients; ++client) {
    const std::size_t side = context.client_nodes[client];
    const Endpoint self = endpoint(nodes + client);
    for (std::size_t node = 0; node < nodes; ++node) {
      const bool own = plan.clients_of == node && side == node;
      const bool follows = plan.with_clients && !context.clients_see_all;
      if (own || (follows && plan.is_cut(side, node))) cut.links.emplace_back(self, endpoint(node));
      if (own || (follows && plan.is_cut(node, side))) cut.links.emplace_back(endpoint(node), self);
    }
  }
}

constexpr RandomUse use(double weight, bool light = false) {
  return {weight, 1.4, 0.62, 0.7, light};
}

constexpr std::array kShapes{
    FaultShape{"bridge", "two halves that only one node sees both of", 3, use(1)},
    FaultShape{"client-link",
               "one random node and the clients that are pinned to it",
               2,
               use(1, true),
               Extent::one},
    FaultShape{"groups",
               "named sides: n1+n2/n3+n4+n5; n1>n2+n3 for one direction, n1<>n2 for one link; "
               "clients too: c1>n2, c1<>n2",
               2,
               use(0)},
    FaultShape{"halves", "two sides, as equal as can be", 2, use(1)},
    FaultShape{"leader", "the leader alone against all others", 2, use(2, true)},
    FaultShape{"leader-deaf", "the leader hears no other node, but is heard", 2, use(0)},
    FaultShape{
        "leader-minority", "the leader with the largest minority against a majority", 3, use(2)},
    FaultShape{"leader-mute", "the leader is heard by no other node, but hears", 2, use(0)},
    FaultShape{"link",
               "the link between the leader, where one is known, and another node, nothing else",
               2,
               use(1, true),
               Extent::one},
    FaultShape{"minority", "a random minority against a majority", 3, use(2)},
    FaultShape{"moving",
               "one random node alone, another one after a while, and so on",
               3,
               use(1),
               Extent::one},
    FaultShape{"one", "one random node alone against all others", 2, use(2, true)},
    FaultShape{"one-way", "one random node is no longer heard, or no longer hears", 2, use(1)},
    FaultShape{"ring", "every node sees a majority, none the same", kRing_nodes_min, use(1)},
    FaultShape{"subject", "the node that told the event alone against all others", 2, use(0)},
};

constexpr nanoseconds kPeriod_min = milliseconds(20);
constexpr nanoseconds kPeriod_max = std::chrono::minutes(10);
constexpr double kFlap_chance = 0.2;

bool has_parameter(const PlannedFault& fault, std::string_view name) {
  const FaultInfo* const family = find_fault(fault.family);
  return family != nullptr && std::ranges::find(family->parameters, name, &FaultParameter::name) !=
                                  family->parameters.end();
}

}  // namespace

const FaultParameter kFlapParameter{.name = "flap",
                                    .summary = "stands and lifts in turn, this long each",
                                    .kind = ParameterKind::duration,
                                    .low = limit(kPeriod_min),
                                    .high = limit(kPeriod_max)};

const FaultParameter kEveryParameter{.name = "every",
                                     .summary = "shape moving: moves on after so long",
                                     .kind = ParameterKind::duration,
                                     .low = limit(kPeriod_min),
                                     .high = limit(kPeriod_max),
                                     .otherwise = "500ms"};

std::span<const FaultShape> cut_shapes() {
  return kShapes;
}

Cut cut_of(const NemesisContext& context, const PartitionPlan& plan) {
  Cut cut;
  cut.sides = plan.sides;
  cut.remark = plan.remark;
  const std::size_t nodes = context.cluster.nodes();
  for (std::size_t from = 0; from < nodes; ++from) {
    for (std::size_t to = 0; to < nodes; ++to) {
      if (plan.is_cut(from, to)) cut.links.emplace_back(endpoint(from), endpoint(to));
    }
  }
  add_clients(context, plan, cut);
  for (const auto& [from, to] : plan.named_links) {
    cut.links.emplace_back(endpoint(from), endpoint(to));
  }
  cut.rank.assign(context.cluster.endpoints(), nodes + 1);
  const std::size_t ranked = std::min(plan.rank.size(), cut.rank.size());
  for (std::size_t i = 0; i < ranked; ++i) cut.rank[i] = plan.rank[i];
  return cut;
}

Result<Cut> plan_cut(const NemesisContext& context,
                     const PlannedFault& fault,
                     base::Random& random) {
  const auto plan =
      plan_partition(fault, context.cluster.nodes(), living_leader(context), random, context.held);
  if (plan.has_error()) return plan.error();
  Cut cut = cut_of(context, *plan);
  for (const auto& [from, to] : cut.links) {
    if (std::max(from, to) < context.cluster.endpoints()) continue;
    const std::size_t client = std::max(from, to) - context.cluster.nodes() + 1;
    return base::make_error(
        Errc::usage,
        fmt::format("no client 'c{}': this run has c1 to c{}", client, context.cluster.clients()));
  }
  return cut;
}

std::vector<DirectedLink> pairs_of(const Cut& cut) {
  const std::set<DirectedLink> links(cut.links.begin(), cut.links.end());
  std::vector<DirectedLink> pairs;
  for (const auto& [from, to] : links) {
    if (!links.contains({to, from})) {
      pairs.emplace_back(from, to);
      continue;
    }
    const bool first = std::pair(cut.rank[from], from) < std::pair(cut.rank[to], to);
    if (first) pairs.emplace_back(from, to);
  }
  return pairs;
}

void randomize_cut(PlannedFault& fault, base::Random& random) {
  if (fault.shape == "moving") {
    const auto every = std::chrono::round<milliseconds>(fault.duration / 4);
    set_duration(fault, "every", std::clamp<nanoseconds>(every, kPeriod_min, kPeriod_max));
    return;
  }
  if (!has_parameter(fault, "flap") || !random.chance(kFlap_chance)) return;
  const auto period = std::chrono::round<milliseconds>(fault.duration / 8);
  set_duration(fault, "flap", std::clamp<nanoseconds>(period, kPeriod_min, kPeriod_max));
}

Result<void> check_cut(const PlannedFault& fault, std::size_t) {
  const bool moving = fault.shape == "moving";
  if (fault.parameters.contains("every") && !moving) {
    return base::make_error(
        Errc::usage,
        fmt::format("{}:{}: every belongs to the shape moving", fault.family, fault.shape));
  }
  if (fault.parameters.contains("flap") && moving) {
    return base::make_error(Errc::usage,
                            fmt::format("{}:moving does not flap as well", fault.family));
  }
  return {};
}

}  // namespace sunder::nemesis
