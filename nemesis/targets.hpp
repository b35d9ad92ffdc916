// Targets: which nodes or sides a fault's words mean, checked before the run and resolved when the
// fault begins.
//
// Threading: pure functions; resolve_targets reads the cluster's state.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

// The largest number of nodes that is not a majority, and the smallest that is.
[[nodiscard]] constexpr std::size_t minority_of(std::size_t nodes) noexcept {
  return nodes == 0 ? 0 : (nodes - 1) / 2;
}

[[nodiscard]] constexpr std::size_t majority_of(std::size_t nodes) noexcept {
  return nodes / 2 + 1;
}

// "n1+n3" as sorted indices {0, 2}. Errc::usage: no such node, or one named twice.
[[nodiscard]] Result<std::vector<std::size_t>> parse_nodes(std::string_view text,
                                                           std::size_t nodes);

constexpr std::size_t kClients_max = 254;

// Sides of a partition. Nodes that the text does not name form one more side.
struct Sides {
  // Of endpoints: nodes, and where links_only is set clients (after the nodes).
  std::vector<std::vector<std::size_t>> sides;
  bool one_way = false;     // only the direction from the first side to the second is cut
  bool links_only = false;  // what is named is cut and nothing else: clients follow no node
};

// "n1+n2/n3+n4+n5"; "n1>n2+n3" for one direction; "n1<>n2" for one link and nothing else; clients
// in the last two: "c1>n2", "c1+c2<>n2". Errc::usage as parse_nodes, when fewer than two sides
// result, or for a link without a node.
[[nodiscard]] Result<Sides> parse_sides(std::string_view text,
                                        std::size_t nodes,
                                        std::size_t clients = kClients_max);

// "n1+n3" of {0, 2}.
[[nodiscard]] std::string join_nodes(const std::vector<std::size_t>& nodes,
                                     std::string_view separator);

// The running leader, or none.
[[nodiscard]] std::optional<std::size_t> running_leader(const NemesisContext& context);
// The leader, running or paused, or none: a sleeping one can still be cut off.
[[nodiscard]] std::optional<std::size_t> living_leader(const NemesisContext& context);

struct ResolvedTargets {
  std::vector<std::size_t> nodes;  // sorted; running ones only
  std::string remark;  // "no leader was known: n3 instead", "n2 was down already"; or empty
};

// Turns a shape of the process faults ("one", "leader", "followers", "minority", "majority", "all",
// "nodes", "subject", "others") into running nodes. May come out empty, with a remark.
[[nodiscard]] Result<ResolvedTargets> resolve_targets(const NemesisContext& context,
                                                      const PlannedFault& fault,
                                                      base::Random& random);

}  // namespace sunder::nemesis
