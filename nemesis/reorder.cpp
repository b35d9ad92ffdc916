// Reorder: most packets wait a little, and some of them pass at once.

#include <array>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  set_duration(fault, "latency", std::chrono::milliseconds(random.between(2, 15)));
  randomize_share(fault, random, "reorder", 50);
}

}  // namespace

FaultInfo reorder_fault() {
  static const std::array parameters{
      kEveryParameter,
      kFlapParameter,
      latency_parameter("10ms"),
      share_parameter("reorder", "this share of packets passes those that wait", "25%")};
  FaultInfo row = link_fault_row();
  row.name = "reorder";
  row.summary = "Packets of the links wait a little; some pass the others at once.";
  row.parameters = parameters;
  row.evidence =
      "Packets that netem put before others, by its own counter; datagrams sent over one of the "
      "links when it begins.";
  row.limits = "Whatever does not pass is delayed. TCP puts its segments in order again.";
  row.example = "reorder:all@2s+6s;latency=5ms;reorder=30%";
  row.randomize = randomize;
  return row;
}

}  // namespace sunder::nemesis
