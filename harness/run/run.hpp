// One run: a scenario through its phases into a history, a fault log and verdicts.
//
//   set up → warm up (first ok) → load + faults → heal → settle → final reads → tear down → check →
//   report
//
// perform_run() is the whole of `sunder run` once its inputs are resolved: it makes the directory,
// enters the universe, goes through the phases there, judges, and writes the reports. Ctrl-C heals,
// stops, checks what there is, and the report says it is partial.
//
// Threading: call before any thread exists (a universe is entered by clone). Errors: those of the
// harness; they end with exit code 3 and, once a directory exists, with a report that says so.

#pragma once

#include <filesystem>
#include <string>

#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"
#include "harness/run/options.hpp"

namespace sunder::run {

struct RunFlags {
  bool json = false;               // print report.json instead of the promise table
  bool quiet = false;              // no live line
  std::filesystem::path programs;  // where sunder-kv and its like are
};

// The exit code of DESIGN §2.
[[nodiscard]] Result<ExitCode> perform_run(const ResolvedRun& run, const RunFlags& flags);

// What a run's directory holds, read back; for `sunder report` and for tests.
struct StoredRun {
  ResolvedRun inputs;
  std::string started;
  history::History history;
  history::RunContext context;
  std::vector<std::string> unexpected_deaths;
  bool deaths_known = false;  // the run lived to write them down
  bool partial = false;
};

[[nodiscard]] Result<StoredInputs> read_stored_inputs(const std::filesystem::path& directory);
[[nodiscard]] Result<StoredRun> read_run(const std::filesystem::path& directory);

// Judges a stored run again and writes its reports again.
[[nodiscard]] Result<ExitCode> report_again(const std::filesystem::path& directory,
                                            const RunFlags& flags);

}  // namespace sunder::run
