// The closed-form tests of sets, counters and locks: sweeps over the operations in order of time,
// without a search.
//
// Each has a file of its own. What it cannot decide (results that were not told where they matter,
// deltas of different sizes, a lock that was refused) goes to the search. O(n log n). Pure
// functions of one thread.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "checkers/closed_form.hpp"

namespace sunder::checkers {

// What an operation answered, true or false (1 and 0 are taken for them); nothing: neither.
[[nodiscard]] std::optional<bool> truth_of(const history::Operation& operation) noexcept;

// One element of a set, in or out: add, remove, contains.
[[nodiscard]] std::optional<ClosedForm> check_element(const history::History& history,
                                                      std::span<const std::uint32_t> operations,
                                                      const Parameters& parameters);
// A sum that starts at 0: add, increment, read.
[[nodiscard]] std::optional<ClosedForm> check_counter(const history::History& history,
                                                      std::span<const std::uint32_t> operations,
                                                      const Parameters& parameters);
// A sum that starts at 0, whose additions tell what they found: fetch-add, read.
[[nodiscard]] std::optional<ClosedForm> check_fetch_add(const history::History& history,
                                                        std::span<const std::uint32_t> operations,
                                                        const Parameters& parameters);
// A lock that one process holds at a time: acquire, release.
[[nodiscard]] std::optional<ClosedForm> check_mutex(const history::History& history,
                                                    std::span<const std::uint32_t> operations,
                                                    const Parameters& parameters);
// One writer or many readers: acquire (input "read" or "write"), release.
[[nodiscard]] std::optional<ClosedForm> check_rw_lock(const history::History& history,
                                                      std::span<const std::uint32_t> operations,
                                                      const Parameters& parameters);
// Permits that processes acquire and release; parameter "permits".
[[nodiscard]] std::optional<ClosedForm> check_semaphore(const history::History& history,
                                                        std::span<const std::uint32_t> operations,
                                                        const Parameters& parameters);
// A lock that its holder may acquire again; parameter "acquires", how often in all.
[[nodiscard]] std::optional<ClosedForm> check_reentrant_mutex(
    const history::History& history,
    std::span<const std::uint32_t> operations,
    const Parameters& parameters);
// That parameter; without it there is no limit.
[[nodiscard]] std::int64_t acquires_max_of(const Parameters& parameters);
// A mutex whose acquires give growing tokens.
[[nodiscard]] std::optional<ClosedForm> check_fenced_lease(
    const history::History& history,
    std::span<const std::uint32_t> operations,
    const Parameters& parameters);

}  // namespace sunder::checkers
