// Faults on a real cluster: each family's effect is seen by clients, proved by evidence, healed,
// and leaves nothing.

#include "nemesis/nemesis.hpp"

#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/standing_fault.hpp"
#include "tests/cluster/test_cluster.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::nemesis {
namespace {

using boost::asio::awaitable;
using cluster::Cluster;
using cluster::NodeState;
using history::FaultRecord;
using std::chrono::milliseconds;
using tests::ask;
using tests::begin;
using tests::context_of;
using tests::expect_healed;
using tests::in_universe;
using tests::with_cluster;

constexpr milliseconds kSoon{300};

class NemesisTest : public tests::InUniverse {};

awaitable<void> partition(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "partition:leader@0s+1s");
  // n1 and its client c1 on one side, the others and c2 on the other.
  EXPECT_EQ(co_await ask(cluster, 0, 0, "echo own side"), "own side");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo other side", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 0, "echo other side", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 across"), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.3 majority"), "majority");
  const auto healed = fault->heal();
  EXPECT_TRUE(healed.has_value());
  EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 across"), "across");
  expect_healed(cluster);
}

TEST_P(NemesisTest, PartitionSeparatesSidesAndCountsWhatItDropped) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 3}, &partition); });
}

awaitable<void> kill(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const int before = cluster.pid(1);
  auto fault = co_await begin(context, "kill:all@0s+1s");
  for (std::size_t node = 0; node < cluster.nodes(); ++node) {
    EXPECT_EQ(cluster.state(node), NodeState::down);
    EXPECT_EQ(cluster.how_ended(node), "signal 9");
  }
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
  EXPECT_NE(cluster.pid(1), before);
  co_await tests::await_answer(cluster, 1);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(NemesisTest, KillEndsNodesAndStartsThemAgain) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 2}, &kill); });
}

awaitable<void> pause(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "pause:n2@0s+1s");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo frozen", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 0, 0, "echo awake"), "awake");
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
  co_await tests::await_answer(cluster, 1);
  expect_healed(cluster);
}

TEST_P(NemesisTest, PauseSilencesANode) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &pause); });
}

awaitable<void> whole_schedule(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  ScheduleOptions options;
  options.nodes = cluster.nodes();
  auto schedule = make_schedule(
      "partition:one@0s+200ms;flap=50ms,kill:n1@20ms+50ms,restart:n2@100ms+50ms,pause:n3@120ms+"
      "50ms",
      options);
  EXPECT_TRUE(schedule.has_value());
  auto records = co_await run_schedule(context, std::move(*schedule));
  EXPECT_TRUE(records.has_value()) << records.error().message();
  EXPECT_EQ(records->size(), 4U);
  for (const FaultRecord& record : *records) EXPECT_NE(record.healed, 0) << record.description;
  for (std::size_t node = 0; node < cluster.nodes(); ++node) {
    co_await tests::await_answer(cluster, node);
  }
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(NemesisTest, AScheduleOfEverythingLeavesNothing) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 3}, &whole_schedule); });
}

INSTANTIATE_TEST_SUITE_P(Users, NemesisTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
