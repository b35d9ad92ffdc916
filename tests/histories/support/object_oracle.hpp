// What sets, counters and locks answer, for the brute force: states are texts.
//
// Written from the models' descriptions alone; shares no code with the checkers.

#pragma once

#include <optional>
#include <string>

#include "harness/history/history.hpp"

namespace sunder::test {

// The state after an operation took effect; nothing when the state does not allow what it returned.
using Apply = std::optional<std::string> (*)(const history::History& history,
                                             const history::Operation& operation,
                                             const std::string& state);

// The permits of the semaphore, and how often the reentrant mutex may be acquired.
constexpr int kOracle_permits = 2;

// Elements in the set, each followed by a comma.
[[nodiscard]] std::optional<std::string> apply_set(const history::History& history,
                                                   const history::Operation& operation,
                                                   const std::string& state);
// The sum.
[[nodiscard]] std::optional<std::string> apply_sum(const history::History& history,
                                                   const history::Operation& operation,
                                                   const std::string& state);
// "process mode," for every holder; behind it the last token that was given out.
[[nodiscard]] std::optional<std::string> apply_lock(const history::History& history,
                                                    const history::Operation& operation,
                                                    const std::string& state);
// "process," for every permit taken.
[[nodiscard]] std::optional<std::string> apply_semaphore(const history::History& history,
                                                         const history::Operation& operation,
                                                         const std::string& state);

// "process," for every acquire that was not released.
[[nodiscard]] std::optional<std::string> apply_reentrant_mutex(const history::History& history,
                                                               const history::Operation& operation,
                                                               const std::string& state);

}  // namespace sunder::test
