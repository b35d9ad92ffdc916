#include "checkers/isolation/cycle.hpp"

#include <algorithm>

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

  [[nodiscard]] std::uint32_t count(std::uint32_t transaction) const noexcept {
    return 1 + data_->read_begin[transaction + 1] - data_->read_begin[transaction] +
           begin_[transaction + 1] - begin_[transaction];
  }

  // The so-manieth, or kNone: there is no transaction behind it.
  [[nodiscard]] std::uint32_t at(std::uint32_t transaction, std::uint32_t index) const noexcept {
    if (index == 0) return data_->previous[transaction];
    const std::uint32_t reads = data_->read_begin[transaction + 1] - data_->read_begin[transaction];
    if (index <= reads) return data_->writer_of(data_->read_begin[transaction] + index - 1);
    return from_[begin_[transaction] + index - 1 - reads];
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

// Finds the smallest set of transactions that all come before one another (Tarjan, iterative).
class SmallestComponent {
 public:
  SmallestComponent(const Predecessors& predecessors, const std::vector<std::uint8_t>& marked)
      : predecessors_(&predecessors),
        marked_(&marked),
        number_(marked.size(), 0),
        low_(marked.size(), 0) {}

  std::vector<std::uint32_t> find() {
    for (std::uint32_t i = 0; i < marked_->size(); ++i) {
      if ((*marked_)[i] != 0 && number_[i] == 0) visit(i);
    }
    return std::move(best_);
  }

 private:
  struct Frame {
    std::uint32_t at = 0;
    std::uint32_t next = 0;
  };

  void visit(std::uint32_t root) {
    enter(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      const std::uint32_t at = frame.at;
      if (frame.next == predecessors_->count(at)) {
        frames_.pop_back();
        if (!frames_.empty()) {
          low_[frames_.back().at] = std::min(low_[frames_.back().at], low_[at]);
        }
        if (low_[at] == number_[at]) leave(at);
        continue;
      }
      const std::uint32_t before = predecessors_->at(at, frame.next++);
      if (before == kNone || (*marked_)[before] == 0) continue;
      if (number_[before] == 0) {
        enter(before);
      } else if (number_[before] != kNone) {
        low_[at] = std::min(low_[at], number_[before]);
      }
    }
  }

  void enter(std::uint32_t at) {
    number_[at] = low_[at] = ++count_;
    stack_.push_back(at);
    frames_.push_back({at, 0});
  }

  void leave(std::uint32_t root) {
    const auto begin = std::find(stack_.rbegin(), stack_.rend(), root).base() - 1;
    const std::vector<std::uint32_t> component(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    for (const std::uint32_t at : component) number_[at] = kNone;  // done
    if (component.size() > 1 && (best_.empty() || component.size() < best_.size())) {
      best_ = component;
    }
  }

  const Predecessors* predecessors_;
  const std::vector<std::uint8_t>* marked_;
  std::vector<std::uint32_t> number_;  // in order of entering; 0: not yet; kNone: done
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> stack_;
  std::vector<Frame> frames_;
  std::vector<std::uint32_t> best_;
  std::uint32_t count_ = 0;
};

// The shortest way back from a transaction to itself, against the edges, within those marked.
class ShortestCycle {
 public:
  ShortestCycle(const Predecessors& predecessors, std::vector<std::uint8_t> marked)
      : predecessors_(&predecessors),
        marked_(std::move(marked)),
        towards_(marked_.size(), kNone),
        round_(marked_.size(), kNone) {}

  // Empty: none shorter than `limit`, when that is not 0.
  std::vector<std::uint32_t> through(std::uint32_t start, std::size_t limit) {
    queue_.assign(1, start);
    std::size_t next = 0;
    std::size_t length = 1;
    for (std::size_t level_end = 1; next < queue_.size() && (limit == 0 || length < limit);
         ++length, level_end = queue_.size()) {
      for (; next < level_end; ++next) {
        const std::uint32_t at = queue_[next];
        bool closed = false;
        predecessors_->for_each(at, [&](std::uint32_t before) {
          closed = closed || before == start;
          if (closed || marked_[before] == 0 || round_[before] == start) return;
          round_[before] = start;
          towards_[before] = at;
          queue_.push_back(before);
        });
        if (closed) return walk(start, at);
      }
    }
    return {};
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> walk(std::uint32_t start, std::uint32_t at) const {
    std::vector<std::uint32_t> cycle{start};
    for (; at != start; at = towards_[at]) cycle.push_back(at);
    return cycle;
  }

  const Predecessors* predecessors_;
  std::vector<std::uint8_t> marked_;
  std::vector<std::uint32_t> towards_;
  std::vector<std::uint32_t> round_;
  std::vector<std::uint32_t> queue_;
};

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
  std::vector<std::uint8_t> marked(count, 1);
  for (const std::uint32_t transaction : order) marked[transaction] = 0;
  std::vector<std::uint32_t> component = SmallestComponent(predecessors, marked).find();
  SUNDER_ASSERT(!component.empty());
  std::ranges::sort(component);
  std::ranges::fill(marked, std::uint8_t{0});
  for (const std::uint32_t transaction : component) marked[transaction] = 1;
  ShortestCycle search(predecessors, std::move(marked));
  constexpr std::size_t kStartsMax = 256;
  constexpr std::size_t kShortest = 2;
  std::vector<std::uint32_t> best;
  for (std::size_t i = 0; i < std::min(component.size(), kStartsMax); ++i) {
    std::vector<std::uint32_t> cycle = search.through(component[i], best.size());
    if (!cycle.empty()) best = std::move(cycle);
    if (best.size() == kShortest) break;
  }
  SUNDER_ASSERT(!best.empty());
  return best;
}

}  // namespace sunder::checkers::isolation
