// Sets that are only added to and read as a whole.
//
// final-read (Jepsen's `set`): the last read holds everything acknowledged before it began, and
// nothing that nobody was adding by its end. linearizable: exact. The reads must grow one into the
// next, which fixes the order of everything (the elements of the first, the first, what the second
// has more, …), so one sweep finds whether each can take effect while it runs. O(n log n) in the
// operations and the elements read.

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/elements.hpp"
#include "checkers/findings.hpp"
#include "checkers/linearizability.hpp"
#include "checkers/objects.hpp"
#include "checkers/set_order.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

constexpr std::array kLevels{
    LevelInfo{"final-read",
              "The last read holds everything acknowledged before it, and nothing from nowhere."},
    LevelInfo{"linearizable", "Every operation takes effect at one instant while it runs."}};

// Elements that nobody could have added by then, whatever the level.
void report_impossible(const history::History& history,
                       const KeyOperations& key,
                       const Elements& elements,
                       const WholeRead& read,
                       Findings& findings) {
  const std::int64_t end = history.operations()[read.operation].complete;
  for (const std::uint32_t number : elements.members_of(read)) {
    const Element& element = elements.elements[number];
    if (element.may_be_seen_by(end)) continue;
    findings.add("unexpected", key, element.value, [&] {
      return impossible_element(history, element, read.operation);
    });
  }
}

struct Totals {
  std::size_t attempted = 0;
  std::size_t acknowledged = 0;
  std::size_t seen = 0;
  std::size_t recovered = 0;  // seen, though never acknowledged
};

void judge_final_read(const history::History& history,
                      const KeyOperations& key,
                      Findings& findings,
                      Totals& totals) {
  const Elements elements = gather_elements(history, key);
  totals.attempted += elements.elements.size();
  const auto ends = [&](const WholeRead& read) {
    return history.operations()[read.operation].complete;
  };
  const auto last = std::ranges::max_element(elements.reads, std::ranges::less(), ends);
  if (last == elements.reads.end()) return;
  findings.observed();
  const Operation& reader = history.operations()[last->operation];
  for (const OddValue& stranger : elements.strangers) {
    if (stranger.read == last->operation) report_stranger(history, key, stranger, findings);
  }
  report_impossible(history, key, elements, *last, findings);
  std::vector<bool> present(elements.elements.size(), false);
  for (const std::uint32_t number : elements.members_of(*last)) present[number] = true;
  for (std::size_t i = 0; i < elements.elements.size(); ++i) {
    const Element& element = elements.elements[i];
    const bool acknowledged = element.acknowledged != kNothing;
    totals.acknowledged += acknowledged ? 1U : 0U;
    totals.seen += present[i] ? 1U : 0U;
    totals.recovered += present[i] && !acknowledged ? 1U : 0U;
    if (present[i] || element.end >= reader.invoke) continue;
    findings.add("lost", key, element.value, [&] {
      return missing_element(history, element, last->operation, "lost element");
    });
  }
}

Verdict check_final_read(const history::History& history) {
  Findings findings(history);
  Totals totals;
  const std::vector<KeyOperations> keys = split_by_key(history);
  for (const KeyOperations& key : keys) judge_final_read(history, key, findings, totals);
  findings.measure("elements added", static_cast<double>(totals.attempted));
  findings.measure("acknowledged", static_cast<double>(totals.acknowledged));
  findings.measure("in the final read", static_cast<double>(totals.seen));
  findings.measure("recovered", static_cast<double>(totals.recovered));
  return findings.finish(fmt::format("the final read holds all of {}, and nothing from nowhere",
                                     counted(totals.acknowledged, "acknowledged element")),
                         "the set was never read");
}

Verdict check_linearizable(const history::History& history) {
  Findings findings(history);
  const std::vector<KeyOperations> keys = split_by_key(history);
  for (const KeyOperations& key : keys) {
    const Elements elements = gather_elements(history, key);
    if (!elements.reads.empty()) findings.observed();
    const std::size_t before = findings.count_of("unexpected");
    for (const OddValue& stranger : elements.strangers) {
      report_stranger(history, key, stranger, findings);
    }
    for (const OddValue& repeat : elements.repeats) report_repeat(history, key, repeat, findings);
    for (const WholeRead& read : elements.reads) {
      report_impossible(history, key, elements, read, findings);
    }
    if (findings.count_of("unexpected") != before) continue;
    if (auto problem = find_set_contradiction(history, elements)) {
      findings.add(problem->title, key, "", [&] { return std::move(*problem); });
    }
  }
  return findings.finish(fmt::format("{} on {} are linearizable as a set",
                                     counted(history.operations().size(), "operation"),
                                     counted(keys.size(), "key")),
                         "the set was never read");
}

// Removals and questions for single elements, and additions that tell what they found of theirs:
// each element is an object of its own.
bool asks_for_elements(const history::History& history) {
  const auto asks = [](const Operation& operation) {
    return operation.function == history::Function::remove ||
           operation.function == history::Function::contains;
  };
  const auto tells = [](const Operation& operation) {
    return operation.function == history::Function::add && truth_of(operation).has_value();
  };
  const auto reads = [](const Operation& operation) {
    return operation.function == history::Function::read;
  };
  const std::vector<Operation>& operations = history.operations();
  return std::ranges::any_of(operations, asks) ||
         (std::ranges::any_of(operations, tells) && std::ranges::none_of(operations, reads));
}

bool fits(const history::History& history) {
  if (asks_for_elements(history)) return knows_all(history, *find_search_model("set"));
  return holds_elements(history);
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions& options,
              std::stop_token stop) {
  if (asks_for_elements(history)) {
    return check_linearizability(history, *find_search_model("set"), options, std::move(stop));
  }
  if (auto verdict = unsuitable(history, "set", is_element_operation)) return *verdict;
  return level == "linearizable" ? check_linearizable(history) : check_final_read(history);
}

}  // namespace

ModelInfo set_model() {
  return {.name = "set",
          .summary = "Elements that are added, and read as a whole at the end.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
