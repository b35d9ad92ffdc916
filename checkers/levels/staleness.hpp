// How stale the reads of a register are: in time (Δ-atomicity) and in versions (k-atomicity), with
// the distribution of both.
//
// Both are local: each key for itself. Unknown writes that nobody read are left out, the others are
// over when the first read of them is. Of plain reads and writes, every value written once:
//
// Δ-atomic: with every read begun Δ earlier the history is linearizable (Golab, Li & Shah, PODC
// 2011). The smallest Δ is found by bisection over the zones test, O(n log n) each. k-atomic: every
// read finds one of the last k values. k = 1 is linearizability; k = 2 is decided by limited
// backtracking (Golab, Hurwitz & Li, ICDCS 2013: LBT), quasi-linear in practice; for more there is
// a lower bound that refutes and an order of writes that may confirm. What is left, and every other
// history of a register, is searched (stale_search.hpp).
//
// Threading: one call in one thread. Deterministic but for the budget.

#pragma once

#include <stop_token>

#include "checkers/checker.hpp"
#include "checkers/models/model.hpp"

namespace sunder::checkers::levels {

// Parameter "delta_ms": how stale reads may be; without it, any time. Stamps count as milliseconds
// where the history has no times.
[[nodiscard]] Verdict check_delta_atomic(const history::History& history,
                                         const ModelRow& row,
                                         const CheckOptions& options,
                                         std::stop_token stop);

// Parameter "k", 2 without it: how many of the last values a read may find.
[[nodiscard]] Verdict check_k_atomic(const history::History& history,
                                     const ModelRow& row,
                                     const CheckOptions& options,
                                     std::stop_token stop);

}  // namespace sunder::checkers::levels
