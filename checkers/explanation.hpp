// Cuts a violation that the search found down to the few operations that matter, and says why in
// one sentence.
//
// It starts at the last moment at which nothing was pending, with the states that were possible
// there, and weakens one operation after the other: an observer is forgotten, a mutator may take
// effect at any time and any number of times. What is left strict contradicts itself whatever the
// others did. Bounded by a number of small searches, not by time, so that the same history gives
// the same picture.

#pragma once

#include "checkers/search.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

// Precondition: result.kind is violation.
[[nodiscard]] Counterexample explain(const history::History& history,
                                     Model& model,
                                     const SearchProblem& problem,
                                     const SearchResult& result,
                                     const SearchLimits& limits);

}  // namespace sunder::checkers
