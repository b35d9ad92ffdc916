// The depth-first strategy of the search: follows one configuration until it fails, then goes back
// to the last choice (Wing & Gong, 1993, with Lowe's memory of what has failed).
//
// The returning operation itself is tried first, then what lets it take effect at once, then the
// rest in order of their ends. An easy history costs one configuration for each return.
//
// Threading: one search in one thread. Errors: a spent limit is `undetermined`.

#pragma once

#include "checkers/search.hpp"
#include "checkers/search_window.hpp"

namespace sunder::checkers {

// Says `linearizable`, `violation` without its evidence, or `undetermined`.
[[nodiscard]] SearchResult search_depth_first(Model& model,
                                              const SearchProblem& problem,
                                              const Timeline& timeline,
                                              const SearchLimits& limits);

}  // namespace sunder::checkers
