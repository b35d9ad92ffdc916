// Holds: who surely held a lock, and when, for the closed-form tests of locks that have an owner.
//
// A process holds from the end of its acquire to the start of its release at least; a release of
// unknown outcome ends that too. An acquire of unknown outcome without a later release is dropped:
// it need not have happened. A failed operation did not happen. What several operations of one
// process may have done together (unknown ones before others that depend on them) and a lock that
// said it was taken go to the search.
//
// Pure functions of one thread.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/closed_form.hpp"

namespace sunder::checkers {

struct Hold {
  std::int64_t from = 0;
  std::int64_t until = history::kNever;  // kNever: never released
  std::uint32_t acquire = kNo_operation;
  std::uint32_t release = kNo_operation;
};

// In order of invocation of their acquires. `problem`: a process acquired what it held, or released
// what it did not hold.
struct GatheredHolds {
  std::vector<Hold> holds;
  std::optional<Counterexample> problem;
};

// One hold at a time for each process, which may be acquired so many times before it is released as
// often: from the end of the first acquire to the start of the last release. Nothing: the search
// has to decide.
[[nodiscard]] std::optional<GatheredHolds> gather_holds(const history::History& history,
                                                        std::span<const std::uint32_t> operations,
                                                        std::int64_t acquires_max = 1);

// That no two holds overlap; the order of the holds is of no matter.
[[nodiscard]] ClosedForm check_exclusive(const history::History& history, std::vector<Hold> holds);

// The counter-example of a hold that began while the other lasted.
[[nodiscard]] Counterexample two_holders(const history::History& history,
                                         const Hold& first,
                                         const Hold& second);

// Whether an acquire answered that it found the lock taken.
[[nodiscard]] bool was_refused(const history::Operation& operation) noexcept;

// Whether an acquire is for reading: its input is "read", "shared" or "r".
[[nodiscard]] bool is_shared(const history::ValuePool& pool,
                             const history::Operation& operation) noexcept;

// How many permits an operation of a semaphore is about, 1 when it does not say; nothing when
// nobody can say.
[[nodiscard]] std::optional<std::int64_t> permits_of(const history::Operation& operation) noexcept;

}  // namespace sunder::checkers
