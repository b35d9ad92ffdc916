// `sunder run SCENARIO`.

#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/command.hpp"
#include "harness/cli/run_flags.hpp"
#include "harness/run/run.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  RunFlagTexts run;
  bool json = false;
  bool quiet = false;
};

Result<int> act(const Flags& flags) {
  auto options = flags.run.finish();
  SUNDER_TRY(options);
  auto resolved = run::resolve(*options);
  SUNDER_TRY(resolved);
  if (flags.run.elsewhere()) return run_again_under_uml(flags.run.memory);
  run::RunFlags run_flags;
  run_flags.json = flags.json;
  run_flags.quiet = flags.quiet;
  run_flags.programs = program_directory();
  const auto code = run::perform_run(*resolved, run_flags);
  SUNDER_TRY(code);
  return static_cast<int>(*code);
}

}  // namespace

Command run_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "run", "Run one scenario under faults, judge its promises, write a report");
  command
      ->add_option("scenario",
                   flags->run.options.scenario,
                   "mode/workload, as `sunder list scenarios` shows")
      ->required();
  flags->run.add_to(*command);
  command->add_flag(
      "--json", flags->json, "Print the result document instead of the promise table");
  command->add_flag("--quiet", flags->quiet, "No live line");
  command->footer(
      "Examples:\n"
      "  sunder run raft/register                                  its default faults\n"
      "  sunder run raft/register --faults partition,kill --seed 7\n"
      "  sunder run raft/register --faults 'partition:leader@3s+4s,kill:all@12s+1s'\n"
      "  sunder run raft/register --sabotage stale-read            exit 1, the report shows the "
      "stale read");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
