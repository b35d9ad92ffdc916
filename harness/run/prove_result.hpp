// Prove's result: what became of every sabotage under every seed, and what that says of the
// harness.
//
// Pure data and pure functions: the matrix, the tables of the page, prove.json and the exit code
// follow from it. A sabotage counts as proven when it was caught in at least 19 of 20 seeds (in all
// of fewer than 20); a healthy cluster that is said to break a promise is a false alarm. Both are
// defects of the harness, hence exit code 3.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/report/report.hpp"

namespace sunder::run {

// Which schedules a sabotage met: those that suit it, or random ones of the same families.
enum class ProveArm : std::uint8_t { suited, random };

// One sabotage under one seed: attempts, each with a fresh sub-seed, until caught or out of budget.
struct ProveSeed {
  std::uint64_t seed = 0;
  bool finished = false;  // caught, or out of budget
  bool caught = false;
  std::size_t attempts = 0;
  std::chrono::nanoseconds wall{0};   // from the start of the first attempt to the last verdict
  std::chrono::nanoseconds load{0};   // of it, under load and faults
  std::vector<std::string> promises;  // of those it is said to break: broken when it was caught
  std::vector<std::string> others;    // broken otherwise: no catch
  std::string failure;                // how the harness failed; ends the attempts
  std::string directory;              // of the run that is kept, as typed; may be empty
};

struct ProveRow {
  std::string sabotage;
  ProveArm arm = ProveArm::suited;
  std::vector<std::string> breaks;
  std::vector<std::string> families;
  std::string faults;                    // as --faults takes it
  std::chrono::nanoseconds duration{0};  // of one attempt's load
  std::chrono::nanoseconds budget{0};
  std::string skipped;  // why this machine cannot do it; then there are no seeds
  std::vector<ProveSeed> seeds;
};

// The same schedule without a sabotage: nothing may be broken.
struct ProveControl {
  std::string faults;
  std::uint64_t seed = 0;
  bool finished = false;
  int exit_code = 3;
  std::vector<std::string> broken = {};
  std::string directory = {};

  [[nodiscard]] bool false_alarm() const noexcept { return finished && exit_code == 1; }
};

struct ProveResult {
  std::string scenario;  // "raft/register"
  std::string started;
  std::string version;
  std::chrono::nanoseconds attempt{0};
  std::chrono::nanoseconds took{0};
  bool interrupted = false;
  std::vector<ProveRow> rows;
  std::vector<ProveControl> controls;
};

struct ProveSummary {
  std::size_t finished = 0;
  std::size_t caught = 0;
  std::size_t attempts = 0;
  std::chrono::nanoseconds median{0};       // wall time to detection, of the caught
  std::chrono::nanoseconds slowest{0};      // …
  std::chrono::nanoseconds median_load{0};  // load time to detection
  std::vector<std::string> promises;        // that showed it, the most frequent first
};

[[nodiscard]] ProveSummary summary_of(const ProveRow& row);
// Caught in at least 19 of 20 of the seeds that were tried.
[[nodiscard]] bool is_proven(const ProveSummary& summary) noexcept;
// 3: a suited schedule missed, a false alarm, or the harness failed; 2: interrupted; else 0.
[[nodiscard]] ExitCode exit_code_of(const ProveResult& result);

// Fault family × sabotage: the median time to detection by the suited schedule that uses the
// family.
[[nodiscard]] report::CampaignTable matrix_of(const ProveResult& result);
// The page: verdicts, matrix, and one row for each sabotage and seed.
[[nodiscard]] report::CampaignReport page_of(const ProveResult& result);
[[nodiscard]] std::string to_json(const ProveResult& result);
// What the terminal ends with: one sentence for each thing that is wrong, or that all is well.
[[nodiscard]] std::string conclusion_of(const ProveResult& result);

}  // namespace sunder::run
