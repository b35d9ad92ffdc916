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
  FaultInfo row = disk_fault_row();
  row.name = "disk-full";
  row.summary = "Fills disks: writes that make a file longer fail with ENOSPC beyond a quota.";
  row.parameters = kParameters;
  row.limits =
      "Overwriting, naming and removing files still work; space that is given back does "
      "not count.";
  row.example = "disk-full:leader@5s+3s;free=65536";
  return row;
}

}  // namespace sunder::nemesis
