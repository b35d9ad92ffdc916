// Loss: packets disappear, each by itself or in bursts.

#include <array>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_loss(fault, random);
}

}  // namespace

FaultInfo loss_fault() {
  static const std::array parameters{
      burst_parameter(),
      kEveryParameter,
      kFlapParameter,
      share_parameter("loss", "this share of packets disappears", "10%")};
  FaultInfo row = link_fault_row();
  row.name = "loss";
  row.summary = "Packets of the links disappear, each by itself or in bursts.";
  row.parameters = parameters;
  row.evidence = "Packets that the links dropped, counted by the kernel, of those that passed.";
  row.limits =
      "TCP hides it: what programs see is waiting, of 200 ms and more for each packet lost at "
      "the end of a message.";
  row.example = "loss:one@2s+6s;loss=20%;burst=5";
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
