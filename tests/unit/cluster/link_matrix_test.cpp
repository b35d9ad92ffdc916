#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "harness/cluster/cluster.hpp"
#include "harness/cluster/link_leaf.hpp"
#include "harness/cluster/universe.hpp"
#include "harness/netlink/netem.hpp"

namespace sunder::cluster {
namespace {

TEST(LinkMatrix, FoldsToTheStrongestCut) {
  const LinkState healthy;
  const LinkState cut{.blackhole = true};
  EXPECT_EQ(fold(healthy, healthy), healthy);
  EXPECT_EQ(fold(healthy, cut), cut);
  EXPECT_EQ(fold(cut, healthy), cut);
  EXPECT_EQ(fold(cut, cut), cut);
}

TEST(LinkMatrix, FoldsLinkByLink) {
  LinkMatrix a(3);
  LinkMatrix b(3);
  a.at(0, 1).blackhole = true;
  b.at(1, 0).blackhole = true;
  const LinkMatrix both = fold(a, b);
  EXPECT_FALSE(both.at(0, 1).healthy());
  EXPECT_FALSE(both.at(1, 0).healthy());
  EXPECT_TRUE(both.at(0, 2).healthy());
  EXPECT_EQ(fold(a, LinkMatrix(3)), a);
}

// Strengths with zeros among them, so that absent parts are drawn often.
double any_share() {
  return *rc::gen::element(0.0, 0.0, 0.001, 0.05, 0.3, 0.75, 1.0);
}

std::chrono::nanoseconds any_time() {
  return std::chrono::microseconds(*rc::gen::element(0, 0, 1, 700, 20'000, 3'000'000));
}

LinkState any_state() {
  LinkState state;
  state.blackhole = *rc::gen::element(false, false, false, true);
  state.delay = any_time();
  state.jitter = any_time();
  state.distribution = *rc::gen::element(Distribution::uniform,
                                         Distribution::normal,
                                         Distribution::pareto_normal,
                                         Distribution::pareto,
                                         Distribution::table);
  state.table = *rc::gen::element(
      netlink::uniform_delays(), netlink::normal_delays(), netlink::pareto_delays());
  state.overtaking = *rc::gen::element(false, true);
  state.loss = any_share();
  state.loss_burst = *rc::gen::element(0.0, 1.0, 4.0, 10.0);
  state.duplicate = any_share();
  state.reorder = any_share();
  state.corrupt = any_share();
  state.rate = *rc::gen::element<std::uint64_t>(0, 0, 8, 1'000'000, 10'000'000'000);
  state.seed = *rc::gen::arbitrary<std::uint64_t>();
  return state;
}

// Equal but for the rounding of probabilities.
bool same(LinkState a, LinkState b) {
  const auto near = [](double& x, double& y) {
    const bool is_near = std::abs(x - y) < 1e-12;
    x = y;
    return is_near;
  };
  return near(a.loss, b.loss) && near(a.duplicate, b.duplicate) && near(a.reorder, b.reorder) &&
         near(a.corrupt, b.corrupt) && a == b;
}

TEST(LinkState, FoldsInAnyOrder) {
  EXPECT_TRUE(rc::check("commutative, associative, healthy is neutral", [] {
    const LinkState a = any_state();
    const LinkState b = any_state();
    const LinkState c = any_state();
    RC_ASSERT(same(fold(a, b), fold(b, a)));
    RC_ASSERT(same(fold(fold(a, b), c), fold(a, fold(b, c))));
    RC_ASSERT(same(fold(a, LinkState{}), normalized(a)));
    RC_ASSERT(leaf_of(fold(a, LinkState{}), 7) == leaf_of(a, 7));
  }));
}

// Every strength at zero, with whatever belongs to none: exactly the healthy leaf and rate.
TEST(LinkState, StrengthZeroEqualsAbsent) {
  const netlink::Leaf healthy = leaf_of(LinkState{}, 0);
  EXPECT_EQ(healthy.kind, "pfifo");
  EXPECT_TRUE(rc::check("no strength, no trace", [&] {
    LinkState state = any_state();
    state.blackhole = false;
    state.delay = state.jitter = std::chrono::nanoseconds(0);
    state.loss = state.duplicate = state.corrupt = 0;
    state.rate = 0;
    RC_ASSERT(state.healthy());
    RC_ASSERT(leaf_of(state, *rc::gen::inRange<std::uint64_t>(0, 400)) == healthy);
    RC_ASSERT(class_rate_of(state) == kFull_rate);
    state.reorder = 0;
    RC_ASSERT(normalized(state) == LinkState{});
    const LinkState other = any_state();
    RC_ASSERT(fold(state, other) == normalized(other));
  }));
}

TEST(LinkState, IsHealthyExactlyWhenItsLeafIs) {
  EXPECT_TRUE(rc::check("healthy() and the kernel's view agree", [] {
    const LinkState state = any_state();
    const bool plain =
        leaf_of(state, 3) == leaf_of(LinkState{}, 3) && class_rate_of(state) == kFull_rate;
    // A rate above what any link has is felt by nobody.
    if (state.rate < kFull_rate * 8) RC_ASSERT(state.healthy() == plain);
  }));
}

// Healing one of several faults leaves exactly what the others want.
TEST(LinkState, HealingRecomputesFromTheRest) {
  LinkState slow{.delay = std::chrono::milliseconds(20), .rate = 1'000'000};
  LinkState lossy{.loss = 0.1, .loss_burst = 4, .seed = 9};
  const LinkState cut{.blackhole = true};
  const LinkState all = fold(fold(slow, lossy), cut);
  EXPECT_EQ(leaf_of(all, 0), netlink::blackhole());
  EXPECT_EQ(
      fold(slow, lossy),
      (LinkState{
          .delay = slow.delay, .loss = lossy.loss, .loss_burst = 4, .rate = slow.rate, .seed = 9}));
  EXPECT_EQ(fold(fold(LinkState{}, slow), LinkState{}), slow);
}

TEST(LinkState, CombinesStrengths) {
  const LinkState a{.delay = std::chrono::milliseconds(20),
                    .jitter = std::chrono::milliseconds(2),
                    .distribution = Distribution::pareto,
                    .loss = 0.5,
                    .loss_burst = 3,
                    .rate = 5'000};
  const LinkState b{.delay = std::chrono::milliseconds(30),
                    .jitter = std::chrono::milliseconds(3),
                    .distribution = Distribution::normal,
                    .overtaking = true,
                    .loss = 0.2,
                    .rate = 4'000};
  const LinkState both = fold(a, b);
  EXPECT_EQ(both.delay, std::chrono::milliseconds(50));
  EXPECT_EQ(both.jitter, std::chrono::milliseconds(5));
  EXPECT_EQ(both.distribution, Distribution::pareto);
  EXPECT_TRUE(both.overtaking);
  EXPECT_DOUBLE_EQ(both.loss, 0.6);
  EXPECT_EQ(both.loss_burst, 3);
  EXPECT_EQ(both.rate, 4'000U);
}

TEST(LinkState, SaysWhatItIs) {
  struct Row {
    LinkState state;
    const char* words;
  };

  for (const Row& row : {
           Row{{}, "healthy"},
           Row{{.reorder = 0.5}, "healthy"},
           Row{{.blackhole = true, .loss = 0.5}, "cut"},
           Row{{.delay = std::chrono::milliseconds(20),
           .jitter = std::chrono::microseconds(500),
           .distribution = Distribution::normal,
           .overtaking = true},
               "delay 20ms ± 500µs normal with overtaking"},
           Row{{.loss = 0.125, .loss_burst = 4, .rate = 1'500'000},
               "loss 12.5% in bursts of 4, rate 1.5 Mbit/s"},
           Row{{.delay = std::chrono::seconds(1), .duplicate = 0.01, .reorder = 0.5, .corrupt = 1},
               "delay 1s, duplicate 1%, reorder 50%, corrupt 100%"},
       }) {
    EXPECT_EQ(describe(row.state), row.words);
  }
}

netlink::Netem netem_of(const LinkState& state) {
  const netlink::Leaf leaf = leaf_of(state, 5);
  EXPECT_EQ(leaf.kind, "netem");
  return netlink::parse_netem(leaf.options).value();
}

TEST(LinkLeaf, KeepsTheOrderByARateThatDelaysNothing) {
  LinkState state{.delay = std::chrono::milliseconds(10), .jitter = std::chrono::milliseconds(5)};
  EXPECT_EQ(netem_of(state).rate, kFull_rate);
  state.overtaking = true;
  EXPECT_EQ(netem_of(state).rate, 0U);
  state.jitter = std::chrono::nanoseconds(0);
  state.overtaking = false;
  EXPECT_EQ(netem_of(state).rate, 0U);
}

TEST(LinkLeaf, HoldsWhatIsUnderWay) {
  EXPECT_EQ(packets_held(LinkState{}), 1000U);
  // One second at the most packets that a link can carry, and the queue.
  EXPECT_EQ(packets_held({.delay = std::chrono::seconds(1)}), 251'000U);
  EXPECT_EQ(packets_held({.delay = std::chrono::seconds(100)}), 500'000U);
  // A slow link queues a quarter of a second of full frames, and at least some small ones.
  EXPECT_EQ(packets_held({.rate = 100'000'000}), 1000U);
  EXPECT_EQ(packets_held({.rate = 10'000'000}), 206U);
  EXPECT_EQ(packets_held({.rate = 64'000}), 64U);
  EXPECT_EQ(packets_held({.delay = std::chrono::seconds(1), .rate = 480'000}), 64U + 1000U);
}

TEST(LinkLeaf, NeedsNoNetemForARate) {
  const LinkState slow{.rate = 10'000'000};
  EXPECT_EQ(leaf_of(slow, 0).kind, "pfifo");
  EXPECT_EQ(class_rate_of(slow), 1'250'000U);
  EXPECT_EQ(class_rate_of({.rate = 1}), 1U);
  EXPECT_EQ(class_rate_of({.blackhole = true, .rate = 1}), kFull_rate);
}

// The same seed gives each link chances of its own, and the same ones again.
TEST(LinkLeaf, SeedsLinksApart) {
  const LinkState lossy{.loss = 0.1, .seed = 42};
  EXPECT_EQ(leaf_of(lossy, 1), leaf_of(lossy, 1));
  EXPECT_NE(leaf_of(lossy, 1), leaf_of(lossy, 2));
  EXPECT_NE(netem_of(lossy).seed, 0U);
}

TEST(LinkMatrixDeathTest, RefusesMatricesOfDifferentSizes) {
  EXPECT_DEATH((void)fold(LinkMatrix(2), LinkMatrix(3)), "assertion failed");
}

TEST(Universe, NamesEverybodyInItsHosts) {
  EXPECT_EQ(hosts_of(2, 1), "127.0.0.1 localhost\n10.0.0.1 n1\n10.0.0.2 n2\n10.0.1.1 c1\n");
}

}  // namespace
}  // namespace sunder::cluster
