// Campaign files: what is read, and errors with file, line and column.

#include "harness/run/campaign.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/file.hpp"

namespace sunder::run {
namespace {

namespace fs = std::filesystem;

Result<Campaign> read(std::string_view text) {
  const fs::path path =
      fs::path(testing::TempDir()) / fmt::format("sunder_campaign_test-{}.toml", ::getpid());
  EXPECT_TRUE(base::write_file(path, text).has_value());
  auto campaign = read_campaign(path);
  fs::remove(path);
  return campaign;
}

TEST(Campaign, ReadsRunsAndMultipliesSeeds) {
  const auto campaign = read(R"(
name = "night"
[[run]]
scenario = "raft/register"
seeds = [1, 2, 3]
duration = "10s"
faults = "kill"
[[run]]
scenario = "raft/register"
seed = 9
sabotage = "stale-read"
expect = "broken"
expect_promise = "linearizable"
)");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  EXPECT_EQ(campaign->name, "night");
  ASSERT_EQ(campaign->runs.size(), 4U);
  EXPECT_EQ(campaign->runs[2].options.seed, 3U);
  EXPECT_EQ(campaign->runs[0].options.duration, std::chrono::seconds(10));
  EXPECT_TRUE(campaign->runs[3].expect_broken);
}

TEST(Campaign, FaultsMayBeTables) {
  const auto campaign = read(R"(
[[run]]
scenario = "raft/register"
seed = 1
[[run.faults]]
family = "partition"
shape = "leader"
at = "became-leader"
after = "5s"
duration = "3s"
flap = "500ms"
[[run.faults]]
family = "kill"
shape = "n2+n3"
at = "after-acks=100"
seed = 9
[[run.faults]]
family = "pause"
)");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  EXPECT_EQ(campaign->runs.front().options.faults,
            "partition:leader@became-leader+3s;after=5s;flap=500ms,"
            "kill:n2+n3@after-acks=100;seed=9,pause");
}

TEST(Campaign, ErrorsNameTheLine) {
  struct Row {
    const char* text;
    const char* says;
  };

  for (const Row& row : {
           Row{"", "no [[run]]"},
           Row{"[[run]\n", ":1:"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\nfautls = \"kill\"\n",
               "unknown key 'fautls'"},
           Row{"[[run]]\nscenario = \"raft/register\"\n", "seed"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = -1\n", ":3:"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\nduration = 30\n", ":4:"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\n[[run.faults]]\nshape = \"one\"\n",
               "a fault needs family"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\n[[run.faults]]\nfamily = "
               "\"kill\"\nduration = \"1s\"\n",
               "a duration needs at"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\n[[run.faults]]\nfamily = "
               "\"kill,pause\"\n",
               ":5:"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\n[[run.faults]]\nfamily = "
               "\"partition\"\nshape = \"one\"\nat = \"1s\"\nflap = true\n",
               "'flap' must be a text or a number"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\nfaults = 7\n", "wrong type"},
           Row{"[[run]]\nscenario = \"nonsense\"\nseed = 1\n", "unknown scenario"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\nexpect = \"good\"\n",
               "kept or broken"},
           Row{"[[run]]\nscenario = \"raft/register\"\nseed = 1\nexpect = \"broken\"\nexpect_price "
               "= \"linearizable\"\n",
               "expect_price goes with"},
       }) {
    SCOPED_TRACE(row.text);
    const auto campaign = read(row.text);
    ASSERT_TRUE(campaign.has_error());
    EXPECT_TRUE(base::is(campaign.error(), Errc::unreadable_input));
    EXPECT_NE(campaign.error().message().find(row.says), std::string::npos)
        << campaign.error().message();
  }
}

// Whatever mode has a sabotage, the night looks for it.
TEST(Campaign, TheNightlyCampaignLoadsAndLooksForSabotages) {
  const auto campaign = read_campaign(fs::path(SUNDER_SOURCE_DIR) / "campaigns" / "nightly.toml");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  std::size_t all_families = 0;
  std::size_t sabotaged = 0;
  for (const CampaignRun& run : campaign->runs) {
    if (run.options.faults == "all") ++all_families;
    if (run.options.sabotage.empty()) continue;
    ++sabotaged;
    EXPECT_TRUE(run.expect_broken) << run.title;
    const auto scenario = find_scenario(run.options.scenario);
    ASSERT_TRUE(scenario.has_value());
    const auto sabotage = find_sabotage(**scenario, run.options.sabotage);
    ASSERT_TRUE(sabotage.has_value());
    EXPECT_EQ(std::ranges::count((*sabotage)->breaks, run.expect_promise), 1) << run.title;
  }
  EXPECT_GE(all_families, 4U);
  EXPECT_GE(sabotaged, 10U);
}

// Every scenario that exists, healthy and with bugs of its own.
TEST(Campaign, TheMissionCoversEveryScenario) {
  const auto campaign = read_campaign(fs::path(SUNDER_SOURCE_DIR) / "campaigns" / "mission.toml");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  std::map<std::string, std::size_t> healthy;
  std::map<std::string, std::size_t> sabotaged;
  for (const CampaignRun& run : campaign->runs) {
    EXPECT_EQ(run.skipped, "") << run.title << ": the mission asks for nothing special";
    EXPECT_EQ(run.expect_broken, !run.options.sabotage.empty()) << run.title;
    if (!run.expect_broken) ++healthy[run.options.scenario];
    if (!run.expect_broken) continue;
    ++sabotaged[run.options.scenario];
    const auto scenario = find_scenario(run.options.scenario);
    ASSERT_TRUE(scenario.has_value());
    const auto sabotage = find_sabotage(**scenario, run.options.sabotage);
    ASSERT_TRUE(sabotage.has_value());
    EXPECT_EQ(std::ranges::count((*sabotage)->breaks, run.expect_promise), 1) << run.title;
  }
  for (const Scenario& scenario : all_scenarios()) {
    EXPECT_GE(healthy[std::string(scenario.name)], 1U) << scenario.name;
    EXPECT_GE(sabotaged[std::string(scenario.name)], 2U) << scenario.name;
  }
}

// The same cuts for a store that chooses consistency and one that chooses availability.
TEST(Campaign, TheCapPageComparesUnderTheSameFaults) {
  const auto campaign = read_campaign(fs::path(SUNDER_SOURCE_DIR) / "campaigns" / "cap.toml");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  EXPECT_TRUE(campaign->compare);
  ASSERT_EQ(campaign->runs.size(), 2U);
  EXPECT_EQ(campaign->runs[0].options.faults, campaign->runs[1].options.faults);
  EXPECT_NE(campaign->runs[0].options.scenario, campaign->runs[1].options.scenario);
}

TEST(Campaign, SaysHowManyRunsGoSideBySide) {
  EXPECT_EQ(read("jobs = 3\n[[run]]\nscenario = \"raft/register\"\nseed = 1\n")->jobs, 3U);
  EXPECT_EQ(read("[[run]]\nscenario = \"raft/register\"\nseed = 1\n")->jobs, 1U);
  const auto none = read("jobs = 0\n[[run]]\nscenario = \"raft/register\"\nseed = 1\n");
  ASSERT_TRUE(none.has_error());
  EXPECT_NE(none.error().message().find(":1:8: jobs is 1 to 64"), std::string::npos)
      << none.error().message();
}

TEST(Campaign, TheQuickstartIsValid) {
  const auto campaign =
      read_campaign(fs::path(SUNDER_SOURCE_DIR) / "campaigns" / "quickstart.toml");
  ASSERT_TRUE(campaign.has_value()) << campaign.error().message();
  EXPECT_EQ(campaign->runs.size(), 2U);
}

}  // namespace
}  // namespace sunder::run
