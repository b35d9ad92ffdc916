#include "checkers/elle/cycles.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <utility>

namespace sunder::checkers::elle {
namespace {

using arc::kRw;
using arc::kWw;

// Each transaction split into its start and its commit: a cycle of the split graph is one without
// two adjacent rw arcs (Cerone & Gotsman 2018). Nodes outside of `within` have no arcs.
Digraph split(const Digraph& graph, const Components& within, CycleShape shape) {
  const std::uint32_t real = graph.real();
  Digraph parts(2 * real);
  for (std::uint32_t helper = real; helper < graph.size(); ++helper) (void)parts.add_helper();
  const auto start = [&](std::uint32_t node) { return node < real ? 2 * node : node + real; };
  const auto commit = [&](std::uint32_t node) { return node < real ? 2 * node + 1 : node + real; };
  for (const std::uint32_t node : within.cyclic) {
    if (node < real) parts.add(start(node), commit(node), kPass);
    for (const Digraph::Arc arc : graph.arcs(node)) {
      if (!within.together(node, arc.to)) continue;
      const bool missed = (arc.kinds & kRw) != 0;
      const bool to_commit = missed || (shape == CycleShape::prefix && arc.kinds == kWw);
      parts.add(missed ? start(node) : commit(node),
                to_commit ? commit(arc.to) : start(arc.to),
                arc.kinds);
    }
  }
  parts.finish();
  return parts;
}

std::vector<Step> join(const std::vector<Step>& parts) {
  std::vector<Step> steps;
  for (const Step& part : parts) {
    if (part.kinds != kPass) steps.push_back({part.from / 2, part.to / 2, part.kinds});
  }
  return steps;
}

class CycleFinder {
 public:
  CycleFinder(const Digraph& graph, AnomalySet forbidden) : graph_(&graph), forbidden_(forbidden) {
    ArcKinds kinds = 0;
    for (const CycleRule& rule : cycle_rules()) {
      if (contains(forbidden, rule.anomaly)) kinds |= rule.first | rule.path;
    }
    all_ = components(graph, kinds);
  }

