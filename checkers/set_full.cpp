// What became of each element of a set that is read as a whole again and again (Jepsen's
// `set-full`).
//
// An element is known from the end of its acknowledged addition or of the first read that shows it.
// It is stable when the last read to begin shows it (then its stable latency is the time from
// "known" to the last read that missed it), lost when one that began after it was known, and after
// every read that shows it, misses it, and never read otherwise. stable: nothing is lost, repeated
// or from nowhere. fresh: every read that begins after an element is known shows it, which is the
// same as every element alone being linearizable. O(n log n) in the operations and elements read.

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/elements.hpp"
#include "checkers/findings.hpp"
#include "checkers/phrase.hpp"
#include "harness/base/duration.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::kUnknownTime;
using history::Operation;

constexpr std::array kLevels{
    LevelInfo{"stable", "Every element that is known to be in stays in, sooner or later."},
    LevelInfo{"fresh", "Every read that begins after an element is known shows it."}};

// What the reads of one element say. Operations are indices into the history.
struct Fate {
  std::int64_t known = kNever;
  std::uint32_t known_by = kNothing;      // its addition, or a read
  std::uint32_t last_present = kNothing;  // of the reads that show it, the last to begin
  std::uint32_t last_absent = kNothing;   // of the reads that do not
};

enum class Outcome { stable, lost, never_read };

class SetFull {
 public:
  SetFull(const history::History& history, const KeyOperations& key, Findings& findings)
      : history_(&history),
        key_(&key),
        findings_(&findings),
        elements_(gather_elements(history, key)),
        fates_(elements_.elements.size()) {}

  void judge() {
    follow_reads();
    report_odd_values();
    for (std::size_t i = 0; i < fates_.size(); ++i) judge_element(elements_.elements[i], fates_[i]);
  }

  std::size_t attempted = 0;
  std::size_t stable = 0;
  std::size_t never_read = 0;
  std::vector<std::int64_t> stable_latencies;  // nanoseconds; of those with known times
  std::vector<std::int64_t> lost_latencies;

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  // Reads from the last to begin backwards: an element's last absent read is the first that breaks
  // the run of reads that show it.
  void follow_reads() {
    std::vector<const WholeRead*> order;
    for (const WholeRead& read : elements_.reads) order.push_back(&read);
    std::ranges::stable_sort(order, std::ranges::greater(), [&](const WholeRead* read) {
      return at(read->operation).invoke;
    });
    std::vector<std::uint32_t> run(fates_.size(), 0);  // reads from the end that all show it
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      const std::uint32_t operation = order[i]->operation;
      for (const std::uint32_t number : elements_.members_of(*order[i])) {
        Fate& fate = fates_[number];
        if (run[number] == i) run[number] = i + 1;
        if (fate.last_present == kNothing) fate.last_present = operation;
        if (at(operation).complete < fate.known) {
          fate.known = at(operation).complete;
          fate.known_by = operation;
        }
      }
    }
    for (std::size_t i = 0; i < fates_.size(); ++i) {
      const Element& element = elements_.elements[i];
      if (run[i] < order.size()) fates_[i].last_absent = order[run[i]]->operation;
      if (element.end <= fates_[i].known && element.acknowledged != kNothing) {
        fates_[i].known = element.end;
        fates_[i].known_by = element.acknowledged;
      }
    }
  }

  void report_odd_values() {
    for (const OddValue& stranger : elements_.strangers) {
      report_stranger(*history_, *key_, stranger, *findings_);
    }
    for (const OddValue& repeat : elements_.repeats) {
      report_repeat(*history_, *key_, repeat, *findings_);
    }
    for (const WholeRead& read : elements_.reads) {
      for (const std::uint32_t number : elements_.members_of(read)) {
        const Element& element = elements_.elements[number];
        if (element.may_be_seen_by(at(read.operation).complete)) continue;
        findings_->add("unexpected", *key_, element.value, [&] {
          return impossible_element(*history_, element, read.operation);
        });
      }
    }
  }

  [[nodiscard]] Outcome outcome_of(const Fate& fate) const {
    const std::int64_t present = fate.last_present == kNothing ? -1 : at(fate.last_present).invoke;
    const std::int64_t absent = fate.last_absent == kNothing ? -1 : at(fate.last_absent).invoke;
    if (fate.last_present != kNothing && absent <= present) return Outcome::stable;
    const bool missed = fate.last_absent != kNothing && present < absent && fate.known < absent;
    return missed ? Outcome::lost : Outcome::never_read;
  }

  void judge_element(const Element& element, const Fate& fate) {
    if (element.first == kNothing) return;  // every addition failed
    ++attempted;
    const Outcome outcome = outcome_of(fate);
    if (outcome == Outcome::never_read) ++never_read;
    if (outcome == Outcome::stable) ++stable;
    if (outcome != Outcome::never_read) findings_->observed();
    if (outcome == Outcome::lost) {
      add_latency(lost_latencies, fate, fate.last_present);
      findings_->add("lost", *key_, element.value, [&] { return lost_example(element, fate); });
    }
    if (outcome == Outcome::stable) {
      const bool stale = fate.last_absent != kNothing && fate.known < at(fate.last_absent).invoke;
      add_latency(stable_latencies, fate, stale ? fate.last_absent : kNothing);
      if (!stale) return;
      findings_->add("stale", *key_, element.value, [&] { return stale_example(element, fate); });
    }
  }

  // From when it was known to when that read began; 0 without one.
  void add_latency(std::vector<std::int64_t>& latencies, const Fate& fate, std::uint32_t read) {
    const std::int64_t known = at(fate.known_by).complete_time;
    const std::int64_t until = read == kNothing ? known : at(read).invoke_time;
    if (known == kUnknownTime || until == kUnknownTime) return;
    latencies.push_back(std::max<std::int64_t>(until - known, 0));
  }

  // "p3's add of 7 had ended", "p4's read had shown it".
  [[nodiscard]] std::string known_phrase(const Fate& fate) const {
    const Operation& by = at(fate.known_by);
    if (by.function == history::Function::add) return phrase(*history_, by) + " had ended";
    return fmt::format("p{}'s read had shown it", by.process);
  }

  [[nodiscard]] Counterexample lost_example(const Element& element, const Fate& fate) const {
    const Operation& absent = at(fate.last_absent);
    std::vector<Counterexample::Item> core{{fate.known_by, true, "known from its end on"},
                                           {fate.last_absent, true, "misses it"}};
    std::string tail;
    if (fate.last_present != kNothing && fate.last_present != fate.known_by) {
      core.push_back({fate.last_present, true, "the last that shows it"});
      tail = fmt::format(", and no read after p{}'s shows it", at(fate.last_present).process);
    }
    return example_of("lost element",
                      fmt::format("p{}'s read does not show {}, although {} {}{}",
                                  absent.process,
                                  history_->pool().describe(element.value),
                                  known_phrase(fate),
                                  lead(at(fate.known_by), absent),
                                  tail),
                      std::move(core));
  }

  [[nodiscard]] Counterexample stale_example(const Element& element, const Fate& fate) const {
    const Operation& absent = at(fate.last_absent);
    return example_of("stale read",
                      fmt::format("p{}'s read does not show {}, although {} {}",
                                  absent.process,
                                  history_->pool().describe(element.value),
                                  known_phrase(fate),
                                  lead(at(fate.known_by), absent)),
                      {{fate.known_by, true, "known from its end on"},
                       {fate.last_absent, true, "misses it"},
                       {fate.last_present, true, "shows it again"}});
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  Elements elements_;
  std::vector<Fate> fates_;
};

