// Families that degrade links on a real cluster: felt, proved by the kernel's counters and a probe,
// healed, and leaving nothing. All but the rate where the kernel has netem only.

#include <cstdio>

#include <gtest/gtest.h>
#include <sys/vfs.h>

#include "harness/netlink/netem.hpp"
#include "harness/netlink/socket.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/standing_fault.hpp"
#include "tests/cluster/test_cluster.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::nemesis {
namespace {

using boost::asio::awaitable;
using cluster::Cluster;
using tests::ask;
using tests::begin;
using tests::context_of;
using tests::evidence_of;
using tests::expect_healed;
using tests::in_universe;
using tests::with_cluster;

class LinkFaultsTest : public tests::InUniverse {};

// So many questions that each strength is met by some packets.
awaitable<void> talk(Cluster& cluster, int questions) {
  for (int i = 0; i < questions; ++i) {
    EXPECT_EQ(co_await ask(cluster, 0, 0, "echo a word", std::chrono::seconds(20)), "a word");
  }
}

// On the file system that User-Mode Linux has of its host every file is the caller's, so another
// user cannot keep a node's directory there.
bool can_keep_files(tests::User user) {
  constexpr long kHostfs = 0x00c0ffee;

  struct statfs root {};

  const bool hostfs = ::statfs("/tmp", &root) == 0 && root.f_type == kHostfs;
  if (hostfs && user == tests::User::ordinary) std::printf("skipped: /tmp is the host's\n");
  return !hostfs || user == tests::User::root;
}

awaitable<void> rate(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "rate:clients@0s+1s;rate=64kbit");
  co_await talk(cluster, 5);
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
  EXPECT_GT(evidence_of(fault->record(), "waits for the rate"), 0);
  expect_healed(cluster);
}

TEST_P(LinkFaultsTest, ARateIsWaitedFor) {
  if (!can_keep_files(GetParam())) return;
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 2}, &rate); });
}

bool kernel_has_netem() {
  auto socket = netlink::Socket::open();
  netlink::Batch batch;
  constexpr int kLoopback = 1;
  batch.add(netlink::replace_root(kLoopback, netlink::netem({})), "try netem");
  return socket.has_value() && socket->send_all(batch).has_value();
}

awaitable<void> everything(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  for (const char* text : {"delay:clients@0s+1s;latency=30ms;jitter=5ms;distribution=pareto",
                           "loss:clients@0s+1s;loss=5%;burst=2",
                           "reorder:clients@0s+1s;latency=10ms;reorder=40%",
                           "corrupt:clients@0s+1s;corrupt=5%",
                           "duplicate:c1>n1@0s+1s;duplicate=30%",
                           "degrade:clients@0s+1s;latency=10ms;loss=5%;rate=1mbit"}) {
    SCOPED_TRACE(text);
    auto fault = co_await begin(context, text);
    co_await talk(cluster, 20);
    EXPECT_TRUE(fault->heal().has_value());
    EXPECT_TRUE(fault->record().exercised) << text << ": " << fault->record().reason;
    expect_healed(cluster);
  }
}

TEST_P(LinkFaultsTest, EveryFamilyIsFeltAndProved) {
  if (!can_keep_files(GetParam())) return;
  in_universe(GetParam(), [] {
    if (!kernel_has_netem()) {
      std::printf("skipped: this kernel has no sch_netem; run it under User-Mode Linux\n");
      return;
    }
    with_cluster({.nodes = 2, .clients = 2}, &everything);
  });
}

INSTANTIATE_TEST_SUITE_P(Users,
                         LinkFaultsTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
