// Isolation: whether the read–write transactions of a history satisfy a level.
//
// Read consistency first; then a guessed commit order that explains everything at once; then, for
// the weak levels, their exact polynomial test, and for the strong ones a search with a budget
// (docs/checkers.md, "Transactions"). Sound and complete at every level.
//
// Threading: one call in one thread. Deterministic but for the budget.

#pragma once

#include <stop_token>
#include <string_view>

#include "checkers/checker.hpp"
#include "checkers/isolation/axioms.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

// Which of the routes may be taken; tests that compare them turn some off.
struct Routes {
  bool witness = true;     // guess a commit order
  bool polynomial = true;  // the exact tests of the weak levels
};

struct Question {
  std::string_view level;  // as a reader knows it
  Rules rules;
  Dialect dialect = {};
  Routes routes = {};
};

// `kept`, `broken` or `undetermined`; no exercise rule.
[[nodiscard]] Verdict check_isolation(const history::History& history,
                                      const Question& question,
                                      const CheckOptions& options,
                                      std::stop_token stop);

}  // namespace sunder::checkers::isolation
