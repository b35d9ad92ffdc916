// Read committed, read atomic and causal consistency, decided in polynomial time without a search.
//
// Each level forces an order on some writers of a key: if somebody read x from T1 and in the
// level's sense saw T2, which also wrote x, then T2 came before T1. Session order, reads-from and
// these forced edges have a cycle exactly when the level is violated (Biswas & Enea, OOPSLA 2019).
// It is enough to force the latest candidate of each session, which makes read committed and read
// atomic O(n^1.5) and causal O(n k) with k sessions (Møldrup & Pavlogiannis, "AWDIT", PLDI 2025).
//
// Threading: one call in one thread.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkers/isolation/order_solver.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

enum class WeakLevel : std::uint8_t { read_committed, read_atomic, causal };

// Somebody who read a key from `to` had seen `from`, which wrote it, too.
struct ForcedEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;  // kNone: the initial value was read, a contradiction by itself
  std::uint32_t reader = 0;
};

// A cycle; nothing to report when there is none.
struct WeakViolation {
  std::vector<std::uint32_t> transactions;  // in the order of the cycle
  std::vector<ForcedEdge> forced;           // those that the cycle uses
};

struct WeakResult {
  std::optional<WeakViolation> violation;
  std::vector<ForcedEdge> forced;  // all of them, when asked for and there is no violation
  std::string undecided;           // why nothing was decided; empty: it was
};

struct WeakQuestion {
  WeakLevel level = WeakLevel::read_committed;
  // Transactions in an order in which they may have committed, as good as is known; shorter than
  // their number when session order and reads-from have a cycle.
  std::span<const std::uint32_t> order;
  bool edges = true;  // whether all that is forced is asked for
};

// Precondition: the order of sessions counts; single reads are right (Transactions::bad_reads).
[[nodiscard]] WeakResult check_weak(const Transactions& transactions,
                                    const WeakQuestion& question,
                                    const SolverLimits& limits);

// The other side of causal consistency, for the strong levels: who read x from T1 came before T2
// that wrote x after T1 had happened. The earliest such T2 of each session, without those that the
// reader happened before anyway.
[[nodiscard]] std::vector<ForcedEdge> missed_writes(const Transactions& transactions);

// An order of transactions in which each follows its session's earlier ones and those it read from;
// shorter than their number when there is none.
[[nodiscard]] std::vector<std::uint32_t> topological_order(const Transactions& transactions);

}  // namespace sunder::checkers::isolation
