// FsyncFail: a sync of a chosen file ends with EIO, and what it should have made durable is
// dropped.
//
// As Linux does it: readers see the data until the file is closed by everybody, a later sync says
// that all is well, and it is gone (Rebello et al., Can Applications Recover from fsync Failures?,
// ATC'20).

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array kParameters{
    kFilesParameter,
    FaultParameter{.name = "nth",
                   .summary = "only the n-th such sync; 0: a share of them",
                   .kind = ParameterKind::number,
                   .low = 0,
                   .high = 1e9,
                   .otherwise = "1"},
    FaultParameter{.name = "rate",
                   .summary = "which share of such operations, by chance",
                   .kind = ParameterKind::percent,
                   .low = 0.001,
                   .high = 100,
                   .otherwise = "100%"},
};

}  // namespace

FaultInfo fsync_fail_fault() {
  return {
      .name = "fsync-fail",
      .summary =
          "Lets a sync fail with EIO and drops the data that it was for; later syncs are honest.",
      .shapes = disk_fault_shapes(),
      .parameters = kParameters,
      .evidence =
          "Operations on matching files seen and struck, per node, as the disk counted them; how "
          "and when a node ended "
          "by itself.",
      .limits =
          "What was dropped stays visible until the last descriptor of the file is closed, as in "
          "Linux' page cache.",
      .example = "fsync-fail:leader@5s+2s;files=*.log;nth=20",
      .needs = kFuse,
      .burden = {.stops = true},
      .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
