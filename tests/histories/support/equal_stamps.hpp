// Histories in which things happen at the same stamp.
//
// Generators number what happens, so that no two stamps are equal; files have clocks that tick
// slowly. Equal stamps are concurrent: an operation that begins at the stamp at which another ends
// does not come after it (Operation::precedes).

#pragma once

#include <cstdint>
#include <string>

#include "harness/history/history.hpp"

namespace sunder::test {

// A copy in which a quarter of neighbouring stamps became one, never two of one process. A function
// of the seed. The order of the others is as it was.
[[nodiscard]] history::History with_equal_stamps(const history::History& history,
                                                 std::uint64_t seed);

// One operation a line, with its stamps.
[[nodiscard]] std::string describe_with_stamps(const history::History& history);

}  // namespace sunder::test
