// Decides small histories of registers at the levels below linearizability, straight from their
// definitions: every way in which reads can have come about, every order of operations.
//
// It shares no code with the checkers. For longer histories there is a second route: the forced
// orders of the same definitions, closed over a plain matrix.

#pragma once

#include <cstdint>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

constexpr std::string_view kLevels[] = {"causal",
                                        "causal-memory",
                                        "ccv",
                                        "monotonic-reads",
                                        "monotonic-writes",
                                        "pram",
                                        "read-your-writes",
                                        "sequential",
                                        "writes-follow-reads"};

// At most 8 operations.
[[nodiscard]] bool brute_force_level(const history::History& history, std::string_view level);

// "causal", "causal-memory", "ccv" or "pram". Every value is written once, and no outcome is
// unknown. Cubic, and more.
[[nodiscard]] bool saturation_allows(const history::History& history, std::string_view level);

// Whether some order of one key's reads and writes, which keeps real time, lets every read find one
// of the last k values. At most 16 operations.
[[nodiscard]] bool brute_force_k_atomic(const history::History& history, std::uint32_t k);

// Whether one key's history is linearizable when reads begin so many stamps earlier.
[[nodiscard]] bool brute_force_delta_atomic(const history::History& history, std::int64_t delta);

}  // namespace sunder::test
