// What follows from the outcomes of sabotages: exit code, matrix, tables, prove.json.

#include "harness/run/prove_result.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "harness/run/prove.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

ProveSeed caught(std::uint64_t seed, std::chrono::seconds wall, std::string promise) {
  ProveSeed outcome;
  outcome.seed = seed;
  outcome.finished = outcome.caught = true;
  outcome.attempts = 1;
  outcome.wall = wall;
  outcome.load = wall / 2;
  outcome.promises = {std::move(promise)};
  return outcome;
}

ProveSeed missed(std::uint64_t seed) {
  ProveSeed outcome;
  outcome.seed = seed;
  outcome.finished = true;
  outcome.attempts = 5;
  outcome.wall = 61s;
  return outcome;
}

ProveRow row_of(std::string sabotage, std::vector<std::string> families) {
  ProveRow row;
  row.sabotage = std::move(sabotage);
  row.breaks = {"linearizable"};
  row.families = std::move(families);
  row.duration = 10s;
  row.budget = 60s;
  return row;
}

ProveResult one_row(ProveRow row) {
  ProveResult result;
  result.scenario = "raft/register";
  result.attempt = 10s;
  result.rows.push_back(std::move(row));
  return result;
}

TEST(ProveResult, SumsUpTheSeedsOfASabotage) {
  ProveRow row = row_of("stale-read", {"partition"});
  row.seeds = {caught(1, 30s, "linearizable"),
               caught(2, 10s, "minority-refuses"),
               caught(3, 20s, "minority-refuses"),
               missed(4)};
  const ProveSummary summary = summary_of(row);
  EXPECT_EQ(summary.finished, 4U);
  EXPECT_EQ(summary.caught, 3U);
  EXPECT_EQ(summary.attempts, 8U);
  EXPECT_EQ(summary.median, 20s);
  EXPECT_EQ(summary.median_load, 10s);
  EXPECT_EQ(summary.slowest, 30s);
  EXPECT_EQ(summary.promises, (std::vector<std::string>{"minority-refuses", "linearizable"}));
}

TEST(ProveResult, NineteenOfTwentySeedsAreEnoughAndNoSeedOfFewerMayMiss) {
  struct Row {
    std::string name;
    std::size_t finished;
    std::size_t caught;
    bool proven;
  };

  const std::vector<Row> rows{{"nothing tried", 0, 0, true},
                              {"one of one", 1, 1, true},
                              {"none of one", 1, 0, false},
                              {"eighteen of nineteen", 19, 18, false},
                              {"nineteen of twenty", 20, 19, true},
                              {"eighteen of twenty", 20, 18, false},
                              {"thirty-eight of forty", 40, 38, true}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ProveSummary summary;
    summary.finished = row.finished;
    summary.caught = row.caught;
    EXPECT_EQ(is_proven(summary), row.proven);
  }
}

TEST(ProveResult, AMissAFalseAlarmAndAHarnessFailureAreDefectsOfTheHarness) {
  ProveRow row = row_of("stale-read", {"partition"});
  row.seeds = {caught(1, 10s, "linearizable")};
  ProveResult result = one_row(row);
  EXPECT_EQ(exit_code_of(result), ExitCode::kept);
  EXPECT_NE(conclusion_of(result).find("1 of 1 sabotages caught"), std::string::npos);

  result.controls.push_back({.faults = "partition", .seed = 1, .finished = true, .exit_code = 2});
  EXPECT_EQ(exit_code_of(result), ExitCode::kept) << "not exercised is no false alarm";

  ProveResult alarmed = result;
  alarmed.controls[0].exit_code = 1;
  alarmed.controls[0].broken = {"available"};
  EXPECT_EQ(exit_code_of(alarmed), ExitCode::harness_failed);
  EXPECT_NE(conclusion_of(alarmed).find("FALSE ALARM: available"), std::string::npos);

  ProveResult miss = result;
  miss.rows[0].seeds.push_back(missed(2));
  EXPECT_EQ(exit_code_of(miss), ExitCode::harness_failed);
  EXPECT_NE(conclusion_of(miss).find("NOT CAUGHT: stale-read in 1 of 2"), std::string::npos);

  ProveResult failure = result;
  failure.rows[0].seeds[0].failure = "no bridge";
  EXPECT_EQ(exit_code_of(failure), ExitCode::harness_failed);
  EXPECT_NE(conclusion_of(failure).find("no bridge"), std::string::npos);

  ProveResult interrupted = result;
  interrupted.interrupted = true;
  EXPECT_EQ(exit_code_of(interrupted), ExitCode::undetermined);
}

