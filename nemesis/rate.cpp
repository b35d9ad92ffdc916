// Rate: links carry less. The only degradation that needs no netem.

#include <array>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_rate(fault, random);
  // A client asks for one thing at a time: its links are never nearly as full as a leader's.
  if (fault.shape.starts_with("client")) {
    set_number(fault, "rate", static_cast<double>(random.between(2, 6)) * 1e4);
  }
}

}  // namespace

FaultInfo rate_fault() {
  static const std::array parameters{kEveryParameter, kFlapParameter, rate_parameter("1mbit")};
  FaultInfo row = link_fault_row();
  row.name = "rate";
  row.summary = "Links carry no more than a given bandwidth; packets queue before them.";
  row.parameters = parameters;
  row.evidence =
      "How often the links had to wait for their rate, and packets that passed, counted by the "
      "kernel.";
  row.limits =
      "A link that is never full is not slower. The queue holds a quarter of a second, at least "
      "64 packets; what does not fit is dropped.";
  row.example = "rate:leader@2s+6s;rate=200kbit";
  row.needs = {};
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
