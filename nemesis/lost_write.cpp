// LostWrite: writes to chosen files are acknowledged, synced and never stored.

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

FaultInfo lost_write_fault() {
  FaultInfo row = disk_lie_row();
  row.name = "lost-write";
  row.summary = "Acknowledges writes that it never stores, also after a sync.";
  row.parameters = kParameters;
  row.limits =
      "The file still grows: the hole reads as zeros. The node is killed when the fault "
      "heals; one that finds the damage may "
      "refuse to start. A lost last write cannot be told from one that never was.";
  row.example = "lost-write:one@5s+3s;files=*.log;rate=2%";
  return row;
}

}  // namespace sunder::nemesis
