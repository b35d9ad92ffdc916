// Phases: one run inside its universe, from an empty fabric to a torn-down cluster and a finished
// history.
//
// Owns everything that lives only while the run does: the loop's tasks, the cluster, the load, the
// nemesis, the files it appends to. What it leaves behind is a PhaseOutcome. Whatever happens, it
// ends with no task and no node running.
//
// Threading: one thread, its own io_context.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"
#include "harness/run/options.hpp"

namespace sunder::run {

struct PhaseOptions {
  std::filesystem::path directory;
  std::filesystem::path programs;
  base::RunClock clock;
  bool quiet = false;
};

struct PhaseOutcome {
  history::History history;
  history::RunContext context;
  std::vector<std::string> unexpected_deaths;
  bool deaths_known = true;   // false: read back from a run that died
  bool partial = false;       // stopped by a signal before the end
  std::string harness_error;  // empty, or why the harness itself failed
};

// Never fails: a failure of the harness is in the outcome, beside what was recorded until then.
[[nodiscard]] PhaseOutcome go_through_phases(const ResolvedRun& run, const PhaseOptions& options);

}  // namespace sunder::run
