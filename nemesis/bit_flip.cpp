// BitFlip: one bit is wrong in what chosen files store, or in what is read from them.

#include <array>

#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::string_view kOperations[] = {"read", "write"};

constexpr std::array kParameters{
    kFilesParameter,
    kNthParameter,
    FaultParameter{.name = "operation",
                   .summary = "write: the bit is wrong on the disk from then on; read: it is wrong "
                              "for once, while the node starts",
                   .kind = ParameterKind::word,
                   .words = kOperations,
                   .otherwise = "write"},
    kLie_rate_parameter,
};

}  // namespace

FaultInfo bit_flip_fault() {
  FaultInfo row = disk_lie_row();
  row.name = "bit-flip";
  row.summary = "Inverts single bits of what is written, or of what is read.";
  row.parameters = kParameters;
  row.limits =
      "The node is killed when the fault heals; one that finds the damage may refuse to "
      "start, for the rest of the run.";
  row.example = "bit-flip:one@5s+3s;files=*.log";
  return row;
}

}  // namespace sunder::nemesis
