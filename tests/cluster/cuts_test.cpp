// Cuts of every kind on a real cluster: each is told apart by what a program sees, proved by the
// kernel's counters, healed, and leaves nothing.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "harness/base/deadline.hpp"
#include "harness/cluster/network_faults.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/standing_fault.hpp"
#include "tests/cluster/test_cluster.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::nemesis {
namespace {

using boost::asio::awaitable;
using cluster::Cluster;
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
constexpr milliseconds kLong{5000};

class CutsTest : public tests::InUniverse {};

// c1 sits with n1, c2 with n2.
awaitable<void> refuse(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto standing = co_await tests::connect(cluster, 0, 1);
  auto fault = co_await begin(context, "refuse:leader@0s+1s");
  // A new connection is refused at once, one that stands is reset by its next packet.
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo hi"), "Connection refused");
  EXPECT_EQ(co_await ask_on(standing, "echo hi", kLong), "Connection reset by peer");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "echo own side"), "own side");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 hi"), "Connection refused");
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "packets refused"), 3);
  EXPECT_FALSE(fault->record().porous);
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 across"), "across");
  expect_healed(cluster);
}

TEST_P(CutsTest, RefuseTellsTheSender) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 2}, &refuse); });
}

awaitable<void> no_new_connections(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto standing = co_await tests::connect(cluster, 0, 1);
  auto silent = co_await begin(context, "no-new-connections:c1>n2@0s+1s");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo new", kSoon), "silence");
  EXPECT_EQ(co_await ask_on(standing, "echo goes on", kLong), "goes on");
  heal(*silent);
  EXPECT_GE(evidence_of(silent->record(), "connection attempts stopped"), 1);
  auto told = co_await begin(context, "no-new-connections:c1>n2@0s+1s;answer=refuse");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo new"), "Connection refused");
  EXPECT_EQ(co_await ask_on(standing, "echo goes on", kLong), "goes on");
  heal(*told);
  EXPECT_TRUE(told->record().porous);
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo new"), "new");
  // Established connections that are lost cannot come back.
  auto losing = co_await begin(context, "no-new-connections:c1<>n2@0s+1s;lose=100%");
  EXPECT_NE(co_await ask_on(standing, "echo gone", kLong), "gone");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo new", kSoon), "silence");
  heal(*losing);
  EXPECT_GE(evidence_of(losing->record(), "connections lost"), 1);
  expect_healed(cluster);
}

TEST_P(CutsTest, EstablishedConnectionsGoOnWhileNewOnesFail) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 2}, &no_new_connections); });
}

awaitable<void> disconnect(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto first = co_await tests::connect(cluster, 0, 1);
  EXPECT_EQ(co_await ask_on(first, "echo before", kLong), "before");
  auto fault = co_await begin(context, "disconnect:n2<>c1@0s+1s;period=1s");
  EXPECT_EQ(co_await ask_on(first, "echo after", kLong), "Connection reset by peer");
  // It may come back at once, until the next time.
  auto second = co_await tests::connect(cluster, 0, 1);
  EXPECT_EQ(co_await ask_on(second, "echo again", kLong), "again");
  EXPECT_TRUE(fault->toggle().has_value());
  EXPECT_EQ(co_await ask_on(second, "echo after", kLong), "Connection reset by peer");
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "connections destroyed"), 2);
  expect_healed(cluster);
}

TEST_P(CutsTest, DisconnectResetsBothEndsAgainAndAgain) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &disconnect); });
}

awaitable<void> half_open(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto standing = co_await tests::connect(cluster, 0, 1);
  EXPECT_EQ(co_await ask_on(standing, "echo before", kLong), "before");
  // The node loses the connection; the client is not told and waits for an answer.
  auto fault = co_await begin(context, "half-open:c1<>n2@0s+1s;told=second");
  EXPECT_EQ(co_await ask_on(standing, "echo anybody", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "echo new"), "new");
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "connections lost at one end"), 1);
  EXPECT_GE(evidence_of(fault->record(), "resets withheld"), 2);
  // From now on its next packet is answered.
  EXPECT_EQ(co_await ask_on(standing, "echo anybody", kLong), "Connection reset by peer");
  expect_healed(cluster);
}

TEST_P(CutsTest, HalfOpenTellsOneEndOnly) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &half_open); });
}

// Asks a node from within its own namespace, which no cut concerns.
awaitable<std::string> ask_inside(Cluster& cluster, std::size_t node, std::string line) {
  auto begun = cluster.network().connect_inside(node);
  if (begun.has_error()) co_return begun.error().message();
  auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::ip::tcp::socket connection(executor);
  connection.assign(boost::asio::ip::tcp::v4(), begun->release());
  co_return co_await ask_on(connection, std::move(line), kLong);
}

awaitable<void> link_down(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto inside = co_await tests::connect(cluster, 0, 0);
  auto fault = co_await begin(context, "link-down:n1@0s+1s");
  auto other = co_await begin(context, "link-down:n1@0s+1s;seed=1");
  EXPECT_EQ(co_await ask(cluster, 0, 0, "echo hi", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 hi"), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.3 hi"), "hi");
  EXPECT_EQ(co_await ask_inside(cluster, 0, "ask 10.0.0.2 hi"), "Network is unreachable");
  // Two faults want it down: the end of one is not the end of both.
  EXPECT_TRUE(other->heal().has_value());
  const auto up = cluster.network().is_up(0);
  EXPECT_TRUE(up.has_value() && !*up);
  heal(*fault);
  EXPECT_GE(evidence_of(fault->record(), "packets without a route"), 1);
  EXPECT_EQ(evidence_of(fault->record(), "interfaces seen down"), 1);
  // The kernel brings the carrier back up to a second later.
  co_await tests::await_answer(cluster, 0);
  EXPECT_EQ(co_await ask(cluster, 1, 1, "ask 10.0.0.1 back"), "back");
  EXPECT_EQ(co_await ask(cluster, 1, 0, "ask 10.0.0.2 back"), "back");
  EXPECT_EQ(co_await ask_on(inside, "echo still", kLong), "still");
  expect_healed(cluster);
}

TEST_P(CutsTest, LinkDownIsUndoneWithItsNeighbours) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 2}, &link_down); });
}

awaitable<void> all_at_once(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  ScheduleOptions options;
  options.nodes = cluster.nodes();
  options.clients = cluster.clients();
  auto schedule = make_schedule(
      "partition:moving@0s+250ms;every=50ms,refuse:link@20ms+200ms,link-down:n2@40ms+100ms;"
      "flap=30ms,no-new-connections:halves@60ms+100ms;lose=50%,half-open:client-link@30ms+100ms,"
      "disconnect:one@10ms+200ms;period=40ms,refuse:c1+c2<>n3@50ms+100ms",
      options);
  EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  auto records = co_await run_schedule(context, std::move(*schedule));
  EXPECT_TRUE(records.has_value()) << records.error().message();
  EXPECT_EQ(records->size(), 7U);
  for (const history::FaultRecord& record : *records) EXPECT_NE(record.healed, 0);
  for (std::size_t node = 0; node < cluster.nodes(); ++node) {
    co_await tests::await_answer(cluster, node);
  }
  expect_healed(cluster);
}

TEST_P(CutsTest, CutsOfAllKindsComposeAndLeaveNothing) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 3}, &all_at_once); });
}

INSTANTIATE_TEST_SUITE_P(Users, CutsTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
