// Availability as measured: how well each phase, and each side of each partition, was answered. For
// readers, never judged.
//
// Threading: pure functions.

#pragma once

#include <string>
#include <vector>

#include "checkers/figure.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

// Tables and bars: what was answered before, during and after the cuts, by side and function.
[[nodiscard]] std::vector<Figure> availability_figures(const history::History& history,
                                                       const history::RunContext& context);

// One sentence per phase with operations, and per side of each partition.
[[nodiscard]] std::vector<std::string> availability_sentences(const history::History& history,
                                                              const history::RunContext& context);

}  // namespace sunder::checkers
