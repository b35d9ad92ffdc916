// FsyncSlow: syncs of chosen files are answered late.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{.name = "by",
                   .summary = "how much later each answer comes",
                   .kind = ParameterKind::duration,
                   .low = limit(std::chrono::milliseconds(1)),
                   .high = limit(std::chrono::seconds(30)),
                   .otherwise = "200ms"},
    strike_rate_parameter("100%"),
};

}  // namespace

FaultInfo fsync_slow_fault() {
  FaultInfo row = disk_fault_row();
  row.name = "fsync-slow";
  row.summary = "Delays syncs; reads, writes and other syncs go on meanwhile.";
  row.parameters = kParameters;
  row.limits =
      "The delay comes before the sync itself: power that is lost meanwhile takes the data.";
  row.example = "fsync-slow:one@5s+5s;by=500ms";
  row.burden = {.slows = true};
  return row;
}

}  // namespace sunder::nemesis
