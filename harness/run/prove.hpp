// Prove: runs every sabotage of a mode against the schedules that suit it, and says which of them
// the harness sees, how fast, and by which promise.
//
// Each sabotage and seed is tried in attempts, each a run of its own with a fresh sub-seed, until a
// promise that the sabotage is said to break is broken or the budget is spent. The same schedules
// without a sabotage are the control, random schedules of the same families the comparison. Kept of
// the attempts: the first that caught, the last of those that never did, and whatever went wrong.
//
// Threading: its own io_context, one thread; runs are processes. Ctrl-C ends with what there is.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/run/prove_result.hpp"
#include "harness/run/scenario.hpp"

namespace sunder::run {

struct ProveOptions {
  const Scenario* scenario = nullptr;
  std::vector<std::string> sabotages;  // empty: all of the mode
  std::uint64_t first_seed = 1;
  std::size_t seeds = 1;
  std::size_t controls = 1;  // seeds of the healthy control
  std::size_t random = 1;    // seeds of random schedules
  std::size_t jobs = 1;
  std::chrono::nanoseconds attempt = std::chrono::seconds(10);
  std::chrono::nanoseconds budget = std::chrono::seconds(60);
  std::chrono::nanoseconds random_budget = std::chrono::seconds(20);
  std::string kernel = "host";        // as RunOptions has it
  std::optional<std::string> faults;  // instead of those that suit
  bool keep = false;                  // every attempt's run
  bool json = false;
  bool quiet = false;
  std::filesystem::path program;  // ourselves
  std::filesystem::path out;      // empty: runs/<time>-prove-<mode>
};

[[nodiscard]] Result<ExitCode> perform_prove(const ProveOptions& options);

// The items of a schedule's text that begin within `load`, so that a shorter attempt can run it;
// "none" when nothing is left.
[[nodiscard]] Result<std::string> items_within(std::string_view faults,
                                               std::chrono::nanoseconds load);

}  // namespace sunder::run