void measure_latencies(Findings& findings,
                       std::string_view name,
                       std::vector<std::int64_t>& latencies) {
  if (latencies.empty()) return;
  std::ranges::sort(latencies);
  constexpr std::array kShares{0.0, 0.5, 0.95, 0.99, 1.0};
  std::string sentence = fmt::format("{}:", name);
  for (const double share : kShares) {
    const std::int64_t value = quantile_of(latencies, share);
    findings.measure(
        fmt::format("{} p{}", name, share * 100), static_cast<double>(value) / 1e6, "ms");
    sentence +=
        fmt::format(" p{} {}", share * 100, base::format_duration(std::chrono::nanoseconds(value)));
  }
  findings.tell(sentence);
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "set-full", is_element_operation)) return *verdict;
  Findings findings(history);
  if (level == "stable") findings.tolerate("stale");
  std::size_t attempted = 0;
  std::size_t stable = 0;
  std::size_t never_read = 0;
  std::vector<std::int64_t> stable_latencies;
  std::vector<std::int64_t> lost_latencies;
  for (const KeyOperations& key : split_by_key(history)) {
    SetFull one(history, key, findings);
    one.judge();
    attempted += one.attempted;
    stable += one.stable;
    never_read += one.never_read;
    std::ranges::copy(one.stable_latencies, std::back_inserter(stable_latencies));
    std::ranges::copy(one.lost_latencies, std::back_inserter(lost_latencies));
  }
  findings.measure("elements added", static_cast<double>(attempted));
  findings.measure("stable", static_cast<double>(stable));
  findings.measure("never read", static_cast<double>(never_read));
  if (never_read > 0) findings.tell(counted(never_read, "element") + " never read");
  measure_latencies(findings, "stable latency", stable_latencies);
  measure_latencies(findings, "lost latency", lost_latencies);
  return findings.finish(fmt::format("{} of {} are {}",
                                     stable,
                                     counted(attempted, "element"),
                                     level == "stable" ? "stable, none is lost"
                                                       : "in every read after they were known"),
                         "no read began after an element was known");
}

}  // namespace

ModelInfo set_full_model() {
  return {.name = "set-full",
          .summary = "Elements that are added, and read as a whole again and again.",
          .levels = kLevels,
          .fits = holds_elements,
          .check = check,
          .strength = 0};
}

}  // namespace sunder::checkers
