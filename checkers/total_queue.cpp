// What goes into a queue comes out of it (Jepsen's `total-queue`), in any order.
//
// total: every acknowledged enqueue was dequeued or drained, unless the dequeues of unknown outcome
// are enough to have taken the rest, and nothing came out that nobody had begun to put in. The
// history must empty the queue. exactly-once: nor did anything come out more often than it went in.
// A drain takes a whole list. Values may repeat. O(n log n).

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"total", "Everything acknowledged comes out, and nothing from nowhere."},
    LevelInfo{"exactly-once", "The same, and nothing comes out more often than it went in."}};

// One value put in or got out, by an operation.
struct Passage {
  std::uint32_t value = 0;
  std::uint32_t operation = 0;
};

class TotalQueue {
 public:
  TotalQueue(const history::History& history, const KeyOperations& key, Findings& findings)
      : history_(&history), key_(&key), findings_(&findings), values_(count_values()) {}

  void judge() {
    for (const std::uint32_t i : key_->operations) gather(i);
    const auto by_value_and = [&](auto stamp) {
      return [this, stamp](const Passage& a, const Passage& b) {
        return std::pair(a.value, at(a.operation).*stamp) <
               std::pair(b.value, at(b.operation).*stamp);
      };
    };
    std::ranges::stable_sort(in_, by_value_and(&Operation::invoke));
    std::ranges::stable_sort(out_, by_value_and(&Operation::complete));
    std::size_t in = 0;
    std::size_t out = 0;
    for (std::uint32_t value = 0; value < values_.size(); ++value) {
      const std::size_t in_begin = in;
      const std::size_t out_begin = out;
      while (in < in_.size() && in_[in].value == value) ++in;
      while (out < out_.size() && out_[out].value == value) ++out;
      judge_value(std::span(in_).subspan(in_begin, in - in_begin),
                  std::span(out_).subspan(out_begin, out - out_begin));
    }
    report_lost();
  }

  std::size_t attempted = 0;
  std::size_t acknowledged = 0;
  std::size_t came_out = 0;
  std::size_t recovered = 0;  // came out, though never acknowledged

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::size_t count_values() const {
    std::size_t count = 0;
    for (const std::uint32_t i : key_->operations) {
      const Value output = at(i).output;
      const bool drained = at(i).function == Function::drain && output.is_list();
      count += drained ? history_->pool().items_of(output).size() : 1;
    }
    return count;
  }

  void gather(std::uint32_t index) {
    const Operation& operation = at(index);
    if (operation.function == Function::enqueue) {
      const std::uint32_t value = values_.number(operation.input);
      if (operation.outcome == Outcome::fail) {
        failed_.push_back({value, index});
      } else {
        in_.push_back({value, index});
      }
      return;
    }
    if (operation.outcome == Outcome::fail) return;
    const bool drain = operation.function == Function::drain;
    if (operation.outcome == Outcome::info || operation.output.is_none()) {
      if (drain) {
        drained_until_ = std::max(drained_until_, operation.complete);
      } else {
        unknown_takes_.push_back(operation.complete);
      }
      return;
    }
    findings_->observed();
    if (!operation.output.is_nil() && !drain) {
      out_.push_back({values_.number(operation.output), index});
    } else if (operation.output.is_list()) {
      for (const Value item : history_->pool().items_of(operation.output)) {
        out_.push_back({values_.number(item), index});
      }
    }
  }

  // `in` in order of invocation, `out` in order of completion.
  void judge_value(std::span<const Passage> in, std::span<const Passage> out) {
    std::vector<std::uint32_t> sure;
    for (const Passage& passage : in) {
      if (at(passage.operation).outcome == Outcome::ok) sure.push_back(passage.operation);
    }
    attempted += in.size();
    acknowledged += sure.size();
    came_out += out.size();
    recovered += std::min(out.size(), in.size()) - std::min(out.size(), sure.size());
    find_lost(sure, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t end = at(out[i].operation).complete;
      if (in.empty() || at(in.front().operation).invoke > end) {
        report_unexpected(in, out[i]);
      } else if (i >= in.size() || at(in[i].operation).invoke > end) {
        report_duplicate(out[i == 0 ? 0 : i - 1], out[i], in.size());
      }
    }
  }

  // Of one value's acknowledged enqueues those that nothing known took: a dequeue takes one that
  // began before its end. What began last is matched first, so that what is left began early and
  // is the easiest for dequeues of unknown outcome to have taken.
  void find_lost(const std::vector<std::uint32_t>& sure, std::span<const Passage> out) {
    std::size_t in_time = 0;  // of `out`, from its end
    std::size_t used = 0;
    for (auto index = sure.rbegin(); index != sure.rend(); ++index) {
      const std::int64_t start = at(*index).invoke;
      while (in_time < out.size() &&
             at(out[out.size() - 1 - in_time].operation).complete >= start) {
        ++in_time;
      }
      if (used < in_time) {
        ++used;
      } else {
        lost_.push_back(*index);
      }
    }
  }

