#include "harness/cluster/cluster.hpp"

#include <csignal>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <poll.h>

#include "harness/base/deadline.hpp"
#include "harness/base/file.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/test_cluster.hpp"

namespace sunder::cluster {
namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using tests::ask;
using tests::in_universe;
using tests::with_cluster;

constexpr milliseconds kSoon{300};
constexpr std::chrono::seconds kLimit{10};

class ClusterTest : public tests::InUniverse {};

void expect_clean(const Cluster& cluster) {
  const auto left = cluster.leftovers();
  ASSERT_TRUE(left.has_value()) << left.error().message();
  EXPECT_TRUE(left->empty()) << left->front();
}

// ---- links ----

awaitable<void> cut_between_nodes(Cluster& cluster) {
  EXPECT_EQ(co_await ask(cluster, 0, 0, "ask 10.0.0.2 hello"), "hello");
  LinkMatrix cut(cluster.endpoints());
  cut.at(0, 1).blackhole = true;
  const auto change = cluster.apply(1, cut);
  EXPECT_TRUE(change.has_value());
  EXPECT_EQ(change->links, 1U);
  EXPECT_EQ(cluster.installed(), cut);
  // TCP needs both directions; links of others do not care.
  EXPECT_EQ(co_await ask(cluster, 0, 0, "ask 10.0.0.2 hello"), "silence");
  EXPECT_EQ(co_await ask(cluster, 0, 1, "ask 10.0.0.1 hello"), "silence");
  EXPECT_EQ(co_await ask(cluster, 0, 0, "ask 10.0.0.3 hello"), "hello");
  EXPECT_EQ(cluster.leftovers()->size(), 1U);
  const auto counters = cluster.counters();
  EXPECT_GT((*counters)[0 * cluster.endpoints() + 1].dropped, 0U);
  EXPECT_EQ((*counters)[1 * cluster.endpoints() + 0].dropped, 0U);
  EXPECT_TRUE(cluster.withdraw(1).has_value());
  EXPECT_EQ(co_await ask(cluster, 0, 0, "ask 10.0.0.2 hello"), "hello");
  expect_clean(cluster);
}

TEST_P(ClusterTest, CutsLinksBetweenNodes) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 2}, &cut_between_nodes); });
}

// An established connection hears nothing, not even an error, while the link is cut, and goes on
// after the heal.
awaitable<void> cut_a_connection(Cluster& cluster) {
  tcp::socket connection = co_await tests::connect(cluster, 0, 0);
  EXPECT_EQ(co_await tests::ask_on(connection, "echo one", kLimit), "one");
  const auto client = static_cast<Endpoint>(cluster.nodes());
  LinkMatrix cut(cluster.endpoints());
  cut.at(0, client).blackhole = true;
  EXPECT_TRUE(cluster.apply(1, cut).has_value());
  EXPECT_EQ(co_await tests::ask_on(connection, "echo two", kSoon), "silence");
  EXPECT_EQ(co_await ask(cluster, 1, 0, "echo other client"), "other client");
  EXPECT_TRUE(cluster.withdraw(1).has_value());
  EXPECT_EQ(co_await tests::ask_on(connection, "echo three", kLimit), "two");
}

TEST_P(ClusterTest, CutsAnEstablishedConnectionSilently) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 2}, &cut_a_connection); });
}

awaitable<void> overlap_faults(Cluster& cluster) {
  LinkMatrix first(cluster.endpoints());
  first.at(0, 1).blackhole = true;
  first.at(1, 0).blackhole = true;
  LinkMatrix second(cluster.endpoints());
  second.at(0, 1).blackhole = true;
  second.at(0, 2).blackhole = true;
  EXPECT_EQ(cluster.apply(1, first)->links, 2U);
  EXPECT_EQ(cluster.apply(2, second)->links, 1U);
  EXPECT_EQ(cluster.withdraw(1)->links, 1U);
  EXPECT_EQ(cluster.installed(), second);
  EXPECT_EQ(cluster.leftovers()->size(), 2U);
  EXPECT_EQ(cluster.withdraw(2)->links, 2U);
  EXPECT_EQ(cluster.withdraw(2)->links, 0U);
  expect_clean(cluster);
  co_return;
}

TEST_P(ClusterTest, HealsOneOfTwoOverlappingFaults) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 3, .clients = 1}, &overlap_faults); });
}

// ---- processes ----

awaitable<void> kill_and_restart(Cluster& cluster) {
  const int before = cluster.pid(1);
  EXPECT_GT(before, 0);
  EXPECT_TRUE(cluster.signal(1, SIGKILL).has_value());
  EXPECT_EQ(cluster.state(1), NodeState::down);
  EXPECT_EQ(cluster.pid(1), 0);
  const auto down = co_await cluster.wait_down(1, kLimit);
  EXPECT_TRUE(down.has_value());
  EXPECT_TRUE(cluster.signal(1, SIGKILL).has_error());
  EXPECT_TRUE(cluster.start(1).has_value());
  EXPECT_TRUE(cluster.start(1).has_error());  // it runs
  co_await tests::await_answer(cluster, 1);
  EXPECT_NE(cluster.pid(1), before);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
}

TEST_P(ClusterTest, KillsAndRestartsANode) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &kill_and_restart); });
}

