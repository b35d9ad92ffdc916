// DiskFull: writes that make files longer end with ENOSPC once a quota is used up.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array kParameters{
    kFilesParameter,
    FaultParameter{.name = "free",
                   .summary = "bytes that each disk still takes",
                   .kind = ParameterKind::number,
                   .low = 0,
                   .high = 1e12,
                   .otherwise = "0"},
};

}  // namespace

FaultInfo disk_full_fault() {
  return {.name = "disk-full",
          .summary = "Fills disks: writes that make a file longer fail with ENOSPC beyond a quota.",
          .shapes = disk_fault_shapes(),
          .parameters = kParameters,
          .evidence =
              "Operations on matching files seen and struck, per node, as the disk counted them; "
              "how and when a node ended "
              "by itself.",
          .limits =
              "Overwriting, naming and removing files still work; space that is given back does "
              "not count.",
          .example = "disk-full:leader@5s+3s;free=65536",
          .needs = kFuse,
          .burden = {.stops = true},
          .apply = apply_process_fault<ActiveDiskFault>};
}

}  // namespace sunder::nemesis
