// Once nothing changes any more, everybody reads the same (eventual convergence).
//
// A key's final reads are each process' last acknowledged one, if it began after every acknowledged
// change had ended and, in a run, when the run had begun to read for the last time. agreement: they
// show the same value, and one that somebody wrote; values that a write of unknown outcome may
// still bring about excuse a difference. last-write: it is also a value that no acknowledged write
// is known to have replaced (registers), or holds every acknowledged element (sets). Sound for
// systems that had time to settle: what is finite cannot refute "eventually" otherwise. O(n log n).

#include <algorithm>
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/elements.hpp"
#include "checkers/final_reads.hpp"
#include "checkers/findings.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"agreement", "The last reads of all processes show the same value."},
    LevelInfo{"last-write", "The same, and it is one that no acknowledged write replaced."}};

bool knows(const history::History& history, const Operation& operation) {
  switch (operation.function) {
    case Function::read:
    case Function::write:
    case Function::add:
      return true;
    case Function::cas:
      return operation.input.is_list() && history.pool().items_of(operation.input).size() == 2;
    default:
      return false;
  }
}

class Convergence {
 public:
  // Reads invoked before `reads_from` are not final.
  Convergence(const history::History& history,
              const KeyOperations& key,
              std::int64_t reads_from,
              Findings& findings)
      : history_(&history), key_(&key), findings_(&findings), reads_from_(reads_from) {
    for (const std::uint32_t i : key.operations) {
      const Operation& operation = at(i);
      if (operation.function == Function::read) continue;
      is_set_ = is_set_ || operation.function == Function::add;
    }
    settled_ = settled_at(history, key);
    find_final_reads();
  }

  void judge(std::string_view level) {
    if (final_reads_.empty()) return;
    findings_->observed();
    if (is_set_) {
      judge_sets(level);
    } else {
      judge_values(level);
    }
  }

  [[nodiscard]] std::size_t final_reads() const noexcept { return final_reads_.size(); }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  void find_final_reads() {
    std::unordered_map<std::int64_t, std::size_t> places;
    for (const std::uint32_t i : key_->operations) {
      const Operation& operation = at(i);
      if (!is_final_read(operation, settled_, reads_from_)) continue;
      const auto [found, added] = places.try_emplace(operation.process, final_reads_.size());
      if (added) {
        final_reads_.push_back(i);
      } else {
        final_reads_[found->second] = i;
      }
    }
  }

  // The value that a change to a register brings about.
  [[nodiscard]] Value made_by(const Operation& operation) const {
    if (operation.function == Function::write) return operation.input;
    return history_->pool().items_of(operation.input)[1];
  }

  // What is known of one value that final reads show.
  struct Shown {
    Value value;
    std::uint32_t read = 0;      // the first to end
    bool written = false;        // by somebody, or it is the initial nil
    bool unknown = false;        // a write of unknown outcome makes it
    std::int64_t last_end = -1;  // of its writes that may have happened
    std::uint32_t last_writer = kNothing;
  };

  void judge_values(std::string_view level) {
    std::vector<Shown> shown;  // few: as many as there are different final values
    for (const std::uint32_t read : final_reads_) {
      const Value value = at(read).output;
      const auto found = std::ranges::find(shown, value, &Shown::value);
      if (found == shown.end()) {
        shown.push_back({.value = value, .read = read, .written = value.is_nil()});
      } else if (at(read).complete < at(found->read).complete) {
        found->read = read;
      }
    }
    std::uint32_t last = kNothing;  // of the acknowledged changes, the one that began last
    for (const std::uint32_t i : key_->operations) {
      const Operation& operation = at(i);
      if (operation.function == Function::read || operation.outcome == Outcome::fail) continue;
      if (operation.outcome == Outcome::ok) last = i;  // operations are in order of invocation
      const auto found = std::ranges::find(shown, made_by(operation), &Shown::value);
      if (found != shown.end()) note(*found, i);
    }
    for (const Shown& one : shown) {
      if (!one.written) report_stranger(one);
    }
    report_difference(shown);
    if (level != "last-write" || last == kNothing) return;
    for (const Shown& one : shown) {
      if (one.written && one.last_end < at(last).invoke) report_replaced(one, last);
    }
  }

  void note(Shown& shown, std::uint32_t index) const {
    const Operation& operation = at(index);
    if (operation.invoke > at(shown.read).complete) return;
    shown.written = true;
    if (operation.outcome == Outcome::info) shown.unknown = true;
    if (operation.complete >= shown.last_end) {
      shown.last_end = operation.complete;
      shown.last_writer = index;
    }
  }

  void report_stranger(const Shown& one) {
    findings_->add("unexpected", *key_, one.value, [&] {
      return example_of("unexpected value",
                        fmt::format("p{}'s last read shows {}, which no write that may have "
                                    "happened wrote",
                                    at(one.read).process,
                                    history_->pool().describe(one.value)),
                        {{one.read, true, "shows a value from nowhere"}});
    });
  }

