// Whether an order of all transactions shows at once that a history is causally consistent.
//
// It does when nobody had seen, directly or through others, a write that the order puts behind the
// one that was read: then all that causality forces (weak.hpp) agrees with the order, and none of
// it needs to be kept. A store that orders its writes by commit passes, however late its copies
// are. O(n k) with k chains of transactions (LiveClocks).
//
// Threading: one call in one thread.

#pragma once

#include <cstdint>
#include <span>

#include "checkers/isolation/order_solver.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

// False says nothing: the order is a wrong guess, or more would have to be looked at, or held, than
// is reasonable. Precondition: `order` has every transaction, after its session's earlier ones and
// after those it read from.
[[nodiscard]] bool explains_causally(const Transactions& transactions,
                                     std::span<const std::uint32_t> order,
                                     const SolverLimits& limits);

}  // namespace sunder::checkers::isolation
