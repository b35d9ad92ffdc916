// A counter-example as text for terminals and documents: the sentence, each operation of its core
// with a bar of when it ran, and the edges of its graph.
//
//   stale read of x: p2 read 1 although p1's write of 2 had ended 1ns before
//     p0 ├─┤           [0, 1] write 1 -> ok
//     p1     ├─┤       [2, 3] write 2 -> ok
//     p2         ├─┤   [4, 5] read -> ok 1
//
// Bars are drawn to the order of events, not to scale; a bar that ends in an arrow is an operation
// of unknown outcome. More than kBarsMax operations have none. The numbers are the history's
// stamps.
//
// Threading: pure functions.

#pragma once

#include <cstddef>
#include <string>

#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::report {

constexpr std::size_t kBarsMax = 20;

[[nodiscard]] std::string counterexample_text(const checkers::Counterexample& example,
                                              const history::History& history,
                                              std::size_t indent);

}  // namespace sunder::report