  void report_difference(const std::vector<Shown>& shown) {
    const Shown* first = nullptr;
    for (const Shown& one : shown) {
      if (one.unknown) continue;
      if (first == nullptr) {
        first = &one;
        continue;
      }
      findings_->add("disagreement", *key_, one.value, [&] {
        return example_of(
            "replicas disagree",
            fmt::format("after the last change p{} read {} and p{} read {}, each for the last time",
                        at(first->read).process,
                        history_->pool().describe(first->value),
                        at(one.read).process,
                        history_->pool().describe(one.value)),
            {{first->read, true, "its last read"}, {one.read, true, "its last read"}});
      });
    }
  }

  void report_replaced(const Shown& one, std::uint32_t last) {
    findings_->add("replaced value", *key_, one.value, [&] {
      std::vector<Counterexample::Item> core{{last, true, "acknowledged later"},
                                             {one.read, true, "does not show it"}};
      if (one.last_writer != kNothing) core.push_back({one.last_writer, true, "over before"});
      return example_of(
          "lost write",
          fmt::format("p{}'s last read shows {}, although {} came after {}",
                      at(one.read).process,
                      history_->pool().describe(one.value),
                      phrase(*history_, at(last)),
                      one.last_writer == kNothing ? "the beginning"
                                                  : phrase(*history_, at(one.last_writer))),
          std::move(core));
    });
  }

  // Elements that final reads do not agree on, but for those that an unknown addition may add.
  void judge_sets(std::string_view level) {
    const Elements elements = gather_elements(*history_, *key_);
    for (const OddValue& stranger : elements.strangers) {
      if (is_final(stranger.read))
        checkers::report_stranger(*history_, *key_, stranger, *findings_);
    }
    std::vector<std::uint32_t> shown_by(elements.elements.size(), kNothing);
    std::vector<std::uint32_t> times(elements.elements.size(), 0);
    for (const WholeRead& read : elements.reads) {
      if (!is_final(read.operation)) continue;
      for (const std::uint32_t number : elements.members_of(read)) {
        shown_by[number] = read.operation;
        ++times[number];
        const Element& element = elements.elements[number];
        if (element.may_be_seen_by(at(read.operation).complete)) continue;
        findings_->add("unexpected", *key_, element.value, [&] {
          return impossible_element(*history_, element, read.operation);
        });
      }
    }
    for (std::uint32_t i = 0; i < elements.elements.size(); ++i) {
      const Element& element = elements.elements[i];
      const bool sure = element.acknowledged != kNothing;
      if (times[i] == final_reads_.size() || !sure) continue;
      if (times[i] == 0) {
        if (level != "last-write") continue;
        findings_->add("lost", *key_, element.value, [&] {
          return missing_element(*history_, element, final_reads_.front(), "lost element");
        });
        continue;
      }
      findings_->add("disagreement", *key_, element.value, [&] {
        return disagreement(elements, i, shown_by[i]);
      });
    }
  }

  [[nodiscard]] bool is_final(std::uint32_t read) const {
    return std::ranges::find(final_reads_, read) != final_reads_.end();
  }

  [[nodiscard]] Counterexample disagreement(const Elements& elements,
                                            std::uint32_t number,
                                            std::uint32_t shows) const {
    std::uint32_t misses = kNothing;
    for (const WholeRead& read : elements.reads) {
      const auto members = elements.members_of(read);
      const bool there = std::ranges::find(members, number) != members.end();
      if (is_final(read.operation) && !there) misses = read.operation;
    }
    return example_of("replicas disagree",
                      fmt::format("after the last change p{}'s last read shows {}, p{}'s does not",
                                  at(shows).process,
                                  history_->pool().describe(elements.elements[number].value),
                                  at(misses).process),
                      {{shows, true, "shows it"}, {misses, true, "does not"}});
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  std::int64_t reads_from_;
  std::int64_t settled_ = -1;  // when the last acknowledged change had ended
  std::vector<std::uint32_t> final_reads_;
  bool is_set_ = false;
};

bool fits(const history::History& history) {
  (void)history;
  return false;  // a register's or a set's history would do: the weaker question must be asked
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions& options,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "convergence", knows)) return *verdict;
  Findings findings(history);
  std::size_t reads = 0;
  const std::int64_t reads_from = final_reads_begin(options.context);
  for (const KeyOperations& key : split_by_key(history)) {
    Convergence one(history, key, reads_from, findings);
    one.judge(level);
    reads += one.final_reads();
  }
  findings.measure("final reads", static_cast<double>(reads));
  return findings.finish(fmt::format("{} agree on every key", counted(reads, "final read")),
                         "no process read after the last change");
}

}  // namespace

ModelInfo convergence_model() {
  return {.name = "convergence",
          .summary = "Registers or sets whose last reads, once nothing changes, agree.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
