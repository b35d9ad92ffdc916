// Program: the main() of a server whose machine is replicated by Raft.
//
// Exit codes: 0 after SIGTERM or SIGINT, 64 for a wrong command line, 1 when it cannot run (disk,
// address in use, out of memory).

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "nodes/replica/machine.hpp"

namespace CLI {
class App;
}

namespace sunder::nodes::replica {

struct Program {
  std::string_view name;                        // "sunder-kv"
  std::string_view mode;                        // the only --mode: "raft"
  std::span<const std::string_view> sabotages;  // of the machine, beside the shell's and the core's
  // `sabotage` is one of those, or empty.
  std::function<std::unique_ptr<Machine>(std::string_view sabotage)> make_machine;
  // Adds the machine's own flags; may be empty.
  std::function<void(CLI::App&)> add_flags = {};
};

[[nodiscard]] int run_program(int argc, char** argv, const Program& program);

}  // namespace sunder::nodes::replica
