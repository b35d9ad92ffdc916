#include "nemesis/partition_shapes.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using Nodes = std::vector<std::size_t>;

PartitionPlan empty_plan(std::size_t nodes) {
  PartitionPlan plan;
  plan.cut.assign(nodes, std::vector<bool>(nodes));
  plan.rank.assign(nodes, 0);
  return plan;
}

void cut_from_to(const Nodes& from, const Nodes& to, PartitionPlan& plan) {
  for (const std::size_t a : from) {
    for (const std::size_t b : to) plan.cut[a][b] = true;
  }
}

PartitionPlan split_sides(const std::vector<Nodes>& sides, std::size_t nodes) {
  PartitionPlan plan = empty_plan(nodes);
  for (const Nodes& side : sides) {
    if (!plan.sides.empty()) plan.sides += " | ";
    plan.sides += join_nodes(side, ",");
    for (const std::size_t node : side) {
      plan.rank[node] = static_cast<std::size_t>(&side - sides.data());
    }
    for (const Nodes& other : sides) {
      if (&side != &other) cut_from_to(side, other, plan);
    }
  }
  return plan;
}

PartitionPlan one_way(const Nodes& from, const Nodes& to, std::size_t nodes) {
  PartitionPlan plan = empty_plan(nodes);
  cut_from_to(from, to, plan);
  plan.sides = fmt::format("{} > {}", join_nodes(from, ","), join_nodes(to, ","));
  return plan;
}

Nodes shuffled(std::size_t nodes, base::Random& random) {
  Nodes order(nodes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(order);
  return order;
}

// The first `count` of the order against the rest, both sorted.
std::vector<Nodes> cut_at(const Nodes& order, std::size_t count) {
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Nodes> sides{Nodes(order.begin(), middle), Nodes(middle, order.end())};
  for (Nodes& side : sides) std::ranges::sort(side);
  return sides;
}

// Each node sees the `radius` nodes before and after it on a random circle: just enough for a
// majority.
PartitionPlan ring(const Nodes& order) {
  const std::size_t nodes = order.size();
  const std::size_t radius = majority_of(nodes) / 2;  // 2 * radius + 1 is a majority
  PartitionPlan plan = empty_plan(nodes);
  for (std::size_t a = 0; a < nodes; ++a) {
    for (std::size_t b = 0; b < nodes; ++b) {
      const std::size_t apart = a > b ? a - b : b - a;
      plan.cut[order[a]][order[b]] = std::min(apart, nodes - apart) > radius;
    }
  }
  plan.sides =
      fmt::format("circle {}, each sees {} on either side", join_nodes(order, ","), radius);
  return plan;
}

PartitionPlan bridge(const Nodes& order) {
  const std::size_t nodes = order.size();
  const Nodes others(order.begin() + 1, order.end());
  const auto sides = cut_at(others, others.size() / 2);
  PartitionPlan plan = split_sides(sides, nodes);
  plan.sides += fmt::format(", bridge n{}", order.front() + 1);
  return plan;
}

// The leader, or a node by chance, to the front.
std::string lead_order(std::optional<std::size_t> leader, Nodes& order) {
  if (!leader) return fmt::format("no leader was known: n{} instead", order.front() + 1);
  std::iter_swap(order.begin(), std::ranges::find(order, *leader));
  return {};
}

// The link between the first two of the order, and nothing else.
PartitionPlan single_link(const Nodes& order) {
  PartitionPlan plan = empty_plan(order.size());
  cut_from_to({order[0]}, {order[1]}, plan);
  cut_from_to({order[1]}, {order[0]}, plan);
  plan.rank[order[1]] = 1;
  plan.with_clients = false;
  plan.sides = fmt::format("n{} <> n{}", order[0] + 1, order[1] + 1);
  return plan;
}

// Named links, with clients among the endpoints or cut for themselves alone.
PartitionPlan named_links(const Sides& sides, std::string_view text, std::size_t nodes) {
  PartitionPlan plan = empty_plan(nodes);
  plan.with_clients = false;
  plan.sides = text;
  for (const std::size_t from : sides.sides.at(0)) {
    for (const std::size_t to : sides.sides.at(1)) {
      plan.named_links.emplace_back(from, to);
      if (!sides.one_way) plan.named_links.emplace_back(to, from);
    }
  }
  for (const std::size_t side : {0U, 1U}) {
    for (const std::size_t endpoint : sides.sides.at(side)) {
      if (endpoint >= plan.rank.size()) plan.rank.resize(endpoint + 1, nodes + 1);
      plan.rank[endpoint] = side;
    }
  }
  return plan;
}

Result<PartitionPlan> plan_groups(const PlannedFault& fault, std::size_t nodes) {
  const auto parsed = parse_sides(fault.target, nodes);
  if (parsed.has_error()) return parsed.error();
  if (parsed->links_only) return named_links(*parsed, fault.target, nodes);
  if (parsed->one_way) return one_way(parsed->sides.at(0), parsed->sides.at(1), nodes);
  return split_sides(parsed->sides, nodes);
}

}  // namespace

