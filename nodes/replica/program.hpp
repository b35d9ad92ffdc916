// Program: the main() of a server whose machine is replicated by Raft.
//
// Exit codes: 0 after SIGTERM or SIGINT, 64 for a wrong command line, 1 when it cannot run (disk,
// address in use, out of memory).

#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "nodes/replica/machine.hpp"

namespace sunder::nodes::replica {

struct Program {
  std::string_view name;                        // "sunder-kv"
  std::string_view mode;                        // the only --mode: "raft"
  std::span<const std::string_view> sabotages;  // of the machine, beside the shell's and the core's
  // `sabotage` is one of those, or empty.
  std::unique_ptr<Machine> (*make_machine)(std::string_view sabotage) = nullptr;
};

[[nodiscard]] int run_program(int argc, char** argv, const Program& program);

}  // namespace sunder::nodes::replica
