// Ring: which nodes keep a key, and who stands in for them, by consistent hashing.
//
// After DeCandia et al., Dynamo (SOSP 2007), §4.2 and §4.6: every node has many points on a circle;
// a key's walk is the order in which the circle, from the key's place on, meets the nodes. The
// first N of the walk keep the key; those after them stand in. All nodes compute the same from the
// same list.
//
// Threading: immutable.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "nodes/quorum/stamp.hpp"

namespace sunder::nodes::quorum {

class Ring {
 public:
  // Precondition: nodes are not empty, and none twice.
  explicit Ring(const std::vector<NodeId>& nodes);

  // Every node once, in the key's order.
  [[nodiscard]] std::vector<NodeId> walk(std::string_view key) const;
  // The first `count` of the walk, or all.
  [[nodiscard]] std::vector<NodeId> keepers(std::string_view key, std::size_t count) const;

 private:
  std::size_t nodes_;
  std::vector<std::pair<std::uint64_t, NodeId>> points_;  // sorted
};

}  // namespace sunder::nodes::quorum
