#include "harness/run/run.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/universe.hpp"
#include "harness/history/text.hpp"
#include "harness/run/directory.hpp"
#include "harness/run/host.hpp"
#include "harness/run/judge.hpp"
#include "harness/run/phases.hpp"

namespace sunder::run {
namespace {

namespace fs = std::filesystem;

std::string first_ok_text(const history::RunContext& context) {
  for (const history::Phase& phase : context.phases) {
    if (phase.name == "warm up" && phase.window.end != history::kNever) {
      return fmt::format("{:.2f} s", static_cast<double>(phase.window.end) / 1e9);
    }
  }
  return "never";
}

report::RunReport describe(const ResolvedRun& run,
                           const fs::path& directory,
                           std::string_view started,
                           PhaseOutcome& outcome) {
  report::RunReport report;
  report.scenario = run.scenario->name;
  report.seed = run.seed;
  report.started = started;
  report.version = version();
  report.directory = as_typed(directory);
  report.replay = fmt::format("sunder replay {}", report.directory);
  report.sabotage = run.options.sabotage;
  report.partial = outcome.partial;
  report.harness_error = outcome.harness_error;
  report.inputs = {
      {"command", command_line(run)},
      {"duration", base::format_duration(run.duration)},
      {"nodes", fmt::format("{}", run.nodes)},
      {"clients", fmt::format("{}", run.options.clients)},
      {"keys", fmt::format("{}", run.keys)},
      {"rate", run.options.rate > 0 ? fmt::format("{}/s", run.options.rate) : "closed loop"},
      {"faults", run.faults},
      {"schedule", nemesis::to_text(run.schedule)},
      {"start to first ok", first_ok_text(outcome.context)},
  };
  report.host = host_facts();
  report.skipped = run.skipped;
  report.context = std::move(outcome.context);
  return report;
}

void print_result(const report::RunReport& report, const history::History& history, bool json) {
  if (json) {
    fmt::print("{}\n", report::render_json(report, history));
  } else {
    fmt::print("{}", report::render_terminal(report, ::isatty(STDOUT_FILENO) == 1));
  }
  std::fflush(stdout);
}

// Judges, writes the reports, prints the result.
Result<ExitCode> conclude(const ResolvedRun& run,
                          const fs::path& directory,
                          std::string_view started,
                          const RunFlags& flags,
                          PhaseOutcome outcome) {
  JudgeOptions judge_options;
  judge_options.families = run.families;
  judge_options.unexpected_deaths = outcome.unexpected_deaths;
  judge_options.deaths_known = outcome.deaths_known;
  const history::History history = std::move(outcome.history);
  report::RunReport report = describe(run, directory, started, outcome);
  const bool show = !flags.quiet && ::isatty(STDERR_FILENO) == 1;
  if (show) {
    judge_options.on_promise = [](std::string_view promise) {
      fmt::print(stderr, "\r\x1b[Kchecking {}", promise);
      std::fflush(stderr);
    };
  }
  report.promises = judge(mode_of(*run.scenario), history, report.context, judge_options, {});
  if (show) fmt::print(stderr, "\r\x1b[K");
  const ExitCode code =
      report.harness_error.empty() ? exit_code_of(report.promises) : ExitCode::harness_failed;
  report.exit_code = static_cast<int>(code);
  SUNDER_TRY(report::write_reports(report, history, directory));
  print_result(report, history, flags.json);
  if (!report.harness_error.empty()) fmt::print(stderr, "sunder: {}\n", report.harness_error);
  return code;
}

// context.json holds what a later report needs beside the appended files.
Result<void> write_context(const PhaseOutcome& outcome, const fs::path& directory) {
  SUNDER_TRY(
      base::write_file(directory / "context.json", history::context_to_json(outcome.context)));
  std::string deaths;
  for (const std::string& death : outcome.unexpected_deaths) deaths += death + "\n";
  if (outcome.partial) SUNDER_TRY(base::write_file(directory / "partial", "stopped by a signal\n"));
  if (deaths.empty()) return {};
  return base::write_file(directory / "deaths.txt", deaths);
}

int inside_universe(const ResolvedRun& run,
                    const fs::path& directory,
                    std::string_view started,
                    const RunFlags& flags,
                    base::RunClock clock) {
  PhaseOptions options;
  options.directory = directory;
  options.programs = flags.programs;
  options.clock = clock;
  options.quiet = flags.quiet;
  PhaseOutcome outcome = go_through_phases(run, options);
  if (const auto written = write_context(outcome, directory); written.has_error()) {
    if (outcome.harness_error.empty()) outcome.harness_error = written.error().message();
  }
  const auto code = conclude(run, directory, started, flags, std::move(outcome));
  if (code.has_value()) return static_cast<int>(*code);
  fmt::print(stderr, "sunder: {}\n", code.error().message());
  return static_cast<int>(ExitCode::harness_failed);
}

// What the runner's end means. It only ever returns our own codes; anything else is a death.
Result<ExitCode> interpret(int status, const fs::path& directory) {
  for (const ExitCode code :
       {ExitCode::kept, ExitCode::broken, ExitCode::undetermined, ExitCode::harness_failed}) {
    if (status == static_cast<int>(code)) return code;
  }
  return base::make_error(
      Errc::failed,
      fmt::format("the run ended by itself with status {}{}; what was recorded is in {}",
                  status,
                  status > 128 ? fmt::format(" (signal {})", status - 128) : "",
                  as_typed(directory)));
}

// A fault is written when it begins and again when it is healed: the later line holds all.
std::vector<history::FaultRecord> latest_of_each(std::vector<history::FaultRecord> records) {
  std::vector<history::FaultRecord> faults;
  for (history::FaultRecord& record : records) {
    const auto known = std::ranges::find(faults, record.id, &history::FaultRecord::id);
    if (known == faults.end()) {
      faults.push_back(std::move(record));
    } else {
      *known = std::move(record);
    }
  }
  return faults;
}

}  // namespace

Result<ExitCode> perform_run(const ResolvedRun& run, const RunFlags& flags) {
  const base::RunClock clock;
  auto directory =
      make_run_directory(run.options.out, fmt::format("{}-{}", run.scenario->name, run.seed));
  SUNDER_TRY(directory);
  const std::string started = base::utc_readable();
  SUNDER_TRY(base::write_file(*directory / "run.json", to_json(run, started)));

  cluster::UniverseOptions universe;
  universe.hosts = cluster::hosts_of(run.nodes, run.options.clients);
  const auto status = cluster::enter_universe(
      universe, [&] { return inside_universe(run, *directory, started, flags, clock); });
  const auto returned = return_to_sudo_user(*directory);
  SUNDER_TRY(status);
  SUNDER_TRY(returned);
  return interpret(*status, *directory);
}

Result<StoredInputs> read_stored_inputs(const fs::path& directory) {
  const fs::path path = directory / "run.json";
  const auto text = base::read_file(path);
  if (text.has_error()) {
    return base::make_error(
        Errc::unreadable_input,
        fmt::format("{}: not a run's directory: {}", directory.string(), text.error().message()));
  }
  return read_inputs(*text, path.string());
}

Result<StoredRun> read_run(const fs::path& directory) {
  StoredRun stored;
  auto inputs = read_stored_inputs(directory);
  SUNDER_TRY(inputs);
  auto resolved = resolve(*inputs);
  SUNDER_TRY(resolved);
  stored.inputs = std::move(*resolved);
  stored.started = inputs->started;

  auto history = history::read_history_file(directory / "history.jsonl",
                                            {.format = history::Format::jsonl, .progress = {}});
  SUNDER_TRY(history);
  stored.history = std::move(history->history);
  if (const auto text = base::read_file(directory / "context.json"); text.has_value()) {
    auto context = history::read_context(*text, (directory / "context.json").string());
    SUNDER_TRY(context);
    stored.context = std::move(*context);
    stored.deaths_known = true;
  } else {
    stored.partial = true;  // the run died before it could write it
  }
  if (const auto text = base::read_file(directory / "faults.jsonl"); text.has_value()) {
    auto faults = history::read_faults(*text, (directory / "faults.jsonl").string());
    SUNDER_TRY(faults);
    stored.context.faults = latest_of_each(std::move(*faults));
  }
  if (const auto text = base::read_file(directory / "events.jsonl"); text.has_value()) {
    auto events = history::read_events(*text, (directory / "events.jsonl").string());
    SUNDER_TRY(events);
    stored.context.events = std::move(*events);
  }
  if (const auto text = base::read_file(directory / "deaths.txt"); text.has_value()) {
    for (std::size_t at = 0; at < text->size();) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      stored.unexpected_deaths.push_back(text->substr(at, end - at));
      at = end + 1;
    }
  }
  stored.partial = stored.partial || fs::exists(directory / "partial");
  return stored;
}

Result<ExitCode> report_again(const fs::path& directory, const RunFlags& flags) {
  auto stored = read_run(directory);
  SUNDER_TRY(stored);
  PhaseOutcome outcome;
  outcome.history = std::move(stored->history);
  outcome.context = std::move(stored->context);
  outcome.unexpected_deaths = std::move(stored->unexpected_deaths);
  outcome.deaths_known = stored->deaths_known;
  outcome.partial = stored->partial;
  return conclude(stored->inputs,
                  fs::absolute(directory).lexically_normal(),
                  stored->started,
                  flags,
                  std::move(outcome));
}

}  // namespace sunder::run
