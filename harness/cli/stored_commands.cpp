// `sunder replay RUN_DIR` and `sunder report RUN_DIR`: commands on a run that is stored already.

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/cli/command.hpp"
#include "harness/cli/run_flags.hpp"
#include "harness/run/run.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::string directory;
  std::string out;
  bool json = false;
  bool quiet = false;

  [[nodiscard]] run::RunFlags run_flags() const {
    run::RunFlags flags;
    flags.json = json;
    flags.quiet = quiet;
    flags.programs = program_directory();
    return flags;
  }
};

Result<int> replay(const Flags& flags) {
  auto inputs = run::read_stored_inputs(flags.directory);
  SUNDER_TRY(inputs);
  inputs->options.out = flags.out;
  auto resolved = run::resolve(*inputs);
  SUNDER_TRY(resolved);
  if (is_elsewhere(resolved->options.kernel)) return run_again_under_uml(uml::kMemoryDefault);
  const auto code = run::perform_run(*resolved, flags.run_flags());
  SUNDER_TRY(code);
  return static_cast<int>(*code);
}

Result<int> report(const Flags& flags) {
  const auto code = run::report_again(flags.directory, flags.run_flags());
  SUNDER_TRY(code);
  return static_cast<int>(*code);
}

void add_common(CLI::App& command, Flags& flags) {
  command.add_option("run_dir", flags.directory, "A run's directory, such as runs/latest")
      ->required();
  command.add_flag("--json", flags.json, "Print the result document instead of the promise table");
  command.add_flag("--quiet", flags.quiet, "No live line");
}

}  // namespace

Command replay_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("replay", "Do a run again: same inputs, same seed, exactly its schedule");
  add_common(*command, *flags);
  command->add_option("--out", flags->out, "Directory for the new run");
  return {command, [flags] { return replay(*flags); }};
}

Command report_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("report", "Judge a stored run again and write its reports again");
  add_common(*command, *flags);
  return {command, [flags] { return report(*flags); }};
}

}  // namespace sunder::cli
