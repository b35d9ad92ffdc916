// BitFlip: one bit is wrong in what chosen files store, or in what is read from them.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::string_view kOperations[] = {"read", "write"};

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{.name = "operation",
                   .summary = "write: the bit is wrong on the disk from then on; read: it is wrong "
                              "for once, while the node starts",
                   .kind = ParameterKind::word,
                   .words = kOperations,
                   .otherwise = "write"},
    kLie_rate_parameter,
};

}  // namespace

FaultInfo bit_flip_fault() {
  return {.name = "bit-flip",
          .summary = "Inverts single bits of what is written, or of what is read.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence = kLie_evidence,
          .limits =
              "The node is killed when the fault heals; one that finds the damage may refuse to "
              "start, for the rest of the run.",
          .example = "bit-flip:one@5s+3s;files=*.log",
          .needs = kFuse,
          .burden = {.stops = true, .lies = true, .ends = true},
          .randomize = randomize_lie,
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
