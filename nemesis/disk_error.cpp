// DiskError: reads, writes or syncs of chosen files end with EIO.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::string_view kOperations[] = {"any", "read", "sync", "write"};

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{
        .name = "operation",
        .summary = "which operations fail; read: the node is started anew, because it reads then",
        .kind = ParameterKind::word,
        .words = kOperations,
        .otherwise = "any"},
    FaultParameter{.name = "rate",
                   .summary = "which share of such operations, by chance",
                   .kind = ParameterKind::percent,
                   .low = 0.001,
                   .high = 100,
                   .otherwise = "1%"},
};

}  // namespace

FaultInfo disk_error_fault() {
  return {.name = "disk-error",
          .summary = "Lets operations on files fail with EIO, by rate or the n-th one.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence =
              "Operations on matching files seen and struck, per node, as the disk counted them; "
              "how and when a node ended "
              "by itself.",
          .limits =
              "Opening, listing and naming files never fail. A node that stops is started again "
              "when the fault heals.",
          .example = "disk-error:leader@5s+3s;files=*.log;operation=write;nth=3",
          .needs = kFuse,
          .burden = {.stops = true},
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
