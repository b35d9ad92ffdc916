// `sunder doctor`: what this machine can do, probed by use.

#include <CLI/CLI.hpp>

#include "harness/cli/command.hpp"

namespace sunder::cli {

Command doctor_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("doctor", "What this machine can do, probed by use");
  return {command, []() -> Result<int> { return 0; }};
}

}  // namespace sunder::cli
