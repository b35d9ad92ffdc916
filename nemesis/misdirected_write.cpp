// MisdirectedWrite: writes to chosen files are acknowledged and stored at another place of the
// file.

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

FaultInfo misdirected_write_fault() {
  FaultInfo row = disk_lie_row();
  row.name = "misdirected-write";
  row.summary = "Stores writes at another sector of the same file.";
  row.parameters = kParameters;
  row.limits =
      "Never in another file. The node is killed when the fault heals; one that finds the "
      "damage may refuse to start.";
  row.example = "misdirected-write:one@5s+3s;files=*.log";
  return row;
}

}  // namespace sunder::nemesis
