// Delay: packets take longer, by a fixed time and a jitter of a chosen shape, in order or not.

#include <array>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_latency(fault, random);
  randomize_jitter(fault, random);
}

}  // namespace

FaultInfo delay_fault() {
  static const std::array parameters{distribution_parameter(),
                                     kEveryParameter,
                                     kFlapParameter,
                                     jitter_parameter(),
                                     latency_parameter("50ms"),
                                     order_parameter(),
                                     table_parameter()};
  FaultInfo row = link_fault_row();
  row.name = "delay";
  row.summary = "Packets of the links take longer, evenly or by chance.";
  row.parameters = parameters;
  row.evidence =
      "Datagrams sent over one of the links when it begins: how long they took, by the kernel's "
      "stamp of arrival. Packets that passed on the links.";
  row.limits =
      "One direction of a link is what is delayed: a round trip takes twice as long only where "
      "both are. Packets under way when it begins or ends may be lost.";
  row.example = "delay:leader@2s+6s;latency=40ms;jitter=10ms;distribution=normal;order=free";
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
