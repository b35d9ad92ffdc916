// Bounded staleness where no closed form decides it: of values that are written more than once, of
// compare-and-sets, and of more than the last two values. Decided by the general search
// (checkers/search.hpp), each key for itself, exactly, within the budget.
//
// Only reads may be stale: what a compare-and-set compares with is the value at its instant.
//
// Threading: as many threads as the options say. Deterministic but for the budget.

#pragma once

#include <cstdint>
#include <stop_token>

#include "checkers/checker.hpp"
#include "checkers/levels/versions.hpp"
#include "checkers/models/model.hpp"

namespace sunder::checkers::levels {

// A millisecond, or a stamp.
[[nodiscard]] double unit_of(Clock clock) noexcept;

// By how much reads are stale: measured, and told in the summary of what is kept and in the details
// of what is broken. Not `exact`: by so much at most.
void tell_delta(
    Verdict& verdict, const history::History& history, Clock clock, std::int64_t delta, bool exact);

// Whether every read finds one of the last k values.
[[nodiscard]] Verdict search_k_atomic(const history::History& history,
                                      std::uint32_t k,
                                      const CheckOptions& options,
                                      const std::stop_token& stop);

// Whether the history is linearizable if every read had begun earlier, by `allowed` at the most;
// and by how much, as far as a part of the budget tells. Precondition: it is not linearizable as it
// is, or that could not be decided.
[[nodiscard]] Verdict search_delta_atomic(const history::History& history,
                                          const ModelRow& row,
                                          Clock clock,
                                          std::int64_t allowed,
                                          const CheckOptions& options,
                                          const std::stop_token& stop);

}  // namespace sunder::checkers::levels
