// LostWrite: writes to chosen files are acknowledged, synced and never stored.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    kLie_rate_parameter,
};

}  // namespace

FaultInfo lost_write_fault() {
  return {.name = "lost-write",
          .summary = "Acknowledges writes that it never stores, also after a sync.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence = kLie_evidence,
          .limits =
              "The file still grows: the hole reads as zeros. The node is killed when the fault "
              "heals; one that finds the damage may "
              "refuse to start. A lost last write cannot be told from one that never was.",
          .example = "lost-write:one@5s+3s;files=*.log;rate=2%",
          .needs = kFuse,
          .burden = {.stops = true, .lies = true, .ends = true},
          .randomize = randomize_lie,
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