TEST(ProveResult, RandomSchedulesMayMiss) {
  ProveRow row = row_of("stale-read", {"partition"});
  row.arm = ProveArm::random;
  row.seeds = {missed(1)};
  const ProveResult result = one_row(row);
  EXPECT_EQ(exit_code_of(result), ExitCode::kept);
}

TEST(ProveResult, TheMatrixHasATimeUnderEveryFamilyOfASchedule) {
  ProveRow both = row_of("ignore-term", {"partition", "pause"});
  both.seeds = {caught(1, 12s, "raft-invariants")};
  ProveResult result = one_row(both);
  ProveRow never = row_of("vote-twice", {"kill"});
  never.seeds = {missed(1)};
  result.rows.push_back(never);
  ProveRow impossible = row_of("lease-by-wall-clock", {"clock-jump"});
  impossible.skipped = "no clock shim";
  result.rows.push_back(impossible);

  const report::CampaignTable matrix = matrix_of(result);
  EXPECT_EQ(matrix.header,
            (std::vector<std::string>{"sabotage", "clock-jump", "kill", "partition", "pause"}));
  ASSERT_EQ(matrix.rows.size(), 3U);
  EXPECT_EQ(matrix.rows[0], (std::vector<std::string>{"ignore-term", "", "", "12.0 s", "12.0 s"}));
  EXPECT_EQ(matrix.rows[1], (std::vector<std::string>{"vote-twice", "", "missed", "", ""}));
  EXPECT_EQ(matrix.rows[2],
            (std::vector<std::string>{"lease-by-wall-clock", "skipped", "", "", ""}));
}

TEST(ProveResult, JsonHoldsEverySeedAndThePageEveryRun) {
  ProveRow row = row_of("stale-read", {"partition"});
  row.seeds = {caught(7, 10s, "linearizable"), missed(8)};
  ProveResult result = one_row(row);
  result.controls.push_back({.faults = "partition", .seed = 1, .finished = true, .exit_code = 0});
  const auto document = boost::json::parse(to_json(result));
  const auto& seeds = document.at("sabotages").as_array().at(0).at("seeds").as_array();
  ASSERT_EQ(seeds.size(), 2U);
  EXPECT_EQ(seeds[0].at("seed").as_int64(), 7);
  EXPECT_TRUE(seeds[0].at("caught").as_bool());
  EXPECT_FALSE(seeds[1].at("caught").as_bool());
  EXPECT_EQ(document.at("exit_code").as_int64(), 3);

  const report::CampaignReport page = page_of(result);
  ASSERT_EQ(page.rows.size(), 3U);
  EXPECT_TRUE(page.rows[0].as_expected);
  EXPECT_FALSE(page.rows[1].as_expected);
  EXPECT_TRUE(page.rows[2].as_expected);
  const std::string html = report::render_campaign_html(page);
  EXPECT_NE(html.find("Sabotage × fault family"), std::string::npos);
  const std::string markdown = report::render_campaign_markdown(page);
  EXPECT_NE(markdown.find("## Sabotage × fault family"), std::string::npos);
}

TEST(ProveSchedule, AnAttemptTakesTheItemsThatFitIntoItsLoad) {
  struct Row {
    std::string name;
    std::string faults;
    std::string expected;
  };

  const std::vector<Row> rows{
      {"all of it", "kill:all@1s+1s,kill:all@8s+1s", "kill:all@1s+1s,kill:all@8s+1s"},
      {"late ones are left out", "kill:all@1s+1s,kill:all@12s+1s", "kill:all@1s+1s"},
      {"the last is cut short",
       "partition:leader@9s+5s;flap=500ms",
       "partition:leader@9s+1s;flap=500ms"},
      {"named nodes keep theirs", "partition:n1+n2/n3@9s+5s", "partition:n1+n2/n3@9s+1s"},
      {"by event",
       "kill:all@became-leader+100ms;after=3s,kill:all@became-leader+100ms;after=11s",
       "kill:all@became-leader+100ms;after=3s"},
      {"families", "kill,partition", "kill,partition"},
      {"nothing fits", "kill:all@11s+1s", "none"},
      {"none", "none", "none"},
      {"all", "all", "all"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto items = items_within(row.faults, 10s);
    ASSERT_TRUE(items.has_value()) << items.error().message();
    EXPECT_EQ(*items, row.expected);
  }
  EXPECT_TRUE(items_within("meteor", 10s).has_error());
}

}  // namespace
}  // namespace sunder::run
