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
    FaultParameter{.name = "rate",
                   .summary = "which share of such operations, by chance",
                   .kind = ParameterKind::percent,
                   .low = 0.001,
                   .high = 100,
                   .otherwise = "100%"},
};

}  // namespace

FaultInfo fsync_slow_fault() {
  return {
      .name = "fsync-slow",
      .summary = "Delays syncs; reads, writes and other syncs go on meanwhile.",
      .shapes = disk_fault_shapes(),
      .parameters = kParameters,
      .evidence =
          "Operations on matching files seen and struck, per node, as the disk counted them; how "
          "and when a node ended "
          "by itself.",
      .limits =
          "The delay comes before the sync itself: power that is lost meanwhile takes the data.",
      .example = "fsync-slow:one@5s+5s;by=500ms",
      .needs = kFuse,
      .burden = {.slows = true},
      .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
