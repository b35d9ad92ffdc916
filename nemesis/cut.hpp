// Cut: which directed links a cut of any kind concerns, clients included, and how its shape reads.
//
// The shapes are those of partition_shapes.hpp; clients are on the side of the node that they are
// pinned to. Every family that cuts (partition, refuse, …) takes its links from here, so a shape
// means the same in all of them.
//
// Threading: pure functions that read the cluster's state.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "harness/cluster/network_faults.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/partition_shapes.hpp"

namespace sunder::nemesis {

struct Cut {
  std::vector<cluster::DirectedLink> links;
  std::string sides;   // "n1,n2 | n3"
  std::string remark;  // "no leader was known: n3 instead"; or empty
  // Of each endpoint; of a pair that is cut both ways, the one with the lower rank is the first
  // end.
  std::vector<std::size_t> rank;
  std::vector<std::size_t> nodes;  // link-down: those whose interface goes down; else empty
};

// What a partition of this plan cuts, given where the clients are.
[[nodiscard]] Cut cut_of(const NemesisContext& context, const PartitionPlan& plan);

// Plans the fault's shape now. Errc::usage: impossible target.
[[nodiscard]] Result<Cut> plan_cut(const NemesisContext& context,
                                   const PlannedFault& fault,
                                   base::Random& random);

// Each pair of endpoints that is cut in some direction, once. `first`: the end that is first, see
// Cut::rank; in a pair that is cut one way it is the sender.
[[nodiscard]] std::vector<cluster::DirectedLink> pairs_of(const Cut& cut);

// The shapes that all families of cuts share.
[[nodiscard]] std::span<const FaultShape> cut_shapes();

// Parameters that they share.
extern const FaultParameter kFlapParameter;
extern const FaultParameter kEveryParameter;

// FaultInfo::randomize: a moving cut moves a few times, another flaps now and then.
void randomize_cut(PlannedFault& fault, base::Random& random);
// FaultInfo::check: `every` belongs to the shape `moving`, which does not flap.
[[nodiscard]] Result<void> check_cut(const PlannedFault& fault, std::size_t nodes);

}  // namespace sunder::nemesis
