#include "checkers/elements.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

bool is_known_read(const Operation& operation) noexcept {
  return operation.function == Function::read && operation.outcome == Outcome::ok &&
         !operation.output.is_none();
}

void take_addition(Element& element, const Operation& operation, std::uint32_t index) {
  if (operation.outcome == Outcome::fail) {
    if (element.failed == kNothing) element.failed = index;
    return;
  }
  if (operation.invoke < element.start) {
    element.start = operation.invoke;
    element.first = index;
  }
  if (operation.outcome == Outcome::ok && operation.complete < element.end) {
    element.end = operation.complete;
    element.acknowledged = index;
  }
}

}  // namespace

bool is_element_operation(const history::History& history, const Operation& operation) {
  (void)history;
  if (operation.function == Function::add) return true;
  const Value output = operation.output;
  return operation.function == Function::read &&
         (output.is_none() || output.is_nil() || output.is_list());
}

Elements gather_elements(const history::History& history,
                         const KeyOperations& key,
                         Function addition) {
  Elements result;
  const auto is_addition = [&](std::uint32_t index) {
    return history.operations()[index].function == addition;
  };
  ValueIndex index(static_cast<std::size_t>(std::ranges::count_if(key.operations, is_addition)));
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    if (operation.function != addition) continue;
    const std::uint32_t number = index.number(operation.input);
    if (number == result.elements.size()) result.elements.push_back({.value = operation.input});
    take_addition(result.elements[number], operation, i);
  }
  std::vector<std::uint32_t> last_seen(result.elements.size(), kNothing);  // in which read
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    if (!is_known_read(operation)) continue;
    WholeRead read{i, static_cast<std::uint32_t>(result.members.size()), 0};
    const auto items = operation.output.is_list() ? history.pool().items_of(operation.output)
                                                  : std::span<const Value>();
    for (const Value item : items) {
      const std::uint32_t number = index.find(item);
      if (number == ValueIndex::kMissing) {
        result.strangers.push_back({i, item});
      } else if (last_seen[number] == i) {
        result.repeats.push_back({i, item});
      } else {
        last_seen[number] = i;
        result.members.push_back(number);
      }
    }
    read.end = static_cast<std::uint32_t>(result.members.size());
    result.reads.push_back(read);
  }
  return result;
}

bool holds_elements(const history::History& history) {
  bool has_lists = false;
  bool has_additions = false;
  for (const Operation& operation : history.operations()) {
    if (!is_element_operation(history, operation)) return false;
    has_lists = has_lists || operation.output.is_list();
    has_additions = has_additions || operation.function == Function::add;
  }
  return has_lists && has_additions;
}

Counterexample impossible_element(const history::History& history,
                                  const Element& element,
                                  std::uint32_t read) {
  const Operation& reader = history.operations()[read];
  const std::string value = history.pool().describe(element.value);
  if (element.first == kNothing) {
    const Operation& failed = history.operations()[element.failed];
    return example_of(
        "failed add seen",
        fmt::format(
            "p{} read {}, though {} failed", reader.process, value, phrase(history, failed)),
        {{element.failed, true, "definitely did not happen"}, {read, true, "shows it"}});
  }
  const Operation& first = history.operations()[element.first];
  return example_of("read before added",
                    fmt::format("p{} read {}, {} {} began",
                                reader.process,
                                value,
                                lead(reader, first),
                                phrase(history, first)),
                    {{element.first, true, "the first that could have added it"},
                     {read, true, "shows it already"}});
}

Counterexample missing_element(const history::History& history,
                               const Element& element,
                               std::uint32_t read,
                               std::string_view title) {
  const Operation& reader = history.operations()[read];
  const Operation& added = history.operations()[element.acknowledged];
  return example_of(title,
                    fmt::format("p{}'s read does not show {}, although {} had ended {}",
                                reader.process,
                                history.pool().describe(element.value),
                                phrase(history, added),
                                lead(added, reader)),
                    {{element.acknowledged, true, "acknowledged"}, {read, true, "misses it"}});
}

void report_stranger(const history::History& history,
                     const KeyOperations& key,
                     const OddValue& stranger,
                     Findings& findings) {
  findings.add("unexpected", key, stranger.value, [&] {
    return example_of("unexpected element",
                      fmt::format("p{} read {}, which nobody ever added",
                                  history.operations()[stranger.read].process,
                                  history.pool().describe(stranger.value)),
                      {{stranger.read, true, "shows an element from nowhere"}});
  });
}

void report_repeat(const history::History& history,
                   const KeyOperations& key,
                   const OddValue& repeat,
                   Findings& findings) {
  findings.add("duplicated", key, repeat.value, [&] {
    return example_of("duplicated element",
                      fmt::format("p{}'s read shows {} more than once",
                                  history.operations()[repeat.read].process,
                                  history.pool().describe(repeat.value)),
                      {{repeat.read, true, "shows it more than once"}});
  });
}

}  // namespace sunder::checkers
