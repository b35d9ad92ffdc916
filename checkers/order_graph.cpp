#include "checkers/order_graph.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "checkers/findings.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {

void add_process_order(
    Digraph& graph,
    std::span<const std::uint32_t> nodes,
    ArcKinds kind,
    const std::function<const history::Operation&(std::uint32_t)>& operation_of) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  ValueIndex processes(nodes.size());
  std::vector<std::uint32_t> last;  // of each process, that ended
  for (const std::uint32_t node : nodes) {
    const history::Operation& operation = operation_of(node);
    const std::uint32_t process = processes.number(history::Value::integer(operation.process));
    if (process == last.size()) last.push_back(kNone);
    if (last[process] != kNone) graph.add(last[process], node, kind);
    if (operation.complete != history::kNever) last[process] = node;
  }
}

void add_real_time(Digraph& graph,
                   std::span<const std::uint32_t> nodes,
                   ArcKinds kind,
                   const std::function<const history::Operation&(std::uint32_t)>& operation_of) {
  struct Ended {
    std::int64_t complete = 0;
    std::uint32_t node = 0;
  };

  std::vector<Ended> ended;
  for (const std::uint32_t node : nodes) {
    const std::int64_t complete = operation_of(node).complete;
    if (complete != history::kNever) ended.push_back({complete, node});
  }
  std::ranges::stable_sort(ended, {}, &Ended::complete);
  std::optional<std::uint32_t> instant;  // the latest helper
  auto next = ended.begin();
  for (const std::uint32_t node : nodes) {
    const std::int64_t begin = operation_of(node).invoke;
    if (next != ended.end() && next->complete < begin) {
      const std::uint32_t helper = graph.add_helper();
      if (instant) graph.add(*instant, helper, kPass | kind);
      instant = helper;
      for (; next != ended.end() && next->complete < begin; ++next) {
        graph.add(next->node, helper, kind);
      }
    }
    if (instant) graph.add(*instant, node, kPass | kind);
  }
}

OrderGraph::OrderGraph(const history::History& history, std::vector<std::uint32_t> operations)
    : history_(&history),
      operations_(std::move(operations)),
      graph_(static_cast<std::uint32_t>(operations_.size())) {}

void OrderGraph::add_process_order() {
  checkers::add_process_order(
      graph_, nodes(), kProcess, [this](auto node) -> auto& { return at(node); });
}

void OrderGraph::add_real_time() {
  checkers::add_real_time(
      graph_, nodes(), kRealTime, [this](auto node) -> auto& { return at(node); });
}

std::vector<std::uint32_t> OrderGraph::nodes() const {
  std::vector<std::uint32_t> nodes(operations_.size());
  std::iota(nodes.begin(), nodes.end(), std::uint32_t{0});
  return nodes;
}

OrderGraph::Reason OrderGraph::reason_of(const checkers::Step& step, const Explain& explain) const {
  if ((step.kinds & kObserved) != 0) return explain(step.from, step.to);
  const history::Operation& from = at(step.from);
  const history::Operation& to = at(step.to);
  if ((step.kinds & kProcess) != 0) {
    return {"process", fmt::format("p{} did them in that order", from.process)};
  }
  return {"real time",
          fmt::format("p{} was done {} p{} began", from.process, lead(from, to), to.process)};
}

std::optional<Counterexample> OrderGraph::find_cycle(ArcKinds kinds,
                                                     std::string_view title,
                                                     const Explain& explain) {
  graph_.finish();
  const Components cyclic = components(graph_, kinds);
  if (cyclic.acyclic()) return std::nullopt;
  const auto cycle = shortest_cycle(graph_, cyclic, {.first = kinds, .path = kinds});
  if (!cycle) return std::nullopt;
  std::vector<Counterexample::Item> core;
  Graph picture;
  std::string why;
  for (std::size_t i = 0; i < cycle->size(); ++i) {
    const checkers::Step& step = (*cycle)[i];
    const Reason reason = reason_of(step, explain);
    core.push_back({operations_[step.from], true, reason.label});
    picture.nodes.push_back({operations_[step.from], fmt::format("T{}", i + 1)});
    picture.edges.push_back({i, (i + 1) % cycle->size(), reason.label, reason.why});
    why += fmt::format("{}T{} comes before T{}: {}",
                       why.empty() ? "" : "; ",
                       i + 1,
                       (i + 1) % cycle->size() + 1,
                       reason.why);
  }
  Counterexample example = example_of(title, why, std::move(core));
  example.graph = std::move(picture);
  return example;
}

}  // namespace sunder::checkers
