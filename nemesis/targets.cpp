#include "nemesis/targets.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <fmt/format.h>

namespace sunder::nemesis {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

Result<std::size_t> parse_node(std::string_view word, std::size_t nodes) {
  std::size_t number = 0;
  const char* const last = word.data() + word.size();
  const bool named = word.size() >= 2 && word.front() == 'n';
  const auto [end, error] = named ? std::from_chars(word.data() + 1, last, number)
                                  : std::from_chars_result{last, std::errc::invalid_argument};
  if (error != std::errc{} || end != last || number == 0 || number > nodes) {
    return base::make_error(Errc::usage,
                            fmt::format("no node '{}': this cluster has n1 to n{}", word, nodes));
  }
  return number - 1;
}

std::vector<std::size_t> rest_of(const std::vector<std::vector<std::size_t>>& sides,
                                 std::size_t nodes) {
  std::vector<bool> named(nodes);
  for (const auto& side : sides) {
    for (const std::size_t node : side) named[node] = true;
  }
  std::vector<std::size_t> rest;
  for (std::size_t node = 0; node < nodes; ++node) {
    if (!named[node]) rest.push_back(node);
  }
  return rest;
}

std::vector<std::size_t> running_nodes(const NemesisContext& context) {
  std::vector<std::size_t> nodes;
  for (std::size_t node = 0; node < context.cluster.nodes(); ++node) {
    if (context.cluster.state(node) == cluster::NodeState::running) nodes.push_back(node);
  }
  return nodes;
}

// `count` of the nodes, chosen at random, those first that no other fault holds; all when there are
// fewer.
std::vector<std::size_t> sample(const NemesisContext& context,
                                std::vector<std::size_t> nodes,
                                std::size_t count,
                                base::Random& random) {
  random.shuffle(nodes);
  std::ranges::stable_partition(
      nodes, [&](std::size_t node) { return std::ranges::count(context.held, node) == 0; });
  nodes.resize(std::min(count, nodes.size()));
  std::ranges::sort(nodes);
  return nodes;
}

ResolvedTargets resolve_named(const NemesisContext& context,
                              const std::vector<std::size_t>& named) {
  ResolvedTargets resolved;
  std::vector<std::size_t> absent;
  for (const std::size_t node : named) {
    const bool running = context.cluster.state(node) == cluster::NodeState::running;
    (running ? resolved.nodes : absent).push_back(node);
  }
  if (!absent.empty()) {
    resolved.remark = fmt::format("{} was not running", join_nodes(absent, ","));
  }
  return resolved;
}

ResolvedTargets resolve_leader(const NemesisContext& context,
                               const std::vector<std::size_t>& running,
                               base::Random& random) {
  if (const auto leader = running_leader(context)) return {{*leader}, {}};
  ResolvedTargets resolved{sample(context, running, 1, random), {}};
  resolved.remark = resolved.nodes.empty() ? "no node was running"
                                           : fmt::format("no leader was known: n{} instead",
                                                         resolved.nodes.front() + 1);
  return resolved;
}

// "n1+c3" as endpoints.
Result<std::vector<std::size_t>> parse_endpoints(std::string_view text,
                                                 std::size_t nodes,
                                                 std::size_t clients) {
  std::vector<std::size_t> endpoints;
  for (const std::string_view word : split(text, '+')) {
    std::size_t number = 0;
    const bool client = word.starts_with('c');
    const char* const last = word.data() + word.size();
    const auto [end, error] = client ? std::from_chars(word.data() + 1, last, number)
                                     : std::from_chars_result{last, std::errc{}};
    if (client && (error != std::errc{} || end != last || number == 0 || number > clients)) {
      return base::make_error(Errc::usage,
                              fmt::format("no client '{}': this run has c1 to c{}", word, clients));
    }
    const auto node = client ? Result<std::size_t>(nodes + number - 1) : parse_node(word, nodes);
    if (node.has_error()) return node.error();
    endpoints.push_back(*node);
  }
  std::ranges::sort(endpoints);
  return endpoints;
}

// Named links: "c1>n2" for one direction, "n1<>n2" for both.
Result<Sides> parse_links(std::string_view text, std::size_t nodes, std::size_t clients) {
  Sides result;
  result.links_only = true;
  const std::size_t arrow = text.find('>');
  if (arrow == std::string_view::npos || arrow == 0) {
    return base::make_error(Errc::usage,
                            fmt::format("'{}' must name links, as in c1>n2 or c1<>n2", text));
  }
  result.one_way = text[arrow - 1] != '<';
  const std::string_view first = text.substr(0, result.one_way ? arrow : arrow - 1);
  for (const std::string_view part : {first, text.substr(arrow + 1)}) {
    auto side = parse_endpoints(part, nodes, clients);
    if (side.has_error()) return side.error();
    result.sides.push_back(std::move(*side));
  }
  for (const std::size_t from : result.sides[0]) {
    for (const std::size_t to : result.sides[1]) {
      if (from != to && std::min(from, to) < nodes) continue;
      return base::make_error(Errc::usage,
                              fmt::format("'{}': a link has two ends, at least one a node", text));
    }
  }
  return result;
}

}  // namespace

