// Campaign: many scenarios × seeds from one TOML file, each run a process of its own, with the
// verdict it expects.
//
//   name = "quickstart"
//   compare = true                     # optional: the page shows the runs beside each other
//   jobs = 2                           # optional: so many at the same time
//   [[run]]
//   title = "healthy"                  # optional
//   scenario = "raft/register"
//   seeds = [1, 2]                     # or seed = 1
//   duration = "20s"
//   faults = "partition,kill"          # nodes, clients, keys, rate, mix, sabotage: as flags
//   expect = "kept"                    # or "broken"
//   expect_promise = "linearizable"    # with "broken": the one that must be broken
//   expect_price = "linearizable"      # with "kept": what is not promised and must be shown
//
// Exit code: 0 when every run ended as expected; otherwise the worst of: a promise broken that was
// expected kept (1), an undetermined run (2), a harness failure or a sabotage that was not caught
// (3). A run that this machine cannot do, because a fault needs what it lacks, is skipped with the
// reason and counts as undetermined.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/run/options.hpp"

namespace sunder::run {

struct CampaignRun {
  std::string title;
  RunOptions options;  // seed is set
  bool expect_broken = false;
  std::string expect_promise;
  std::string expect_price;  // must be shown, in a run whose promises are kept
  std::string skipped;       // why this machine cannot do it; empty: it can
};

struct Campaign {
  std::string name;
  bool compare = false;  // its page shows the runs beside each other
  std::size_t jobs = 1;  // at the same time, unless told otherwise
  std::vector<CampaignRun> runs;
};

// Errc::unreadable_input with file, line and what was expected; unknown keys are errors. Every run
// is resolved here, so that a campaign with a wrong flag in its last run fails at once. A kernel
// ("uml") overrides what its runs say.
[[nodiscard]] Result<Campaign> read_campaign(const std::filesystem::path& path,
                                             std::string_view kernel = {});

constexpr std::size_t kJobsMax = 64;

struct CampaignOptions {
  std::size_t jobs = 1;
  std::size_t shard = 1;  // of `shards`, counted from 1
  std::size_t shards = 1;
  std::filesystem::path program;  // ourselves
  std::filesystem::path out;      // empty: runs/<time>-<name>
  bool quiet = false;
};

[[nodiscard]] Result<ExitCode> perform_campaign(const Campaign& campaign,
                                                const CampaignOptions& options);

}  // namespace sunder::run
