// A history with one result changed, or not told: what a checker must notice, or rightly not mind.
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

// Some operations that ended well, not transactions, do not tell their result: tools write null for
// a read, or leave the field out. A function of the seed; nothing: it is so already.
[[nodiscard]] std::optional<history::History> untell_some_results(const history::History& history,
                                                                  std::uint64_t seed);

}  // namespace sunder::test
