// `sunder under-uml -- PROGRAM ARGUMENTS…`: any program under User-Mode Linux. Not in the help: it
// is for tests, and for looking at that kernel by hand. Also how commands run themselves there.

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/base/file.hpp"
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

// Our own command line, NUL-terminated arguments one after the other.
Result<std::vector<std::string>> own_arguments() {
  const auto text = base::read_file("/proc/self/cmdline");
  SUNDER_TRY(text);
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\0', at), text->size());
    arguments.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

}  // namespace

Result<int> run_again_under_uml(std::size_t memory, bool interactive) {
  auto arguments = own_arguments();
  SUNDER_TRY(arguments);
  uml::MachineOptions options;
  options.program = program_path();
  options.command = std::move(*arguments);
  options.command.at(0) = options.program.string();
  options.memory = memory;
  options.interactive = interactive;
  return uml::run_under_uml(options);
}

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
