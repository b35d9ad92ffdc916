// Decides small histories of registers at the levels below linearizability, straight from their
// definitions: every way in which reads can have come about, every order of operations.
//
// It shares no code with the checkers. For longer histories there is a second route: the forced
// orders of the same definitions, closed over a plain matrix.

#pragma once

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

}  // namespace sunder::test
