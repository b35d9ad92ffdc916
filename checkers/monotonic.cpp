// Values that only grow: whoever saw the smaller one comes first (Jepsen's `monotonic`, Elle's
// monotonic keys).
//
// A read shows the value of its key, or a list of [key value] pairs, all seen at one instant;
// increments that tell what they made are observations too. nil is less than every number.
// order: the orders of all keys fit into one. session: and each process' own order with them.
// real-time: and that of operations which do not overlap. A violation is a cycle. O(n log n).

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/order_graph.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"real-time", "No value is less than one that was seen before it began."},
    LevelInfo{"session", "No process sees values go back, nor do all of them together."},
    LevelInfo{"order", "The values of all keys can be seen in one order."}};

// A value that an operation saw. Keys are the operation's own, or the first parts of pairs.
struct Sight {
  Value key;
  Value value;  // nil before integers, by its kind
  std::uint32_t node = 0;

  friend auto operator<=>(const Sight& a, const Sight& b) = default;
};

bool is_number(Value value) {
  return value.is_nil() || value.is_integer();
}

bool is_pairs(const history::ValuePool& pool, Value value) {
  if (!value.is_list()) return false;
  return std::ranges::all_of(pool.items_of(value), [&](Value item) {
    if (!item.is_list()) return false;
    const auto pair = pool.items_of(item);
    return pair.size() == 2 && is_number(pair[1]);
  });
}

bool observes(const Operation& operation) {
  return operation.outcome == history::Outcome::ok && !operation.output.is_none() &&
         operation.function != Function::write;
}

bool knows(const history::History& history, const Operation& operation) {
  if (!observes(operation)) return true;
  return is_number(operation.output) || is_pairs(history.pool(), operation.output);
}

class Monotonic {
 public:
  explicit Monotonic(const history::History& history)
      : history_(&history), graph_(history, observers(history)) {
    for (std::uint32_t node = 0; node < graph_.graph().real(); ++node) see(node);
    std::ranges::sort(sights_);
    add_values();
  }

  [[nodiscard]] std::size_t sights() const noexcept { return sights_.size(); }

  [[nodiscard]] std::optional<Counterexample> find(std::string_view level) {
    ArcKinds kinds = OrderGraph::kObserved;
    if (level != "order") {
      graph_.add_process_order();
      kinds |= OrderGraph::kProcess;
    }
    if (level == "real-time") {
      graph_.add_real_time();
      kinds |= OrderGraph::kRealTime;
    }
    return graph_.find_cycle(kinds, "values go back", [&](std::uint32_t from, std::uint32_t to) {
      return reason_of(from, to);
    });
  }

 private:
  static std::vector<std::uint32_t> observers(const history::History& history) {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < history.operations().size(); ++i) {
      if (observes(history.operations()[i])) found.push_back(i);
    }
    return found;
  }

  [[nodiscard]] const Operation& at(std::uint32_t node) const {
    return history_->operations()[graph_.operation(node)];
  }

  template <typename Visit>
  void for_each_sight(std::uint32_t node, const Visit& visit) const {
    const Operation& operation = at(node);
    if (!operation.output.is_list()) {
      visit(Sight{Value::integer(operation.key), operation.output, node});
      return;
    }
    for (const Value item : history_->pool().items_of(operation.output)) {
      const auto pair = history_->pool().items_of(item);
      visit(Sight{pair[0], pair[1], node});
    }
  }

  void see(std::uint32_t node) {
    for_each_sight(node, [&](const Sight& sight) { sights_.push_back(sight); });
  }

  // A helper between each value of a key and the next greater one: who saw the former comes before
  // who saw the latter.
  void add_values() {
    constexpr std::uint32_t kNone = 0xffffffff;
    std::uint32_t between = kNone;
    std::size_t begin = 0;
    while (begin < sights_.size()) {
      std::size_t end = begin;
      while (end < sights_.size() && sights_[end].key == sights_[begin].key &&
             sights_[end].value == sights_[begin].value) {
        ++end;
      }
      if (begin > 0 && sights_[begin - 1].key != sights_[begin].key) between = kNone;
      const std::uint32_t after = graph_.graph().add_helper();
      if (between != kNone) graph_.graph().add(between, after, kPass);
      for (std::size_t i = begin; i < end; ++i) {
        if (between != kNone) graph_.graph().add(between, sights_[i].node, kPass);
        graph_.graph().add(sights_[i].node, after, OrderGraph::kObserved);
      }
      between = after;
      begin = end;
    }
  }

  [[nodiscard]] OrderGraph::Reason reason_of(std::uint32_t from, std::uint32_t to) const {
    Sight less;
    Sight more;
    for_each_sight(from, [&](const Sight& first) {
      for_each_sight(to, [&](const Sight& second) {
        if (first.key != second.key || first.value >= second.value) return;
        less = first;
        more = second;
      });
    });
    const history::ValuePool& pool = history_->pool();
    const bool whole = !at(from).output.is_list();
    const std::string_view own = pool.name(at(from).key);
    const std::string key = !whole        ? " of " + pool.describe(less.key)
                            : own.empty() ? ""
                                          : fmt::format(" of {}", own);
    return {fmt::format("{} < {}", pool.describe(less.value), pool.describe(more.value)),
            fmt::format("p{} saw {}{}, p{} the greater {}",
                        at(from).process,
                        pool.describe(less.value),
                        key,
                        at(to).process,
                        pool.describe(more.value))};
  }

  const history::History* history_;
  OrderGraph graph_;
  std::vector<Sight> sights_;
};

bool fits(const history::History& history) {
  (void)history;
  return false;  // growth is a promise that operations do not tell
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "monotonic", knows)) return *verdict;
  Findings findings(history);
  Monotonic monotonic(history);
  if (monotonic.sights() > 0) findings.observed();
  if (auto cycle = monotonic.find(level)) {
    KeyOperations all;
    for (std::uint32_t i = 0; i < history.operations().size(); ++i) all.operations.push_back(i);
    findings.add("values go back", all, "", [&] { return std::move(*cycle); });
  }
  findings.measure("values seen", static_cast<double>(monotonic.sights()));
  return findings.finish(fmt::format("{} only grow", counted(monotonic.sights(), "value")),
                         "no operation has a known result");
}

}  // namespace

ModelInfo monotonic_model() {
  return {.name = "monotonic",
          .summary = "Numbers that only grow, of one key or of many read together.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
