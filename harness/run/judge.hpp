// Judge: asks the checker of every promise and turns the answers into the run's verdicts and exit
// code.
//
// Beside the mode's own promises it judges two things of every run: that no node ended unless told
// to ("stays-up"), and that every requested fault family bit at least once ("faults-bit"), without
// which the run proves nothing.
//
// Pure but for the checkers' time budgets.

#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"
#include "harness/report/report.hpp"
#include "nodes/system.hpp"

namespace sunder::run {

struct JudgeOptions {
  std::vector<std::string> families;           // requested fault families
  std::vector<std::string> unexpected_deaths;  // "n3 ended by signal 6 at 4.2 s"
  bool deaths_known = true;  // false: the run ended before it could say how its nodes did
  std::chrono::nanoseconds time_budget = std::chrono::seconds(60);  // of each checker
  std::function<void(std::string_view promise)> on_promise;         // progress; may be empty
};

[[nodiscard]] std::vector<report::PromiseResult> judge(const nodes::Mode& mode,
                                                       const history::History& history,
                                                       const history::RunContext& context,
                                                       const JudgeOptions& options,
                                                       std::stop_token stop);

// 1 when any is broken, else 2 when any is undetermined or not exercised, else 0.
[[nodiscard]] ExitCode exit_code_of(const std::vector<report::PromiseResult>& promises) noexcept;

}  // namespace sunder::run