  [[nodiscard]] std::vector<std::vector<Step>> run(std::size_t most) {
    for (const CycleRule& rule : cycle_rules()) {
      if (all_.acyclic() || found_.size() >= most) break;
      if (!contains(forbidden_, rule.anomaly)) continue;
      const auto cycle = search(rule);
      if (!cycle) continue;
      std::string name = name_of_cycle(*cycle);
      if (std::ranges::find(names_, name) != names_.end()) continue;
      names_.push_back(std::move(name));
      found_.push_back(*cycle);
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::optional<std::vector<Step>> search(const CycleRule& rule) {
    const ArcKinds kinds = rule.first | rule.path;
    const Components within = components(*graph_, kinds, &all_);
    if (within.acyclic()) return std::nullopt;
    if (rule.shape == CycleShape::plain) {
      // Cycles with a single rw arc are among those without adjacent ones, of which there may be
      // none: cheaper to see.
      const bool single = rule.first == kRw && (rule.path & kRw) == 0;
      if (single && !split_search(within, rule, CycleShape::start)) return std::nullopt;
      return shortest_cycle(*graph_, within, {.first = rule.first, .path = rule.path});
    }
    return split_search(within, rule, rule.shape);
  }

  [[nodiscard]] std::optional<std::vector<Step>> split_search(const Components& within,
                                                              const CycleRule& rule,
                                                              CycleShape shape) const {
    const Digraph parts = split(*graph_, within, shape);
    const ArcKinds kinds = rule.first | rule.path;
    const Components cyclic = components(parts, kinds);
    if (cyclic.acyclic()) return std::nullopt;
    const auto cycle = shortest_cycle(parts, cyclic, {.first = rule.first, .path = kinds | kPass});
    if (!cycle) return std::nullopt;
    return join(*cycle);
  }

  const Digraph* graph_;
  AnomalySet forbidden_;
  Components all_;
  std::vector<std::string> names_;
  std::vector<std::vector<Step>> found_;
};

}  // namespace

std::vector<std::vector<Step>> find_cycles(const Digraph& graph,
                                           AnomalySet forbidden,
                                           std::size_t most) {
  return CycleFinder(graph, forbidden).run(most);
}

bool explains(const Digraph& graph, AnomalySet forbidden, std::vector<std::int64_t> ranks) {
  ArcKinds kinds = 0;
  bool snapshots = true;  // only cycles without adjacent rw arcs are forbidden
  for (const CycleRule& rule : cycle_rules()) {
    if (!contains(forbidden, rule.anomaly)) continue;
    kinds |= rule.first | rule.path;
    snapshots = snapshots && ((rule.path & kRw) == 0 || rule.shape != CycleShape::plain);
  }
  // A helper comes just before the first that it leads to.
  constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();
  ranks.resize(graph.size(), kEver);
  for (auto entry = graph.entries().rbegin(); entry != graph.entries().rend(); ++entry) {
    if (entry->from < graph.real()) continue;
    ranks[entry->from] = std::min(ranks[entry->from], ranks[entry->arc.to] - 1);
  }
  const auto is_missed = [&](const Digraph::Entry& entry) {
    return snapshots && (entry.arc.kinds & kRw) != 0;
  };
  // The snapshot of each as early as what it depends on allows: nothing that it missed may have
  // committed by then.
  std::vector<std::int64_t> snapshot;
  if (snapshots) snapshot.assign(graph.size(), std::numeric_limits<std::int64_t>::min());
  for (const Digraph::Entry& entry : graph.entries()) {
    if ((entry.arc.kinds & kinds) == 0 || is_missed(entry)) continue;
    if (ranks[entry.from] >= ranks[entry.arc.to]) return false;
    if (snapshots) {
      snapshot[entry.arc.to] = std::max(snapshot[entry.arc.to], ranks[entry.from]);
    }
  }
  if (!snapshots || (kinds & kRw) == 0) return true;
  for (const Digraph::Entry& entry : graph.entries()) {
    if (!is_missed(entry) || entry.arc.to < graph.real()) continue;
    snapshot[entry.arc.to] = std::max(snapshot[entry.arc.to], snapshot[entry.from]);
  }
  return std::ranges::all_of(graph.entries(), [&](const Digraph::Entry& entry) {
    return !is_missed(entry) || entry.arc.to >= graph.real() ||
           snapshot[entry.from] < ranks[entry.arc.to];
  });
}

std::vector<std::uint32_t> places_in_order(const Digraph& graph,
                                           ArcKinds kinds,
                                           const std::vector<std::int64_t>& ranks) {
  std::vector<std::uint32_t> waiting(graph.size(), 0);
  const auto counts = [&](ArcKinds each) { return (each & kinds) != 0; };
  for (const Digraph::Entry& entry : graph.entries()) {
    if (counts(entry.arc.kinds)) ++waiting[entry.arc.to];
  }
  using Ready = std::pair<std::int64_t, std::uint32_t>;  // rank, node
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  const auto rank = [&](std::uint32_t node) {
    return node < graph.real() ? ranks[node] : std::numeric_limits<std::int64_t>::min();
  };
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    if (waiting[node] == 0) ready.emplace(rank(node), node);
  }
  std::vector<std::uint32_t> places(graph.size(), graph.size());
  for (std::uint32_t place = 0; !ready.empty(); ++place) {
    const std::uint32_t node = ready.top().second;
    ready.pop();
    places[node] = place;
    for (const Digraph::Arc arc : graph.arcs(node)) {
      if (counts(arc.kinds) && --waiting[arc.to] == 0) ready.emplace(rank(arc.to), arc.to);
    }
  }
  return places;
}

}  // namespace sunder::checkers::elle
