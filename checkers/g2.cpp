// Two inserts under one key of which at most one may succeed (Jepsen's `g2`, of jepsen.tests.adya).
//
// Each transaction looks, by a predicate, for what the other would insert, and inserts its own only
// when it finds nothing: [key [a nil]] into the one table, [key [nil b]] into the other. Where both
// succeed, each missed the other's insert: a cycle of two anti-dependencies through predicates,
// Adya's G2 ("Weak Consistency", 1999), which serializability forbids. An insert of unknown outcome
// is none. Sound and complete for the definition: serializable exactly when no key has two. O(n).

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
    LevelInfo{"one-insert", "Of the inserts under one key at most one succeeds."}};

// [a nil] or [nil b].
bool is_choice(const history::ValuePool& pool, Value value) {
  if (!value.is_list()) return false;
  const auto ids = pool.items_of(value);
  return ids.size() == 2 && ids[0].is_nil() != ids[1].is_nil() && !ids[0].is_list() &&
         !ids[1].is_list();
}

// The key inside of [key [a nil]]; none where the choice is all of it, or it is neither.
Value inner_key(const history::ValuePool& pool, Value value) {
  if (!value.is_list()) return {};
  const auto pair = pool.items_of(value);
  const bool tells = pair.size() == 2 && !pair[0].is_list() && is_choice(pool, pair[1]);
  return tells ? pair[0] : Value();
}

bool knows(const history::History& history, const Operation& operation) {
  const history::ValuePool& pool = history.pool();
  return operation.function == Function::insert &&
         (is_choice(pool, operation.input) || !inner_key(pool, operation.input).is_none());
}

// What became of the inserts under one key.
struct Attempts {
  Value key;
  std::uint32_t first = 0;  // the one that succeeded, when `succeeded` is not 0
  std::uint32_t attempted = 0;
  std::uint32_t succeeded = 0;
};

Counterexample both_succeeded(const history::History& history,
                              std::uint32_t first,
                              std::uint32_t second) {
  const Operation& earlier = history.operations()[first];
  const Operation& later = history.operations()[second];
  const std::string when =
      earlier.precedes(later)
          ? fmt::format("the one had ended {} the other began", lead(earlier, later))
          : std::string("they ran at the same time");
  return example_of("G2",
                    fmt::format("{} and {} both succeeded, although each looks for the other "
                                "first: {}",
                                phrase(history, earlier),
                                phrase(history, later),
                                when),
                    {{first, true, "succeeded"}, {second, true, "succeeded, too"}});
}

// Precondition: every operation of `key` is an insert.
std::vector<Attempts> gather(const history::History& history,
                             const KeyOperations& key,
                             Findings& findings) {
  ValueIndex index(key.operations.size());
  std::vector<Attempts> all;
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    const Value inner = inner_key(history.pool(), operation.input);
    const std::uint32_t number = index.number(inner);
    if (number == all.size()) all.push_back({.key = inner});
    Attempts& attempts = all[number];
    ++attempts.attempted;
    if (operation.outcome != Outcome::ok) continue;
    if (++attempts.succeeded == 1) {
      attempts.first = i;
    } else if (attempts.succeeded == 2) {
      const std::string name = inner.is_none() ? std::string(history.pool().name(key.key))
                                               : history.pool().describe(inner);
      findings.add(
          "illegal", key, name, [&] { return both_succeeded(history, attempts.first, i); });
    }
  }
  return all;
}

Verdict check(const history::History& history,
              std::string_view,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "g2", knows)) return *verdict;
  Findings findings(history);
  std::size_t keys = 0;
  std::size_t legal = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    for (const Attempts& attempts : gather(history, key, findings)) {
      ++keys;
      legal += attempts.succeeded == 1 ? 1U : 0U;
      if (attempts.succeeded > 0 && attempts.attempted > 1) findings.observed();
    }
  }
  findings.measure("keys", static_cast<double>(keys));
  findings.measure("keys with one insert", static_cast<double>(legal));
  return findings.finish(
      fmt::format("of {}, {} have one insert and none has more", counted(keys, "key"), legal),
      "no insert succeeded under a key that another was tried under");
}

bool fits(const history::History& history) {
  return !history.empty() && !unsuitable(history, "g2", knows);
}

}  // namespace

ModelInfo g2_model() {
  return {.name = "g2",
          .summary = "Inserts that look for each other first: at most one under a key succeeds.",
          .levels = kLevels,
          .fits = fits,
          .check = check,
          .strength = 2};
}

}  // namespace sunder::checkers
