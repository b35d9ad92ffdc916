// Writes that each bring one identifier, and reads of all that there are: who shows a write shows
// whatever had been written before that one began (Jepsen's `comments` and `causal-reverse`).
//
// A read that shows a later write without an earlier one that had been acknowledged before the
// later began has turned real time round: T1 came before T2, and T2 is visible without T1. Strict
// serializability forbids it; a system may do it whose transactions are serializable, each in the
// past of its own clock (CockroachDB, whose comments arrived without what they answered). A read
// may be stale. exact: nothing comes from nowhere either; Jepsen does not ask for that.
//
// A read must show what ended before the latest start of what it shows, which is one search in the
// sorted ends, and a count. Sound and complete for the definition; O(n log n) in the writes and
// linear in the identifiers read.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/elements.hpp"
#include "checkers/findings.hpp"
#include "checkers/instants.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::kNever;
using history::Operation;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"order", "A read that shows a write shows all that had ended before that one began."},
    LevelInfo{"exact", "The same, and it shows nothing that nobody had begun to write."}};

bool is_identifier(Value value) noexcept {
  return !value.is_list() && !value.is_nil() && !value.is_none();
}

bool knows(const history::History& history, const Operation& operation) {
  if (operation.function == Function::write) return is_identifier(operation.input);
  if (operation.function != Function::read) return false;
  const Value output = operation.output;
  if (!output.is_list()) return output.is_none() || output.is_nil();
  return std::ranges::all_of(history.pool().items_of(output), is_identifier);
}

class Comments {
 public:
  Comments(const history::History& history, const KeyOperations& key, Findings& findings)
      : history_(&history),
        key_(&key),
        findings_(&findings),
        elements_(gather_elements(history, key, Function::write)) {
    for (std::uint32_t number = 0; number < elements_.elements.size(); ++number) {
      const std::int64_t end = elements_.elements[number].end;
      if (end != kNever) by_end_.push_back({end, number});
    }
    sort_by_stamp(by_end_);
  }

  void judge() {
    for (const WholeRead& read : elements_.reads) judge_read(read);
    for (const OddValue& stranger : elements_.strangers) {
      report_stranger(*history_, *key_, stranger, *findings_);
    }
  }

  [[nodiscard]] const Elements& elements() const noexcept { return elements_; }

 private:
  static constexpr std::size_t kSubjects = 10;  // reads whose missing writes are named

  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  // The write that a shown element is from, as early as it may be.
  [[nodiscard]] std::uint32_t writer_of(const Element& element) const {
    return element.first != kNothing ? element.first : element.failed;
  }

  void judge_read(const WholeRead& read) {
    std::uint32_t latest = kNothing;  // of the writes that it shows, the last to begin
    const auto shown = elements_.members_of(read);
    for (const std::uint32_t number : shown) {
      const Element& element = elements_.elements[number];
      const std::uint32_t writer = writer_of(element);
      if (latest == kNothing || at(writer).invoke > at(latest).invoke) latest = writer;
      if (element.may_be_seen_by(at(read.operation).complete)) continue;
      findings_->add("unexpected", *key_, element.value, [&] {
        return impossible_element(*history_, element, read.operation);
      });
    }
    if (latest == kNothing) return;
    const std::int64_t limit = at(latest).invoke;
    const auto expected = static_cast<std::size_t>(
        std::ranges::lower_bound(by_end_, limit, {}, &End::stamp) - by_end_.begin());
    if (expected == 0) return;
    findings_->observed();
    const auto there = static_cast<std::size_t>(std::ranges::count_if(
        shown, [&](std::uint32_t number) { return elements_.elements[number].end < limit; }));
    if (there < expected) report_reversed(read, latest, expected, expected - there);
  }

  void report_reversed(const WholeRead& read,
                       std::uint32_t latest,
                       std::size_t expected,
                       std::size_t missing_count) {
    if (findings_->count_of("reversed") >= kSubjects) {
      findings_->add("reversed", *key_, std::string_view(), [] { return Counterexample(); });
      return;
    }
    std::vector<bool> shown(elements_.elements.size(), false);
    for (const std::uint32_t number : elements_.members_of(read)) shown[number] = true;
    std::size_t place = 0;
    while (place < expected && shown[by_end_[place].position]) ++place;
    const Element& missing = elements_.elements[by_end_[place].position];
    findings_->add("reversed", *key_, missing.value, [&] {
      return reversed(read.operation, latest, missing, missing_count);
    });
  }

  [[nodiscard]] Counterexample reversed(std::uint32_t read,
                                        std::uint32_t latest,
                                        const Element& missing,
                                        std::size_t missing_count) const {
    const Operation& later = at(latest);
    const Operation& earlier = at(missing.acknowledged);
    const std::string others =
        missing_count == 1 ? "" : fmt::format("; it misses {} such writes", missing_count);
    return example_of(
        "later write without the earlier",
        fmt::format("p{}'s read shows {} without {}, although {} had ended {} {} began{}",
                    at(read).process,
                    history_->pool().describe(later.input),
                    history_->pool().describe(missing.value),
                    phrase(*history_, earlier),
                    lead(earlier, later),
                    phrase(*history_, later),
                    others),
        {{missing.acknowledged, true, "acknowledged, then"},
         {latest, true, "began afterwards"},
         {read, true, "shows only the later"}});
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  Elements elements_;
  std::vector<End> by_end_;  // of the elements that were acknowledged
};

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "comments", knows)) return *verdict;
  Findings findings(history);
  if (level == "order") findings.tolerate("unexpected");
  std::size_t writes = 0;
  std::size_t reads = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    Comments one(history, key, findings);
    one.judge();
    writes += one.elements().elements.size();
    reads += one.elements().reads.size();
  }
  findings.measure("writes", static_cast<double>(writes));
  findings.measure("reads", static_cast<double>(reads));
  return findings.finish(
      fmt::format("{} show {} in their order", counted(reads, "read"), counted(writes, "write")),
      "no read shows a write that began after another had ended");
}

// A register never holds a list where only scalars are written: what its reads show are writes.
bool fits(const history::History& history) {
  if (unsuitable(history, "comments", knows)) return false;
  for (const KeyOperations& key : split_by_key(history)) {
    const Elements elements = gather_elements(history, key, Function::write);
    if (!elements.members.empty()) return true;
  }
  return false;
}

}  // namespace

ModelInfo comments_model() {
  return {.name = "comments",
          .summary =
              "Writes of one identifier each, and reads of all: who shows one shows what "
              "was before it.",
          .levels = kLevels,
          .fits = fits,
          .check = check,
          .strength = 2};
}

}  // namespace sunder::checkers
