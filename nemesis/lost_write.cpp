// LostWrite: writes to chosen files are acknowledged, synced and never stored.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{.name = "rate",
                   .summary = "which share of such operations, by chance",
                   .kind = ParameterKind::percent,
                   .low = 0.001,
                   .high = 100,
                   .otherwise = "5%"},
};

// Often enough to hit the log, seldom enough to leave most of it whole.
void randomize(PlannedFault& fault, base::Random& random) {
  set_number(fault, "rate", random.chance(0.5) ? 1 : 5);
}

}  // namespace

FaultInfo lost_write_fault() {
  return {.name = "lost-write",
          .summary = "Acknowledges writes that it never stores, also after a sync.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence =
              "Operations struck and bytes concerned, per node, as the disk counted them; that the "
              "node was killed and started "
              "again on what its disk holds, and whether it refused.",
          .limits =
              "The file still grows: the hole reads as zeros. The node is killed when the fault "
              "heals; one that finds the damage may "
              "refuse to start. A lost last write cannot be told from one that never was.",
          .example = "lost-write:one@5s+3s;files=*.log;rate=2%",
          .needs = kFuse,
          .burden = {.stops = true, .lies = true, .ends = true},
          .randomize = randomize,
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
