// Sides of a partition: the nodes that a fault leaves connected to each other, and their clients.
//
// Threading: pure functions.

#pragma once

#include <cstddef>
#include <vector>

#include "checkers/connectivity.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

// Operations with times that were invoked in the window: indices, in order of invocation.
[[nodiscard]] std::vector<std::size_t> invoked_in(const history::History& history,
                                                  const history::Window& window);

// Groups of nodes that this fault alone leaves connected in both directions, directly or through
// each other.
[[nodiscard]] std::vector<EndpointSet> sides_of(const history::RunContext& context,
                                                const history::FaultRecord& fault);

// The clients that are pinned to a node of the side, as endpoints of `connectivity`.
[[nodiscard]] EndpointSet clients_of(const history::RunContext& context,
                                     const Connectivity& connectivity,
                                     const EndpointSet& side);

}  // namespace sunder::checkers
