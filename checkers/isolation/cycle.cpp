#include "checkers/isolation/cycle.hpp"

#include <algorithm>

#include "checkers/graph.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {
namespace {

// The predecessors of every transaction: its session's previous, its writers, and the forced ones.
class Predecessors {
 public:
  Predecessors(const Transactions& transactions, std::span<const ForcedEdge> edges)
      : data_(&transactions), begin_(transactions.size() + 1, 0), from_(edges.size()) {
    for (const ForcedEdge& edge : edges) ++begin_[edge.to + 1];
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (const ForcedEdge& edge : edges) from_[next[edge.to]++] = edge.from;
  }

  template <typename Action>
  void for_each(std::uint32_t transaction, const Action& action) const {
    if (data_->previous[transaction] != kNone) action(data_->previous[transaction]);
    for (std::uint32_t i = data_->read_begin[transaction]; i < data_->read_begin[transaction + 1];
         ++i) {
      const std::uint32_t writer = data_->writer_of(i);
      if (writer != kNone) action(writer);
    }
    for (std::uint32_t i = begin_[transaction]; i < begin_[transaction + 1]; ++i) {
      action(from_[i]);
    }
  }

 private:
  const Transactions* data_;
  std::vector<std::uint32_t> begin_;
  std::vector<std::uint32_t> from_;
};

// All transactions, each after its successors; those that a cycle comes after are missing.
std::vector<std::uint32_t> reverse_order(std::uint32_t count, const Predecessors& predecessors) {
  std::vector<std::uint32_t> successors(count, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    predecessors.for_each(i, [&](std::uint32_t before) { ++successors[before]; });
  }
  std::vector<std::uint32_t> order;
  order.reserve(count);
  for (std::uint32_t i = count; i-- > 0;) {
    if (successors[i] == 0) order.push_back(i);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    predecessors.for_each(order[next], [&](std::uint32_t before) {
      if (--successors[before] == 0) order.push_back(before);
    });
  }
  return order;
}

}  // namespace

std::vector<std::uint32_t> topological_order(const Transactions& transactions) {
  const Predecessors predecessors(transactions, {});
  std::vector<std::uint32_t> order = reverse_order(transactions.size(), predecessors);
  std::ranges::reverse(order);
  return order;
}

std::vector<std::uint32_t> find_cycle(const Transactions& transactions,
                                      std::span<const ForcedEdge> edges) {
  const Predecessors predecessors(transactions, edges);
  const std::uint32_t count = transactions.size();
  const std::vector<std::uint32_t> order = reverse_order(count, predecessors);
  if (order.size() == count) return {};
  // What is left, with what comes between.
  constexpr ArcKinds kBefore = 1;
  std::vector<std::uint32_t> number(count, 0);
  for (const std::uint32_t transaction : order) number[transaction] = kNone;
  std::vector<std::uint32_t> left;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (number[i] == kNone) continue;
    number[i] = static_cast<std::uint32_t>(left.size());
    left.push_back(i);
  }
  Digraph graph(static_cast<std::uint32_t>(left.size()));
  for (const std::uint32_t transaction : left) {
    predecessors.for_each(transaction, [&](std::uint32_t before) {
      if (number[before] != kNone) graph.add(number[before], number[transaction], kBefore);
    });
  }
  graph.finish();
  const auto steps =
      shortest_cycle(graph, components(graph, kBefore), {.first = kBefore, .path = kBefore});
  SUNDER_ASSERT(steps.has_value());
  std::vector<std::uint32_t> cycle;
  for (const checkers::Step& step : *steps) cycle.push_back(left[step.from]);
  return cycle;
}

}  // namespace sunder::checkers::isolation
