// Program: the main() of a node of a quorum store.
//
// --mode quorum is available above all: R = W = 1, sloppy. --mode quorum-strict has R = W = 2 of
// N = 3, keepers only. --replicas, --r, --w and --quorums change that.
//
// Exit codes: 0 after SIGTERM or SIGINT, 64 for a wrong command line, 1 when it cannot run (disk,
// address in use, out of memory).

#pragma once

#include <string_view>

namespace sunder::nodes::quorum {

// Whether --mode of this command line asks for one of ours.
[[nodiscard]] bool is_asked_for(int argc, const char* const* argv);

// `name` is the program's, for messages.
[[nodiscard]] int run_program(int argc, char** argv, std::string_view name);

}  // namespace sunder::nodes::quorum