awaitable<void> pause_and_go_on(Cluster& cluster) {
  EXPECT_TRUE(cluster.signal(0, SIGSTOP).has_value());
  EXPECT_EQ(cluster.state(0), NodeState::paused);
  EXPECT_EQ(co_await ask(cluster, 0, 0, "echo hello", kSoon), "silence");
  const auto early = co_await cluster.wait_down(0, milliseconds(20));
  EXPECT_TRUE(early.has_error() && is(early.error(), Errc::timed_out));
  EXPECT_EQ(cluster.leftovers()->size(), 1U);
  EXPECT_TRUE(cluster.signal(0, SIGCONT).has_value());
  EXPECT_EQ(cluster.state(0), NodeState::running);
  EXPECT_EQ(co_await ask(cluster, 0, 0, "echo hello", milliseconds(5000)), "hello");
  expect_clean(cluster);
  // stop_all() must end a paused node as well.
  EXPECT_TRUE(cluster.signal(1, SIGSTOP).has_value());
}

TEST_P(ClusterTest, PausesANode) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &pause_and_go_on); });
}

awaitable<void> die_of_itself(Cluster& cluster) {
  (void)co_await ask(cluster, 0, 1, "exit 7");
  const auto down = co_await cluster.wait_down(1, kLimit);
  EXPECT_TRUE(down.has_value());
  EXPECT_EQ(cluster.state(1), NodeState::down);
  EXPECT_EQ(cluster.unexpected_deaths().size(), 1U);
  if (cluster.unexpected_deaths().empty()) co_return;
  EXPECT_EQ(cluster.unexpected_deaths()[0].node, 1U);
  EXPECT_EQ(cluster.unexpected_deaths()[0].how, "exit 7");
}

TEST_P(ClusterTest, RecordsADeathThatNobodyAskedFor) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &die_of_itself); });
}

TEST_P(ClusterTest, SaysThatAProgramIsMissing) {
  in_universe(GetParam(), [] {
    const tests::TemporaryFolder folder;
    boost::asio::io_context loop(1);
    ClusterOptions options;
    options.nodes = 1;
    options.directory = folder.path();
    options.command = [](std::size_t, const std::filesystem::path&) {
      return NodeCommand{"/nonexistent/node", {}, {}};
    };
    auto cluster = Cluster::create(loop.get_executor(), std::move(options));
    ASSERT_TRUE(cluster.has_value());
    const auto started = (*cluster)->start(0);
    ASSERT_TRUE(started.has_error());
    EXPECT_NE(started.error().message().find("/nonexistent/node"), std::string::npos);
    EXPECT_EQ((*cluster)->state(0), NodeState::down);
  });
}

// ---- events, and programs beside the cluster ----

struct Told {
  std::size_t started = 0;
  std::size_t flood = 0;
  std::string last_node;
};

// Keeps count of what the nodes tell from now on.
std::shared_ptr<Told> listen(Cluster& cluster) {
  auto told = std::make_shared<Told>();
  cluster.on_event([told](const history::NodeEvent& event) {
    told->last_node = event.node;
    if (event.event == "started") ++told->started;
    if (event.event == "flood") ++told->flood;
  });
  return told;
}

awaitable<void> hear_a_start(Cluster& cluster) {
  const auto told = listen(cluster);
  EXPECT_TRUE(cluster.signal(1, SIGTERM).has_value());
  const auto down = co_await cluster.wait_down(1, kLimit);
  EXPECT_TRUE(down.has_value());
  EXPECT_TRUE(cluster.start(1).has_value());
  const auto begun = base::MonotonicClock::now();
  while (told->started == 0 && base::MonotonicClock::now() - begun < kLimit) {
    co_await base::pause_for(milliseconds(1));
  }
  EXPECT_EQ(told->started, 1U);
  EXPECT_EQ(told->last_node, "n2");
  EXPECT_EQ(cluster.dropped_events(), 0U);
}

TEST_P(ClusterTest, HearsTheEventsOfANode) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &hear_a_start); });
}

// Lets the node tell `count` events that nobody reads: our loop stands still until it has answered.
void flood_unheard(tcp::socket& connection, std::size_t count) {
  const std::string order = "flood " + std::to_string(count) + "\n";
  boost::asio::write(connection, boost::asio::buffer(order));
  pollfd answer{connection.native_handle(), POLLIN, 0};
  ASSERT_EQ(::poll(&answer, 1, static_cast<int>(milliseconds(kLimit).count())), 1);
}

// More than a pipe holds, told in one go: what does not arrive is counted as soon as a later one
// does.
awaitable<void> lose_events(Cluster& cluster) {
  const auto told = listen(cluster);
  std::size_t sent = 50'000;
  auto connection = co_await tests::connect(cluster, 0, 1);
  flood_unheard(connection, sent);
  const auto begun = base::MonotonicClock::now();
  while (told->flood + cluster.dropped_events() != sent) {
    if (base::MonotonicClock::now() - begun > kLimit) break;
    EXPECT_EQ(co_await ask(cluster, 0, 1, "flood 1", kLimit), "flooded");
    ++sent;
    co_await base::pause_for(milliseconds(1));
  }
  EXPECT_EQ(told->flood + cluster.dropped_events(), sent);
  EXPECT_GT(told->flood, 0U);
  EXPECT_GT(cluster.dropped_events(), 0U);
}

TEST_P(ClusterTest, CountsEventsThatFindThePipeFull) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &lose_events); });
}

awaitable<void> run_a_program(Cluster& cluster) {
  std::vector<std::string> command{"sh", "-c", "grep -q '^10.0.0.2 n2$' /etc/hosts && exit 5"};
  const auto status = co_await cluster.run_beside(std::move(command));
  EXPECT_TRUE(status.has_value() && *status == 5);
  std::vector<std::string> missing{"no-such-program-here"};
  const auto none = co_await cluster.run_beside(std::move(missing));
  EXPECT_TRUE(none.has_error());
}

TEST_P(ClusterTest, RunsAProgramBesideIt) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clients = 1}, &run_a_program); });
}

INSTANTIATE_TEST_SUITE_P(Users, ClusterTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::cluster
