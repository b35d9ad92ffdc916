#include "nodes/quorum/ring.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/random.hpp"

namespace sunder::nodes::quorum {
namespace {

constexpr std::size_t kPointsPerNode = 32;

// FNV-1a alone leaves similar texts close together.
std::uint64_t place_of(std::string_view text) {
  std::uint64_t state = base::stable_hash(text);
  return base::splitmix64(state);
}

}  // namespace

Ring::Ring(const std::vector<NodeId>& nodes) : nodes_(nodes.size()) {
  SUNDER_ASSERT(!nodes.empty());
  for (const NodeId node : nodes) {
    for (std::size_t i = 0; i < kPointsPerNode; ++i) {
      points_.emplace_back(place_of(fmt::format("n{}#{}", node, i)), node);
    }
  }
  std::ranges::sort(points_);
}

std::vector<NodeId> Ring::walk(std::string_view key) const {
  return keepers(key, nodes_);
}

std::vector<NodeId> Ring::keepers(std::string_view key, std::size_t count) const {
  count = std::min(count, nodes_);
  std::vector<NodeId> found;
  const std::pair<std::uint64_t, NodeId> place{place_of(key), kNobody};
  const auto start = std::ranges::lower_bound(points_, place) - points_.begin();
  for (std::size_t i = 0; i < points_.size() && found.size() < count; ++i) {
    const NodeId node = points_[(static_cast<std::size_t>(start) + i) % points_.size()].second;
    if (std::ranges::find(found, node) == found.end()) found.push_back(node);
  }
  return found;
}

}  // namespace sunder::nodes::quorum
