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
    strike_rate_parameter("100%"),
};

}  // namespace

FaultInfo fsync_fail_fault() {
  FaultInfo row = disk_fault_row();
  row.name = "fsync-fail";
  row.summary =
      "Lets a sync fail with EIO and drops the data that it was for; later syncs are honest.";
  row.parameters = kParameters;
  row.limits =
      "What was dropped stays visible until the last descriptor of the file is closed, as in "
      "Linux' page cache.";
  row.example = "fsync-fail:leader@5s+2s;files=*.log;nth=20";
  return row;
}

}  // namespace sunder::nemesis
