// `sunder under-uml -- PROGRAM ARGUMENTS…`: any program under User-Mode Linux. Not in the help: it
// is for tests, and for looking at that kernel by hand.

#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/command.hpp"
#include "harness/cluster/launch.hpp"
#include "harness/uml/machine.hpp"

namespace sunder::cli {
namespace {

Result<int> act(uml::MachineOptions options) {
  const auto program = cluster::find_program(options.command.front());
  SUNDER_TRY(program);
  options.command.front() = program->string();
  options.program = program_path();
  options.interactive = true;
  return uml::run_under_uml(options);
}

}  // namespace

Command under_uml_command(CLI::App& app) {
  auto options = std::make_shared<uml::MachineOptions>();
  CLI::App* command = app.add_subcommand("under-uml", "Run any program under User-Mode Linux");
  command->group("");
  command->add_option("--memory", options->memory, "Of the guest, in MiB")
      ->check(CLI::Range(uml::kMemoryMin, uml::kMemoryMax));
  command->add_option("command", options->command, "What to run")->required();
  return {command, [options] { return act(*options); }};
}

}  // namespace sunder::cli
