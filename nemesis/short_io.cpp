// ShortIo: reads and writes of chosen files transfer fewer bytes than asked for.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::string_view kOperations[] = {"any", "read", "write"};

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{
        .name = "operation",
        .summary =
            "which operations are cut short; read: the node is started anew, because it reads then",
        .kind = ParameterKind::word,
        .words = kOperations,
        .otherwise = "any"},
    strike_rate_parameter("20%"),
};

}  // namespace

FaultInfo short_io_fault() {
  FaultInfo row = disk_fault_row();
  row.name = "short-io";
  row.summary = "Lets reads and writes transfer only some of the bytes, as the system calls may.";
  row.parameters = kParameters;
  row.limits = "At least one byte is transferred; a transfer of one byte stays whole.";
  row.example = "short-io:all@5s+5s;rate=50%";
  row.burden = {.slows = true};
  return row;
}

}  // namespace sunder::nemesis
