// A history with one result changed: what a checker must notice, or rightly not mind.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <optional>

#include "harness/history/history.hpp"

namespace sunder::test {

// The result of one acknowledged operation, of a transaction that of one read, becomes that of
// another like it, or a value beside it. A function of the seed; nothing: no operation has a
// result.
[[nodiscard]] std::optional<history::History> flip_one_result(const history::History& history,
                                                              std::uint64_t seed);

}  // namespace sunder::test
