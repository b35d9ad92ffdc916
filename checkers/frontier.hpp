// The breadth-first strategy of the search: keeps every configuration that explains what returned
// so far, and extends them at each return only until the returning operation has taken effect.
//
// Memory follows concurrency, not length. Histories with many explanations are first walked with a
// beam of so many configurations; only when the beam dies having dropped some is the walk repeated
// with all. Where it dies with all, the history is not linearizable, and the states that were
// possible there are the evidence.
//
// Threading: one search in one thread. Errors: a spent limit is `undetermined`.

#pragma once

#include <cstddef>

#include "checkers/search.hpp"
#include "checkers/search_window.hpp"

namespace sunder::checkers {

// With a beam of that many configurations first; 0: all at once.
[[nodiscard]] SearchResult search_frontier(Model& model,
                                           const SearchProblem& problem,
                                           const Timeline& timeline,
                                           const SearchLimits& limits,
                                           std::size_t beam);

}  // namespace sunder::checkers
