// Duplicate: packets arrive twice.

#include <array>
#include <vector>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_share(fault, random, "duplicate", 20);
}

// By chance only one link into each node, which every kernel with netem can do.
std::span<const FaultShape> shapes() {
  static const std::vector<FaultShape> all = [] {
    const auto shared = link_shapes();
    std::vector<FaultShape> own(shared.begin(), shared.end());
    for (FaultShape& shape : own) {
      if (shape.name != "link") shape.random.weight = 0;
    }
    return own;
  }();
  return all;
}

}  // namespace

FaultInfo duplicate_fault() {
  static const std::array parameters{
      share_parameter("duplicate", "this share of packets arrives twice", "10%"),
      kEveryParameter,
      kFlapParameter};
  FaultInfo row = link_fault_row();
  row.name = "duplicate";
  row.summary = "Packets of the links arrive twice.";
  row.shapes = shapes();
  row.parameters = parameters;
  row.evidence =
      "Datagrams sent over one of the links when it begins: how many arrived twice. Packets that "
      "passed on the links.";
  row.limits =
      "Kernels from 6.16 on, and older ones with that fix, duplicate on one link into a node only, "
      "and only where no other link into it is delayed, lossy or the like; the rest is refused and "
      "reported as skipped. TCP drops the second copy.";
  row.example = "duplicate:n1<>n2@2s+6s;duplicate=20%";
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
