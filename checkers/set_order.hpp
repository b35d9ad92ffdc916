// Whether reads of a whole set, and the additions that they show, fit into one order in which each
// takes effect while it runs.
//
// The reads must grow one into the next; that fixes the order of everything. Each operation is then
// as early as its own start and what comes before allow; the history is linearizable exactly when
// none is later than its end. O(n log n) in the operations and the elements read.
//
// Threading: pure functions.

#pragma once

#include <optional>

#include "checkers/elements.hpp"
#include "checkers/verdict.hpp"

namespace sunder::checkers {

// What contradicts itself; nothing: linearizable. Preconditions: no read shows an element that
// nobody had begun to add by its end.
[[nodiscard]] std::optional<Counterexample> find_set_contradiction(const history::History& history,
                                                                   const Elements& elements);

}  // namespace sunder::checkers
