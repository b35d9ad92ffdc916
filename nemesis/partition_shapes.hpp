// Shapes of partitions: which directed links between nodes are cut. Pure, so that every shape is
// tested without a network.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

// Directed links between nodes: cut[from][to].
struct PartitionPlan {
  std::vector<std::vector<bool>> cut;
  std::string sides;   // "n1,n2 | n3,n4,n5", "n2 > n1,n3 cut", "n1,n2 | n4,n5, bridge n3"
  std::string remark;  // "no leader was known: n3 instead"; or empty
  // Of each node, and of clients that are named; across a cut the lower rank is the first end.
  std::vector<std::size_t> rank;
  bool with_clients = true;               // clients follow the node that they are pinned to
  std::optional<std::size_t> clients_of;  // the clients of this node and it lose each other
  // Directed links that have a client at one end: endpoints, clients after the nodes.
  std::vector<std::pair<std::size_t, std::size_t>> named_links;

  [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const { return cut.at(from).at(to); }
};

// Lays a partition of the planned shape over `nodes` nodes. Random nodes are those first that no
// other fault holds. Errc::usage: impossible with so few.
[[nodiscard]] Result<PartitionPlan> plan_partition(const PlannedFault& fault,
                                                   std::size_t nodes,
                                                   std::optional<std::size_t> leader,
                                                   base::Random& random,
                                                   const std::vector<std::size_t>& held = {});

// Smallest cluster in which every node can see a majority without seeing everybody.
constexpr std::size_t kRing_nodes_min = 4;

}  // namespace sunder::nemesis
