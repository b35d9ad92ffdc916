// Faults of processes and of what they live on, on a real cluster: effect, evidence, what is given
// back, and that a node that ends of it is started again without being blamed.

#include <algorithm>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include "harness/base/deadline.hpp"
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
using std::chrono::milliseconds;
using tests::ask;
using tests::ask_on;
using tests::begin;
using tests::context_of;
using tests::evidence_of;
using tests::expect_healed;
using tests::heal;
using tests::in_universe;
using tests::with_cluster;

constexpr milliseconds kSoon{300};
constexpr milliseconds kLong{10'000};
constexpr int kToggles_max = 2000;

class ProcessFaultsTest : public tests::InUniverse {};

// Toggles as a schedule would until the fault has nothing more to do, or `enough` pieces of
// evidence are there.
awaitable<void> toggle_through(ActiveFault& fault, std::size_t enough) {
  for (int i = 0; i < kToggles_max; ++i) {
    const auto period = fault.period();
    if (!period || *period > std::chrono::minutes(1)) co_return;
    if (enough > 0 && fault.record().evidence.size() >= enough) co_return;
    co_await base::pause_for(*period);
    const auto toggled = fault.toggle();
    EXPECT_TRUE(toggled.has_value()) << toggled.error().message();
  }
  ADD_FAILURE() << fault.record().description << " never ends";
}

awaitable<void> crash_loop(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto loop = co_await begin(context, "crash-loop:n2@0s+1s;times=3;up=30ms;down=5ms");
  EXPECT_EQ(cluster.state(1), NodeState::down);
  co_await toggle_through(*loop, 0);
  heal(*loop);
  EXPECT_EQ(evidence_of(loop->record(), "kills"), 4);
  EXPECT_EQ(evidence_of(loop->record(), "starts"), 4);
  co_await tests::await_answer(cluster, 1);
  // The end of the fault finds a node that was killed a moment ago, and starts it all the same.
  auto broken_off = co_await begin(context, "crash-loop:n1@0s+1s;times=9;up=1ms;down=1ms");
  EXPECT_TRUE(broken_off->toggle().has_value());
  EXPECT_TRUE(broken_off->toggle().has_value());
  heal(*broken_off);
  co_await tests::await_answer(cluster, 0);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(ProcessFaultsTest, CrashLoopKillsAgainAndAgain) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &crash_loop); });
}

awaitable<void> kill_recovery(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "kill-recovery:n2@0s+1s;times=20;window=1ms;down=1ms");
  co_await toggle_through(*fault, 0);
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "killed before it listened"), 1);
  co_await tests::await_answer(cluster, 1);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(ProcessFaultsTest, KillRecoveryStrikesBeforeTheNodeIsUp) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &kill_recovery); });
}

awaitable<void> rolling_restart(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const std::vector<int> before{cluster.pid(0), cluster.pid(1), cluster.pid(2)};
  auto fault = co_await begin(context, "rolling-restart:all@0s+1s");
  co_await toggle_through(*fault, 3);
  heal(*fault);
  EXPECT_EQ(evidence_of(fault->record(), "restarted"), 3);
  for (std::size_t node = 0; node < 3; ++node) EXPECT_NE(cluster.pid(node), before[node]);
  auto short_one = co_await begin(context, "rolling-restart:all@0s+1s");
  EXPECT_TRUE(short_one->toggle().has_value());  // the first was asked to stop
  EXPECT_TRUE(short_one->heal().has_value());
  EXPECT_FALSE(short_one->record().exercised);
  for (std::size_t node = 0; node < 3; ++node) co_await tests::await_answer(cluster, node);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(ProcessFaultsTest, RollingRestartWaitsForEachNode) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 1}, &rolling_restart); });
}

awaitable<void> fd_limit(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  rlimit before{};
  ::prlimit(cluster.pid(1), RLIMIT_NOFILE, nullptr, &before);
  auto standing = co_await tests::connect(cluster, 0, 1);
  EXPECT_EQ(co_await ask_on(standing, "echo in", kLong), "in");
  auto fault = co_await begin(context, "fd-limit:n2@0s+1s");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo not accepted", kSoon), "silence");
  EXPECT_EQ(co_await ask_on(standing, "echo still in", kLong), "still in");
  EXPECT_TRUE(fault->toggle().has_value());
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "not accepted"), 1);
  EXPECT_EQ(evidence_of(fault->record(), "accepted"), 0);
  rlimit after{};
  ::prlimit(cluster.pid(1), RLIMIT_NOFILE, nullptr, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_cur);
  co_await tests::await_answer(cluster, 1);
  expect_healed(cluster);
}

TEST_P(ProcessFaultsTest, FdLimitStopsNewConnectionsOnly) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &fd_limit); });
}

awaitable<void> memory(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "memory:n2@0s+1s;headroom=1");
  EXPECT_NE(co_await ask(cluster, 0, 1, "grow 256"), "grown");
  const auto down = co_await cluster.wait_down(1, kLong);
  EXPECT_TRUE(down.has_value());
  heal(*fault);
  EXPECT_EQ(evidence_of(fault->record(), "ended of it"), 1);
  co_await tests::await_answer(cluster, 1);
  EXPECT_EQ(co_await ask(cluster, 0, 1, "grow 16"), "grown");
  EXPECT_TRUE(cluster.unexpected_deaths().empty()) << "blamed for what the fault did";
  // Without a fault it is its own failure.
  EXPECT_NE(co_await ask(cluster, 0, 0, "exit 7"), "7");
  EXPECT_TRUE((co_await cluster.wait_down(0, kLong)).has_value());
  EXPECT_EQ(cluster.unexpected_deaths().size(), 1U);
}

TEST_P(ProcessFaultsTest, ANodeThatEndsForWantOfMemoryIsStartedAgain) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &memory); });
}

awaitable<void> cpu(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  cpu_set_t before;
  ::sched_getaffinity(cluster.pid(1), sizeof before, &before);
  auto fault = co_await begin(context, "cpu:n2@0s+1s;share=25%");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "spin 50", kLong), "spun");
  heal(*fault);
  EXPECT_EQ(evidence_of(fault->record(), "competitors on its processor"), 3);
  EXPECT_GE(evidence_of(fault->record(), "n2 ran"), 40);
  EXPECT_GE(evidence_of(fault->record(), "n2 waited for a processor"), 40);
  cpu_set_t after;
  ::sched_getaffinity(cluster.pid(1), sizeof after, &after);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  expect_healed(cluster);
}

TEST_P(ProcessFaultsTest, CpuMakesABusyNodeWait) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &cpu); });
}

INSTANTIATE_TEST_SUITE_P(Users,
                         ProcessFaultsTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
