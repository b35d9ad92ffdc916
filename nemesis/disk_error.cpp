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
    strike_rate_parameter("1%"),
};

}  // namespace

FaultInfo disk_error_fault() {
  FaultInfo row = disk_fault_row();
  row.name = "disk-error";
  row.summary = "Lets operations on files fail with EIO, by rate or the n-th one.";
  row.parameters = kParameters;
  row.limits =
      "Opening, listing and naming files never fail. A node that stops is started again "
      "when the fault heals.";
  row.example = "disk-error:leader@5s+3s;files=*.log;operation=write;nth=3";
  return row;
}

}  // namespace sunder::nemesis