Result<PartitionPlan> plan_partition(const PlannedFault& fault,
                                     std::size_t nodes,
                                     std::optional<std::size_t> leader,
                                     base::Random& random,
                                     const std::vector<std::size_t>& held) {
  const std::string_view shape = fault.shape;
  if (shape == "groups") return plan_groups(fault, nodes);
  const std::size_t minority = minority_of(nodes);
  const bool possible = nodes >= 2 && !(shape.ends_with("minority") && minority == 0) &&
                        !(shape == "bridge" && nodes < 3) &&
                        !(shape == "ring" && nodes < kRing_nodes_min);
  if (!possible) {
    return base::make_error(
        Errc::usage, fmt::format("{}:{} is impossible with {} nodes", fault.family, shape, nodes));
  }
  Nodes order = shuffled(nodes, random);
  std::ranges::stable_partition(
      order, [&](std::size_t node) { return std::ranges::count(held, node) == 0; });
  if (shape == "halves") return split_sides(cut_at(order, nodes / 2), nodes);
  if (shape == "one" || shape == "moving") return split_sides(cut_at(order, 1), nodes);
  if (shape == "bridge") return bridge(order);
  if (shape == "ring") return ring(order);
  if (shape == "minority") {
    const auto size =
        static_cast<std::size_t>(random.between(1, static_cast<std::int64_t>(minority)));
    return split_sides(cut_at(order, size), nodes);
  }
  if (shape == "one-way") {
    // One node that is no longer heard, or no longer hears.
    const auto sides = cut_at(order, 1);
    const bool mute = random.chance(0.5);
    return one_way(sides[mute ? 0 : 1], sides[mute ? 1 : 0], nodes);
  }
  if (shape == "client-link") {
    PartitionPlan plan = empty_plan(nodes);
    plan.with_clients = false;
    plan.clients_of = order.front();
    plan.sides = fmt::format("n{} <> its clients", order.front() + 1);
    return plan;
  }
  if (shape == "subject") {
    const auto subject = parse_nodes(fault.target, nodes);
    if (subject.has_error()) return subject.error();
    (void)lead_order(subject->front(), order);
    return split_sides(cut_at(order, 1), nodes);
  }
  if (shape == "leader-deaf" || shape == "leader-mute") {
    const std::string remark = lead_order(leader, order);
    const auto sides = cut_at(order, 1);
    const bool mute = shape == "leader-mute";
    PartitionPlan plan = one_way(sides[mute ? 0 : 1], sides[mute ? 1 : 0], nodes);
    plan.remark = remark;
    return plan;
  }
  if (shape == "link") {
    (void)lead_order(leader, order);  // any two are a link
    return single_link(order);
  }
  if (shape == "leader" || shape == "leader-minority") {
    const std::string remark = lead_order(leader, order);
    PartitionPlan plan = split_sides(cut_at(order, shape == "leader" ? 1 : minority), nodes);
    plan.remark = remark;
    return plan;
  }
  return base::make_error(Errc::usage, fmt::format("{} has no shape '{}'", fault.family, shape));
}

}  // namespace sunder::nemesis
