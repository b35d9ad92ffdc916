// MisdirectedWrite: writes to chosen files are acknowledged and stored at another place of the
// file.

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

FaultInfo misdirected_write_fault() {
  return {.name = "misdirected-write",
          .summary = "Stores writes at another sector of the same file.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence = kLie_evidence,
          .limits =
              "Never in another file. The node is killed when the fault heals; one that finds the "
              "damage may refuse to start.",
          .example = "misdirected-write:one@5s+3s;files=*.log",
          .needs = kFuse,
          .burden = {.stops = true, .lies = true, .ends = true},
          .randomize = randomize_lie,
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
