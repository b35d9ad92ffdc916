// A counter that is linearizable, or whose every read at least lies between what was surely and
// what was possibly added to it (Jepsen's `counter`).
//
// Bounds need no search. Surely: what was acknowledged before the read began. Possibly: what had
// begun by its end and did not definitely fail. Negative amounts lower the lower bound once they
// are possible and the upper one once they are sure. Necessary for linearizability with any
// amounts, not sufficient. O(n log n).

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/exact_sum.hpp"
#include "checkers/findings.hpp"
#include "checkers/linearizability.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

constexpr std::array kLevels{
    LevelInfo{"linearizable", "Every operation takes effect at one instant while it runs."},
    LevelInfo{"bounds", "Every read lies between what was surely and what was possibly added."}};

using Sum = ExactSum;

// What was added up to a stamp: sums of the positive and of the negative amounts.
class RunningSums {
 public:
  // Stamps are given in ascending order.
  void add(std::int64_t stamp, std::int64_t amount) {
    Sum positive = sums_.empty() ? 0 : sums_.back().positive;
    Sum negative = sums_.empty() ? 0 : sums_.back().negative;
    (amount < 0 ? negative : positive) += amount;
    sums_.push_back({stamp, positive, negative});
  }

  struct Sums {
    std::int64_t stamp = 0;
    Sum positive = 0;
    Sum negative = 0;
  };

  // Of everything with a stamp below `bound`.
  [[nodiscard]] Sums before(std::int64_t bound) const {
    const auto after = std::ranges::lower_bound(sums_, bound, {}, &Sums::stamp);
    return after == sums_.begin() ? Sums{} : *std::prev(after);
  }

 private:
  std::vector<Sums> sums_;
};

std::int64_t amount_of(const Operation& operation) {
  return operation.input.is_integer() ? operation.input.raw() : 1;
}

std::string text(Sum sum) {
  return fmt::format("{}", sum);
}

class CounterBounds {
 public:
  CounterBounds(const history::History& history, const KeyOperations& key, Findings& findings)
      : history_(&history), key_(&key), findings_(&findings) {}

  void judge() {
    std::vector<std::uint32_t> ended;
    for (const std::uint32_t i : key_->operations) {
      const Operation& operation = at(i);
      // An acknowledged addition is an observation: nothing contradicts it.
      if (operation.outcome == Outcome::ok) findings_->observed();
      if (operation.function == Function::read || operation.outcome == Outcome::fail) continue;
      begun_.add(operation.invoke, amount_of(operation));
      if (operation.outcome == Outcome::ok) ended.push_back(i);
    }
    std::ranges::stable_sort(ended, {}, [&](std::uint32_t i) { return at(i).complete; });
    for (const std::uint32_t i : ended) ended_.add(at(i).complete, amount_of(at(i)));
    for (const std::uint32_t i : key_->operations) {
      const Operation& operation = at(i);
      const bool known = operation.function == Function::read && operation.outcome == Outcome::ok &&
                         !operation.output.is_none();
      if (known) judge_read(i);
    }
  }

  std::size_t reads = 0;

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  void judge_read(std::uint32_t index) {
    ++reads;
    const Operation& read = at(index);
    const RunningSums::Sums sure = ended_.before(read.invoke);
    const RunningSums::Sums possible = begun_.before(read.complete + 1);
    const Sum lower = sure.positive + possible.negative;
    const Sum upper = possible.positive + sure.negative;
    // An absent counter is at zero.
    const std::int64_t value = read.output.is_nil() ? 0 : read.output.raw();
    if (value < lower) report(index, "too low", lower, sure_phrase(sure, possible.negative));
    if (value > upper) report(index, "too high", upper, possible_phrase(possible, sure.negative));
  }

  [[nodiscard]] static std::string sure_phrase(const RunningSums::Sums& sure, Sum taken) {
    std::string added =
        fmt::format("{} had been added and acknowledged before it began", text(sure.positive));
    if (taken == 0) return added;
    return added + fmt::format(" and at most {} could have been taken away", text(-taken));
  }

  [[nodiscard]] static std::string possible_phrase(const RunningSums::Sums& possible, Sum taken) {
    std::string added =
        fmt::format("at most {} could have been added by its end", text(possible.positive));
    if (taken == 0) return added;
    return added + fmt::format(" and {} had been taken away before it began", text(-taken));
  }

  void report(std::uint32_t index, std::string_view kind, Sum bound, const std::string& why) {
    const Operation& read = at(index);
    findings_->add(kind, *key_, read.output, [&] {
      return example_of(
          fmt::format("read {}", kind),
          fmt::format("p{} read {}, {} than {}: {}",
                      read.process,
                      history_->pool().describe(read.output),
                      kind == "too low" ? "less" : "more",
                      text(bound),
                      why),
          {{index,
            true,
            fmt::format("should be {} {}", kind == "too low" ? "≥" : "≤", text(bound))}});
    });
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  RunningSums begun_;  // that may have taken effect, by invocation
  RunningSums ended_;  // acknowledged, by completion
};

// The functions add, increment (by one without an amount) and read of integers.
bool knows(const history::History& history, const Operation& operation) {
  (void)history;
  const history::Value input = operation.input;
  if (operation.function == Function::add) return input.is_integer();
  if (operation.function == Function::increment) {
    return input.is_none() || input.is_nil() || input.is_integer();
  }
  const history::Value output = operation.output;
  return operation.function == Function::read &&
         (output.is_none() || output.is_nil() || output.is_integer());
}

// Of additions alone: whether some amount comes twice, as elements of a set do not.
bool repeats(const history::History& history) {
  std::vector<std::int64_t> amounts;
  for (const Operation& operation : history.operations()) amounts.push_back(amount_of(operation));
  std::ranges::sort(amounts);
  return std::ranges::adjacent_find(amounts) != amounts.end();
}

bool fits(const history::History& history) {
  const auto is_read = [](const Operation& operation) {
    return operation.function == Function::read && operation.output.is_integer();
  };
  const auto is_addition = [](const Operation& operation) {
    return operation.function != Function::read;
  };
  if (unsuitable(history, "counter", knows)) return false;
  const std::vector<Operation>& operations = history.operations();
  if (std::ranges::all_of(operations, is_addition)) return repeats(history);
  return std::ranges::any_of(operations, is_read) && std::ranges::any_of(operations, is_addition);
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions& options,
              std::stop_token stop) {
  if (level == "linearizable") {
    return check_linearizability(history, *find_search_model("counter"), options, std::move(stop));
  }
  if (auto verdict = unsuitable(history, "counter", knows)) return *verdict;
  Findings findings(history);
  std::size_t reads = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    CounterBounds one(history, key, findings);
    one.judge();
    reads += one.reads;
  }
  findings.measure("reads", static_cast<double>(reads));
  return findings.finish(
      fmt::format("{} between what was surely and what was possibly added", counted(reads, "read")),
      "no operation has a known result");
}

}  // namespace

ModelInfo counter_model() {
  return {.name = "counter",
          .summary = "A number that is added to and read.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