  void report_unexpected(std::span<const Passage> in, const Passage& out) {
    const Value value = values_.value(out.value);
    const Operation& taker = at(out.operation);
    const std::string name = history_->pool().describe(value);
    findings_->add("unexpected", *key_, value, [&] {
      if (!in.empty()) {
        const Operation& first = at(in.front().operation);
        return example_of("out before in",
                          fmt::format("p{}'s {} gave {}, {} {} began",
                                      taker.process,
                                      name_of(taker.function),
                                      name,
                                      lead(taker, first),
                                      phrase(*history_, first)),
                          {{in.front().operation, true, "the first that put it in"},
                           {out.operation, true, "gave it already"}});
      }
      const auto failed = std::ranges::find(failed_, out.value, &Passage::value);
      const bool never = failed == failed_.end();
      std::vector<Counterexample::Item> core{{out.operation, true, "gave a value from nowhere"}};
      if (!never) core.push_back({failed->operation, true, "definitely did not happen"});
      return example_of(
          never ? "unexpected value" : "failed enqueue seen",
          fmt::format("p{}'s {} gave {}, which {}",
                      taker.process,
                      name_of(taker.function),
                      name,
                      never ? "nobody ever put in" : "was put in only by an enqueue that failed"),
          std::move(core));
    });
  }

  void report_duplicate(const Passage& before, const Passage& out, std::size_t attempts) {
    const Value value = values_.value(out.value);
    findings_->add("duplicated", *key_, value, [&] {
      return example_of("duplicated value",
                        fmt::format("p{}'s {} gave {} again, which had been put in {} and got out "
                                    "by p{}",
                                    at(out.operation).process,
                                    name_of(at(out.operation).function),
                                    history_->pool().describe(value),
                                    attempts == 1 ? "once" : fmt::format("{} times", attempts),
                                    at(before.operation).process),
                        {{before.operation, true, "gave it"}, {out.operation, true, "again"}});
    });
  }

  // Each unknown dequeue may have taken one value whose enqueue began before its end, an unknown
  // drain all of them.
  [[nodiscard]] bool may_have_been_taken() {
    std::erase_if(lost_, [&](std::uint32_t index) { return at(index).invoke <= drained_until_; });
    std::ranges::sort(
        lost_, std::ranges::greater(), [&](std::uint32_t index) { return at(index).invoke; });
    std::ranges::sort(unknown_takes_, std::ranges::greater());
    for (std::size_t i = 0; i < lost_.size(); ++i) {
      if (i >= unknown_takes_.size() || unknown_takes_[i] < at(lost_[i]).invoke) return false;
    }
    return true;
  }

  void report_lost() {
    const std::size_t missing = lost_.size();
    if (missing == 0) return;
    if (may_have_been_taken()) {
      findings_->tell(counted(missing, "value") +
                      " never came out, but dequeues of unknown outcome may have taken them");
      return;
    }
    std::ranges::sort(lost_);
    const std::string excuse =
        unknown_takes_.empty()
            ? ""
            : fmt::format(", and {} of unknown outcome cannot have taken all {} that did not",
                          counted(unknown_takes_.size(), "dequeue"),
                          lost_.size());
    for (const std::uint32_t index : lost_) {
      const Operation& enqueue = at(index);
      findings_->add("lost", *key_, enqueue.input, [&] {
        return example_of("lost value",
                          fmt::format("{} was acknowledged, but {} never came out{}",
                                      phrase(*history_, enqueue),
                                      history_->pool().describe(enqueue.input),
                                      excuse),
                          {{index, true, "acknowledged, never seen again"}});
      });
    }
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  ValueIndex values_;
  std::vector<Passage> in_;  // may have taken effect
  std::vector<Passage> failed_;
  std::vector<Passage> out_;
  std::vector<std::uint32_t> lost_;          // acknowledged enqueues that nothing took
  std::vector<std::int64_t> unknown_takes_;  // ends of dequeues that took nobody knows what
  std::int64_t drained_until_ = -1;          // the last end of such a drain
};

bool knows(const history::History& history, const Operation& operation) {
  (void)history;
  return operation.function == Function::enqueue || operation.function == Function::dequeue ||
         operation.function == Function::drain;
}

bool fits(const history::History& history) {
  const auto is_drain = [](const Operation& operation) {
    return operation.function == Function::drain;
  };
  return std::ranges::any_of(history.operations(), is_drain) &&
         std::ranges::all_of(history.operations(),
                             [&](const Operation& operation) { return knows(history, operation); });
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "total-queue", knows)) return *verdict;
  Findings findings(history);
  if (level == "total") findings.tolerate("duplicated");
  std::size_t attempted = 0;
  std::size_t acknowledged = 0;
  std::size_t came_out = 0;
  std::size_t recovered = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    TotalQueue one(history, key, findings);
    one.judge();
    attempted += one.attempted;
    acknowledged += one.acknowledged;
    came_out += one.came_out;
    recovered += one.recovered;
  }
  findings.measure("enqueued", static_cast<double>(attempted));
  findings.measure("acknowledged", static_cast<double>(acknowledged));
  findings.measure("came out", static_cast<double>(came_out));
  findings.measure("recovered", static_cast<double>(recovered));
  return findings.finish(fmt::format("of {}, none is lost; {} came out",
                                     counted(acknowledged, "acknowledged value"),
                                     came_out),
                         "no dequeue has a known result");
}

}  // namespace

ModelInfo total_queue_model() {
  return {.name = "total-queue",
          .summary = "A queue that is drained: what goes in must come out, in any order.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
