#include "harness/report/timeline.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/unit/report/sample.hpp"

namespace sunder::report {
namespace {

using history::kNever;
using history::NodeEvent;
using history::RunContext;

constexpr std::int64_t kSecond = 1'000'000'000;

NodeEvent role(std::string node, std::string event, std::int64_t time, std::int64_t term = 1) {
  NodeEvent result;
  result.node = std::move(node);
  result.event = std::move(event);
  result.time = time;
  result.numbers = {{"term", term}};
  return result;
}

TEST(Timeline, CountsEveryOperationInOneBucket) {
  const testing::Sample sample = testing::broken_sample();
  const Timeline timeline = make_timeline(sample.history, sample.report.context);
  EXPECT_LE(timeline.buckets.size(), kBucketCountMax);
  std::size_t total = 0;
  for (const Bucket& bucket : timeline.buckets) total += bucket.ok + bucket.fail + bucket.info;
  EXPECT_EQ(total, sample.history.operations().size());
}

TEST(Timeline, OrdersTheQuantilesOfABucket) {
  const testing::Sample sample = testing::healthy_sample();
  std::size_t known = 0;
  for (const Bucket& bucket : make_timeline(sample.history, sample.report.context).buckets) {
    if (bucket.ok == 0) {
      EXPECT_EQ(bucket.p50, -1);
      continue;
    }
    ++known;
    EXPECT_LE(bucket.p50, bucket.p95);
    EXPECT_LE(bucket.p95, bucket.p99);
    EXPECT_GT(bucket.p50, 0);
  }
  EXPECT_GT(known, 50U);
}

TEST(Timeline, HasNoBucketsWithoutTimes) {
  history::HistoryBuilder builder;
  builder.add(history::Operation());
  const Timeline timeline = make_timeline(builder.finish(), RunContext());
  EXPECT_TRUE(timeline.buckets.empty());
  EXPECT_GT(timeline.bucket_width, 0);
}

TEST(Timeline, LetsAnOldLeaderReignUntilItStepsDown) {
  RunContext context;
  context.phases = {{"load", {0, 10 * kSecond}}};
  context.events = {role("n1", "became-leader", kSecond, 2),
                    role("n2", "became-leader", 3 * kSecond, 3),
                    role("n1", "became-follower", 5 * kSecond, 3)};
  const Timeline timeline = make_timeline(history::History(), context);
  ASSERT_EQ(timeline.leaders.size(), 2U);
  EXPECT_EQ(timeline.leaders[0].window.end, 5 * kSecond);
  EXPECT_EQ(timeline.leaders[0].term, 2);
  EXPECT_EQ(timeline.leaders[1].window.end, 10 * kSecond + 1);  // to the end of the run
}

TEST(Timeline, EndsTheReignOfAKilledLeader) {
  RunContext context;
  context.phases = {{"load", {0, 10 * kSecond}}};
  context.events = {role("n1", "became-leader", kSecond), role("n2", "became-leader", kSecond, 1)};
  history::FaultRecord kill;
  kill.family = "kill";
  kill.disabled_nodes = {"n1"};
  kill.active = {4 * kSecond, 6 * kSecond};
  context.faults = {kill};
  const Timeline timeline = make_timeline(history::History(), context);
  ASSERT_EQ(timeline.leaders.size(), 2U);
  EXPECT_EQ(timeline.leaders[0].window.end, 4 * kSecond);
  EXPECT_GT(timeline.leaders[1].window.end, 9 * kSecond);
  ASSERT_EQ(timeline.disabled.size(), 1U);
  EXPECT_EQ(timeline.disabled[0].window.end, 6 * kSecond);
}

TEST(Timeline, ShowsAFaultThatNeverHealedToTheEnd) {
  history::FaultRecord fault;
  fault.active = {kSecond, kNever};
  EXPECT_TRUE(took_place(fault));
  EXPECT_EQ(over_at(fault, 7 * kSecond), 7 * kSecond);
  ASSERT_EQ(standing_of(fault, 7 * kSecond).size(), 1U);
  EXPECT_EQ(standing_of(fault, 7 * kSecond)[0].end, 7 * kSecond);
  EXPECT_FALSE(took_place(history::FaultRecord()));  // skipped
}

TEST(Timeline, ShowsWhenAFlappingFaultStood) {
  history::FaultRecord fault;
  fault.active = {kSecond, 4 * kSecond};
  fault.standing = {{kSecond, 2 * kSecond}, {3 * kSecond, 4 * kSecond}};
  ASSERT_EQ(standing_of(fault, 9 * kSecond).size(), 2U);
  EXPECT_EQ(standing_of(fault, 9 * kSecond)[1].begin, 3 * kSecond);
}

}  // namespace
}  // namespace sunder::report
