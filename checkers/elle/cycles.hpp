// Finds the forbidden cycles of a dependency graph, and orders that show that there are none.
//
// Threading: pure.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkers/elle/anomalies.hpp"
#include "checkers/graph.hpp"

namespace sunder::checkers::elle {

// At most `most` cycles of different names, the worst anomalies first. Exact about whether there
// is one. Precondition: the graph is finished.
[[nodiscard]] std::vector<std::vector<Step>> find_cycles(const Digraph& graph,
                                                         AnomalySet forbidden,
                                                         std::size_t most);

// Whether committing the transactions in the order of `ranks` (one for each that is no helper)
// explains everything, so that no cycle is forbidden. Linear; false says nothing.
[[nodiscard]] bool explains(const Digraph& graph,
                            AnomalySet forbidden,
                            std::vector<std::int64_t> ranks);

// The nodes in an order that follows the arcs of these kinds as far as there are no cycles, those
// of lower rank first; the place of each node.
[[nodiscard]] std::vector<std::uint32_t> places_in_order(const Digraph& graph,
                                                         ArcKinds kinds,
                                                         const std::vector<std::int64_t>& ranks);

}  // namespace sunder::checkers::elle
