// Corrupt: a bit of a packet is inverted.

#include <array>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_share(fault, random, "corrupt", 5);
}

}  // namespace

FaultInfo corrupt_fault() {
  static const std::array parameters{
      share_parameter("corrupt", "of this share of packets a bit is inverted", "5%"),
      kEveryParameter,
      kFlapParameter};
  FaultInfo row = link_fault_row();
  row.name = "corrupt";
  row.summary = "Packets of the links arrive with a bit inverted.";
  row.parameters = parameters;
  row.evidence =
      "Datagrams without a checksum sent over one of the links when it begins: how many arrived "
      "damaged. Packets that passed on the links.";
  row.limits =
      "The checksums of IP, UDP and TCP find every single inverted bit: to programs it is a loss.";
  row.example = "corrupt:one@2s+6s;corrupt=10%";
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