Result<std::vector<std::size_t>> parse_nodes(std::string_view text, std::size_t nodes) {
  std::vector<std::size_t> parsed;
  for (const std::string_view word : split(text, '+')) {
    const auto node = parse_node(word, nodes);
    if (node.has_error()) return node.error();
    parsed.push_back(*node);
  }
  std::ranges::sort(parsed);
  if (std::ranges::adjacent_find(parsed) != parsed.end()) {
    return base::make_error(Errc::usage, fmt::format("'{}' names a node twice", text));
  }
  return parsed;
}

Result<Sides> parse_sides(std::string_view text, std::size_t nodes, std::size_t clients) {
  const std::size_t arrow = text.find('>');
  const bool both_ways = arrow != std::string_view::npos && arrow > 0 && text[arrow - 1] == '<';
  const bool has_client = text.find('c') != std::string_view::npos;
  if (both_ways || has_client) return parse_links(text, nodes, clients);
  Sides result;
  result.one_way = arrow != std::string_view::npos;
  std::vector<bool> named(nodes);
  for (const std::string_view part : split(text, result.one_way ? '>' : '/')) {
    auto side = parse_nodes(part, nodes);
    if (side.has_error()) return side.error();
    for (const std::size_t node : *side) {
      if (named[node]) {
        return base::make_error(Errc::usage, fmt::format("'{}' names n{} twice", text, node + 1));
      }
      named[node] = true;
    }
    result.sides.push_back(std::move(*side));
  }
  if (result.one_way) {
    if (result.sides.size() == 2) return result;
    return base::make_error(Errc::usage,
                            fmt::format("'{}' must have two sides, as in n1>n2+n3", text));
  }
  if (auto rest = rest_of(result.sides, nodes); !rest.empty())
    result.sides.push_back(std::move(rest));
  if (result.sides.size() < 2) {
    return base::make_error(Errc::usage, fmt::format("'{}' puts all nodes on one side", text));
  }
  return result;
}

std::string join_nodes(const std::vector<std::size_t>& nodes, std::string_view separator) {
  std::string text;
  for (const std::size_t node : nodes) {
    if (!text.empty()) text += separator;
    text += fmt::format("n{}", node + 1);
  }
  return text;
}

std::optional<std::size_t> living_leader(const NemesisContext& context) {
  const auto leader = context.leader ? context.leader() : std::nullopt;
  if (!leader || *leader >= context.cluster.nodes()) return std::nullopt;
  if (context.cluster.state(*leader) == cluster::NodeState::down) return std::nullopt;
  return leader;
}

std::optional<std::size_t> running_leader(const NemesisContext& context) {
  const auto leader = living_leader(context);
  if (!leader || context.cluster.state(*leader) != cluster::NodeState::running) return std::nullopt;
  return leader;
}

Result<ResolvedTargets> resolve_targets(const NemesisContext& context,
                                        const PlannedFault& fault,
                                        base::Random& random) {
  const std::size_t nodes = context.cluster.nodes();
  const std::vector<std::size_t> running = running_nodes(context);
  if (fault.shape == "nodes") {
    const auto named = parse_nodes(fault.target, nodes);
    if (named.has_error()) return named.error();
    return resolve_named(context, *named);
  }
  if (fault.shape == "subject" || fault.shape == "others") {
    auto named = parse_nodes(fault.target, nodes);
    if (named.has_error()) return named.error();
    if (fault.shape == "others") named = rest_of({*named}, nodes);
    return resolve_named(context, *named);
  }
  if (fault.shape == "leader") return resolve_leader(context, running, random);
  if (fault.shape == "all") {
    std::vector<std::size_t> all(nodes);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return resolve_named(context, all);
  }
  if (fault.shape == "followers") {
    ResolvedTargets leader = resolve_leader(context, running, random);
    ResolvedTargets resolved{running, leader.remark};
    if (!leader.nodes.empty()) std::erase(resolved.nodes, leader.nodes.front());
    return resolved;
  }
  std::size_t count = 0;
  if (fault.shape == "one") count = 1;
  if (fault.shape == "minority") count = minority_of(nodes);
  if (fault.shape == "majority") count = majority_of(nodes);
  if (count == 0) {
    return base::make_error(
        Errc::usage,
        fmt::format("{}:{} is impossible with {} nodes", fault.family, fault.shape, nodes));
  }
  ResolvedTargets resolved{sample(context, running, count, random), {}};
  if (resolved.nodes.size() < count) {
    resolved.remark = fmt::format("only {} nodes were running", resolved.nodes.size());
  }
  return resolved;
}

}  // namespace sunder::nemesis
