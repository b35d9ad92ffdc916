// A second guess of the order in which transactions committed, made from the end of the history to
// its beginning so that it explains every read.
//
// Going backwards, a version that somebody read stays wanted until the transaction that wrote it
// comes: until then no other writer of its key may come, nor anybody who read another version. Of
// the transactions that may come next the one that was last in the first guess does. Thus one of
// unknown outcome finds its place between those whose versions others saw, which the time of its
// readers alone does not tell. Where nobody may come the guess has failed, which proves nothing.
// O(n log n), by a limit on what is looked at.
//
// Threading: one call in one thread. Deterministic.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

// An order that explains every read serially; empty: the guess has failed. `first_guess` has every
// transaction, after its session's earlier ones and after those it read from.
[[nodiscard]] std::vector<std::uint32_t> order_backwards(
    const Transactions& transactions, std::span<const std::uint32_t> first_guess);

}  // namespace sunder::checkers::isolation
