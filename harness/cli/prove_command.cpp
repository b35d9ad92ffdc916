// `sunder prove MODE`.

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/prove.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::string mode;
  std::string attempt = "10s";
  std::string budget = "60s";
  std::string random_budget = "20s";
  std::string faults;
  std::string out;
  run::ProveOptions options;
  const CLI::App* parsed = nullptr;
};

// "raft" as well as "raft/register": a mode's first scenario.
Result<const run::Scenario*> scenario_of(const std::string& text) {
  std::string known;
  for (const run::Scenario& scenario : run::all_scenarios()) {
    if (scenario.name == text || scenario.mode == text) return &scenario;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", scenario.mode);
  }
  return base::make_error(Errc::usage, fmt::format("unknown mode '{}': known are {}", text, known));
}

Result<void> read_time(const char* flag, const std::string& text, std::chrono::nanoseconds& time) {
  const auto parsed = base::parse_duration(text);
  if (parsed.has_error()) return base::with_context(parsed.error(), flag);
  if (*parsed < std::chrono::seconds(1) || *parsed > std::chrono::hours(1)) {
    return base::make_error(Errc::usage, fmt::format("{} {}: give 1s to 1h", flag, text));
  }
  time = *parsed;
  return {};
}

Result<void> read_count(const char* flag, std::size_t count, std::size_t low, std::size_t high) {
  if (count >= low && count <= high) return {};
  return base::make_error(Errc::usage, fmt::format("{} {}: give {} to {}", flag, count, low, high));
}

Result<int> act(Flags flags) {
  run::ProveOptions& options = flags.options;
  auto scenario = scenario_of(flags.mode);
  SUNDER_TRY(scenario);
  options.scenario = *scenario;
  SUNDER_TRY(read_time("--attempt", flags.attempt, options.attempt));
  SUNDER_TRY(read_time("--budget", flags.budget, options.budget));
  SUNDER_TRY(read_time("--random-budget", flags.random_budget, options.random_budget));
  SUNDER_TRY(read_count("--seeds", options.seeds, 1, 1000));
  SUNDER_TRY(read_count("--random", options.random, 0, 1000));
  SUNDER_TRY(read_count("--controls", options.controls, 0, 1000));
  SUNDER_TRY(read_count("--jobs", options.jobs, 1, 64));
  if (flags.parsed->count("--faults") > 0) options.faults = flags.faults;
  options.out = flags.out;
  options.program = program_path();
  const auto code = run::perform_prove(options);
  SUNDER_TRY(code);
  return static_cast<int>(*code);
}

}  // namespace

Command prove_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  run::ProveOptions& options = flags->options;
  CLI::App* command =
      app.add_subcommand("prove", "Show that the harness sees: every sabotage must be caught");
  flags->parsed = command;
  command->add_option("mode", flags->mode, "Node mode, such as raft")->required();
  command->add_option("--sabotage", options.sabotages, "Only these (sunder list sabotages)");
  command->add_option("--seeds", options.seeds, "Seeds of each sabotage")->capture_default_str();
  command->add_option("--seed", options.first_seed, "The first of them")->capture_default_str();
  command->add_option("--attempt", flags->attempt, "Load of one attempt, at most")
      ->capture_default_str();
  command
      ->add_option("--budget", flags->budget, "A seed's attempts are repeated until caught or this")
      ->capture_default_str();
  command
      ->add_option("--random",
                   options.random,
                   "Seeds of random schedules of the same families, to compare with; 0: none")
      ->capture_default_str();
  command->add_option("--random-budget", flags->random_budget, "The budget of one of those")
      ->capture_default_str();
  command
      ->add_option(
          "--controls", options.controls, "Seeds of the same schedules without a sabotage; 0: none")
      ->capture_default_str();
  command->add_option("--faults", flags->faults, "These instead of each sabotage's own schedule");
  command->add_option("--kernel", options.kernel, "Every run on this kernel")
      ->check(CLI::IsMember({"host", "uml"}))
      ->capture_default_str();
  command->add_option("--jobs", options.jobs, "Runs at the same time")->capture_default_str();
  command->add_option("--out", flags->out, "Directory (default: runs/<UTC time>-prove-<scenario>)");
  command->add_flag("--keep", options.keep, "Keep every attempt's run, not only the telling ones");
  command->add_flag("--json", options.json, "Print prove.json instead of the tables");
  command->add_flag("--quiet", options.quiet, "No progress");
  command->footer(
      "Exit code 0 when every sabotage was caught (in 19 of 20 seeds) and no healthy cluster was "
      "accused; 3 otherwise, because the defect is the harness'.\n"
      "Examples:\n"
      "  sunder prove raft\n"
      "  sunder prove raft --sabotage stale-read vote-twice --seeds 20 --random 0");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
