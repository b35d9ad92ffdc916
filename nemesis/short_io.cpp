// ShortIo: reads and writes of chosen files transfer fewer bytes than asked for.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::string_view kOperations[] = {"any", "read", "write"};

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{
        .name = "operation",
        .summary =
            "which operations are cut short; read: the node is started anew, because it reads then",
        .kind = ParameterKind::word,
        .words = kOperations,
        .otherwise = "any"},
    FaultParameter{.name = "rate",
                   .summary = "which share of such operations, by chance",
                   .kind = ParameterKind::percent,
                   .low = 0.001,
                   .high = 100,
                   .otherwise = "20%"},
};

}  // namespace

FaultInfo short_io_fault() {
  return {
      .name = "short-io",
      .summary = "Lets reads and writes transfer only some of the bytes, as the system calls may.",
      .shapes = disk_fault_shapes(),
      .parameters = kParameters,
      .evidence =
          "Operations on matching files seen and struck, per node, as the disk counted them; how "
          "and when a node ended "
          "by itself.",
      .limits = "At least one byte is transferred; a transfer of one byte stays whole.",
      .example = "short-io:all@5s+5s;rate=50%",
      .needs = kFuse,
      .burden = {.slows = true},
      .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
