// Generated identifiers are all different (Jepsen's `unique-ids`).
//
// An acknowledged `generate` tells the identifier; no two may be equal, whoever asked and whenever.
// Sound and complete, O(n).

#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

constexpr std::array kLevels{LevelInfo{"unique", "No identifier is given out twice."}};

bool knows(const history::History& history, const Operation& operation) {
  return history.pool().name(operation.function_name) == "generate";
}

bool fits(const history::History& history) {
  return !history.empty() && !unsuitable(history, "unique-ids", knows);
}

Verdict check(const history::History& history,
              std::string_view,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "unique-ids", knows)) return *verdict;
  Findings findings(history);
  std::size_t generated = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    ValueIndex index(key.operations.size());
    std::vector<std::uint32_t> owners;  // of each identifier, the operation that got it first
    for (const std::uint32_t i : key.operations) {
      const Operation& operation = history.operations()[i];
      if (operation.outcome != history::Outcome::ok || operation.output.is_none()) continue;
      ++generated;
      findings.observed();
      const std::uint32_t number = index.number(operation.output);
      if (number == owners.size()) {
        owners.push_back(i);
        continue;
      }
      findings.add("duplicated", key, operation.output, [&] {
        const Operation& owner = history.operations()[owners[number]];
        const bool after = owner.precedes(operation);
        return example_of("duplicate identifier",
                          fmt::format("p{} was given {}, which p{} had been given {}",
                                      operation.process,
                                      history.pool().describe(operation.output),
                                      owner.process,
                                      after ? lead(owner, operation) : "at the same time"),
                          {{owners[number], true, "got it first"}, {i, true, "got it again"}});
      });
    }
  }
  findings.measure("identifiers", static_cast<double>(generated));
  return findings.finish(fmt::format("{} are all different", counted(generated, "identifier")),
                         "no identifier was given out");
}

}  // namespace

ModelInfo unique_ids_model() {
  return {.name = "unique-ids",
          .summary = "Identifiers that are generated and must all be different.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
