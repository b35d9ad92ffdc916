// Cycles in the order of transactions: session order, reads-from and forced edges together.
//
// Kahn's algorithm in flat arrays, O(n + m), without a graph of its own; of what is left when there
// is a cycle, a Digraph tells a shortest one.
//
// Threading: one call in one thread.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/isolation/transactions.hpp"
#include "checkers/isolation/weak.hpp"

namespace sunder::checkers::isolation {

// A cycle of few transactions, each before the next and the last before the first; empty: there is
// none. Deterministic.
[[nodiscard]] std::vector<std::uint32_t> find_cycle(const Transactions& transactions,
                                                    std::span<const ForcedEdge> edges);

}  // namespace sunder::checkers::isolation
