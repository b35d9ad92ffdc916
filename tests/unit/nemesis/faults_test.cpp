// Faults and schedules at work on a fake cluster with real child processes: effect, evidence,
// healing, cancellation.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/deadline.hpp"
#include "harness/base/task_group.hpp"
#include "harness/history/operation.hpp"
#include "nemesis/nemesis.hpp"
#include "tests/unit/nemesis/fake_cluster.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;
using cluster::NodeState;
using history::FaultRecord;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

double evidence(const FaultRecord& record, std::string_view name) {
  for (const history::Evidence& item : record.evidence) {
    if (item.name == name) return item.value;
  }
  ADD_FAILURE() << "no evidence '" << name << "' of " << record.description;
  return -1;
}

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

class Faults : public ::testing::Test {
 protected:
  // Runs the schedule to its end.
  Result<std::vector<FaultRecord>> run(std::string_view text) {
    std::optional<Result<std::vector<FaultRecord>>> outcome;
    auto task = run_schedule(context, parse(text));
    auto keep = [&](const std::exception_ptr& error, Result<std::vector<FaultRecord>> result) {
      if (error) std::rethrow_exception(error);
      outcome.emplace(std::move(result));
    };
    boost::asio::co_spawn(loop, std::move(task), std::move(keep));
    loop.restart();
    loop.run();
    return std::move(*outcome);
  }

  Schedule parse(std::string_view text) {
    ScheduleOptions options;
    options.nodes = cluster.nodes();
    options.random = base::Random(3);
    auto schedule = make_schedule(text, options);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
    return std::move(*schedule);
  }

  void expect_all_running() {
    for (std::size_t node = 0; node < cluster.nodes(); ++node) {
      EXPECT_EQ(cluster.state(node), NodeState::running) << "n" << node + 1;
    }
    EXPECT_TRUE(cluster.overlays.empty());
  }

  boost::asio::io_context loop;
  FakeCluster cluster{5, 5};
  base::RunClock clock;
  std::vector<FaultRecord> written;  // every record as it was written down
  NemesisContext context{cluster,
                         clock,
                         [] { return std::optional<std::size_t>(1); },
                         {0, 1, 2, 3, 4},
                         false,
                         [this](auto handler) { tell = std::move(handler); },
                         history::kNever,
                         [this](const FaultRecord& record) { written.push_back(record); }};
  std::function<void(const history::NodeEvent&)> tell;  // set while a schedule runs

  // Tells the schedule of an event of this node, a little after the last one.
  boost::asio::awaitable<void> tell_events(std::vector<std::pair<std::string, std::string>> told) {
    for (const auto& [node, name] : told) {
      co_await base::pause_for(10ms);
      history::NodeEvent event;
      event.node = node;
      event.event = name;
      event.time = clock.now();
      if (tell) tell(event);
    }
  }

  Result<std::vector<FaultRecord>> run_with_events(
      std::string_view text, std::vector<std::pair<std::string, std::string>> told) {
    auto telling = tell_events(std::move(told));
    boost::asio::co_spawn(loop, std::move(telling), rethrow);
    return run(text);
  }
};

TEST_F(Faults, AnEventPlacesAFaultOnTheNodeThatToldIt) {
  const auto records =
      run_with_events("kill:subject@became-leader+5ms;count=2;delay=2ms",
                      {{"n1", "became-leader"}, {"n2", "appended"}, {"n3", "became-leader"}});
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 1U);
  const FaultRecord& record = records->front();
  EXPECT_EQ(record.description, "kill subject: n3");
  EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_GE(evidence(record, "lag"), 2.0);
  EXPECT_GE(record.active.begin, 30'000'000);
  EXPECT_FALSE(tell) << "the schedule still listens";
  expect_all_running();
}

// A node may end by itself an instant before the signal: that is its own failure, not the harness'.
TEST_F(Faults, ANodeThatEndedByItselfIsNoVictim) {
  for (const std::string family : {"kill", "pause", "restart", "crash-loop"}) {
    SCOPED_TRACE(family);
    cluster.vanished = 2;
    const int before = cluster.pid(2);
    const auto records = run(family + ":n3@0s+20ms");
    ASSERT_TRUE(records.has_value()) << records.error().message();
    EXPECT_FALSE(records->front().exercised);
    EXPECT_EQ(records->front().reason, "its nodes had ended by themselves");
    EXPECT_EQ(cluster.pid(2), before) << "it was started again";
  }
  const auto records = run("kill:n2+n3@0s+20ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  EXPECT_TRUE(records->front().exercised);
  EXPECT_THAT(records->front().description, HasSubstr("n3 had ended by itself"));
}

TEST_F(Faults, APausedLeaderCanStillBeCutOff) {
  const auto records = run("pause:leader@0s+20ms,partition:leader-deaf@5ms+5ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  EXPECT_EQ(records->at(0).description, "pause leader: n2");
  EXPECT_EQ(records->at(1).description, "partition leader-deaf: n1,n3,n4,n5 > n2");
}

TEST_F(Faults, OneEventPlacesSeveralFaultsAndTheOthers) {
  const auto records =
      run_with_events("partition:subject@snapshot-taken+5ms,pause:others@snapshot-taken+5ms",
                      {{"n4", "snapshot-taken"}});
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ(records->at(0).description, "partition subject: n4 | n1,n2,n3,n5");
  EXPECT_EQ(records->at(1).description, "pause others: n1,n2,n3,n5");
  expect_all_running();
}

TEST_F(Faults, EventsBeforeTheFaultIsArmedDoNotCount) {
  context.events_until = clock.now() + 60'000'000;
  const auto records =
      run_with_events("kill:subject@became-leader+5ms;after=40s", {{"n1", "became-leader"}});
  ASSERT_TRUE(records.has_value());
  EXPECT_FALSE(records->front().exercised);
}

TEST_F(Faults, AnEventThatNeverCameLeavesTheFaultUnexercised) {
  context.events_until = clock.now() + 30'000'000;
  // Told as soon as the schedule listens: however slow the machine is, it comes in time.
  context.on_event = [](const std::function<void(const history::NodeEvent&)>& handler) {
    history::NodeEvent event;
    event.node = "n1";
    event.event = "became-leader";
    if (handler) handler(event);
  };
  const auto records = run("kill:leader@became-leader+5ms;count=2,kill:n2@0s+5ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 2U);
  const FaultRecord& record = records->front();
  EXPECT_FALSE(record.exercised);
  EXPECT_EQ(record.description, "kill leader: never placed");
  EXPECT_EQ(record.reason, "its event never came: 1 of 2 became-leader from 0 ms of the load on");
  EXPECT_TRUE(records->at(1).exercised);
}

TEST_F(Faults, TheHarnessOwnEventsPlaceFaultsToo) {
  const auto records = run_with_events(
      "kill:n1@at-start+5ms, pause:subject@node-started+2ms, restart:n3@after-acks=3+1ms",
      {{"", "after-acks"}, {"", "after-acks"}, {"", "after-acks"}});
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 3U);
  for (const FaultRecord& record : *records) EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_EQ(records->at(1).description, "pause subject: n1");
  EXPECT_GE(records->at(2).active.begin, 30'000'000);
  expect_all_running();
}

TEST_F(Faults, PartitionCutsBothWaysAndTakesClientsAlong) {
  const auto records = run("partition:n1+n2/n3+n4+n5@0s+20ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 1U);
  const FaultRecord& record = records->front();
  EXPECT_EQ(record.description, "partition groups: n1,n2 | n3,n4,n5");
  EXPECT_THAT(record.cut_links, Contains(Pair("n1", "n3")));
  EXPECT_THAT(record.cut_links, Contains(Pair("n3", "n1")));
  EXPECT_THAT(record.cut_links, Contains(Pair("c1", "n3")));
  EXPECT_THAT(record.cut_links, Contains(Pair("n5", "c2")));
  EXPECT_THAT(record.cut_links, testing::Not(Contains(Pair("n1", "n2"))));
  EXPECT_THAT(record.cut_links, testing::Not(Contains(Pair("c1", "n1"))));
  // 6 pairs of nodes, 2 × 3 + 3 × 2 pairs of a client and a node, both ways.
  EXPECT_EQ(record.cut_links.size(), 36U);
  EXPECT_TRUE(record.exercised);
  EXPECT_EQ(evidence(record, "packets dropped"), 36 * 5);
  EXPECT_EQ(evidence(record, "installed in"), 800);
  EXPECT_GE(record.active.end - record.active.begin, 20'000'000);
  EXPECT_LE(record.applying.begin, record.active.begin);
  EXPECT_GE(record.healed, record.active.end);
  expect_all_running();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written.front().active.end, history::kNever);
}

TEST_F(Faults, ClientsThatSeeAllKeepTheirLinks) {
  context.clients_see_all = true;
  const auto records = run("partition:n1@0s+5ms");
  ASSERT_TRUE(records.has_value());
  EXPECT_EQ(records->front().cut_links.size(), 8U);
}

TEST_F(Faults, APartitionThatDroppedNothingWasNotExercised) {
  cluster.drops_per_reading = 0;
  const auto records = run("partition:one@0s+5ms");
  ASSERT_TRUE(records.has_value());
  EXPECT_FALSE(records->front().exercised);
  EXPECT_THAT(records->front().reason, HasSubstr("no packet was dropped"));
}

TEST_F(Faults, OneDirectionOnlyCutsOneDirection) {
  const auto records = run("partition:n1>n2@0s+5ms");
  ASSERT_TRUE(records.has_value());
  EXPECT_THAT(records->front().cut_links,
              testing::UnorderedElementsAre(Pair("n1", "n2"), Pair("c1", "n2"), Pair("n1", "c2")));
}

TEST_F(Faults, AFlappingPartitionSaysWhenItStood) {
  const auto records = run("partition:one@0s+1s;flap=20ms");
  ASSERT_TRUE(records.has_value());
  const FaultRecord& record = records->front();
  ASSERT_GE(record.standing.size(), 2U);
  EXPECT_EQ(record.standing.front().begin, record.active.begin);
  for (std::size_t i = 0; i < record.standing.size(); ++i) {
    EXPECT_LT(record.standing[i].begin, record.standing[i].end);
    EXPECT_LE(record.standing[i].end, record.active.end);
    if (i > 0) {
      EXPECT_GT(record.standing[i].begin, record.standing[i - 1].end);
    }
  }
  EXPECT_GE(evidence(record, "flaps"), 2);
  EXPECT_EQ(cluster.applied, record.standing.size());
  expect_all_running();
}

TEST_F(Faults, WhatTheMachineCannotDoIsSkippedWithItsReason) {
  cluster.unsupported = true;
  const auto records = run("partition:one@0s+5ms,kill:n1@5ms+5ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 2U);
  EXPECT_FALSE(records->at(0).exercised);
  EXPECT_THAT(records->at(0).reason, HasSubstr("no such qdisc"));
  EXPECT_TRUE(records->at(1).exercised);
}

TEST_F(Faults, KillEndsProcessesAndStartsNewOnes) {
  const int before = cluster.pid(0);
  const auto records = run("kill:n1+n4@0s+20ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  const FaultRecord& record = records->front();
  EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_THAT(record.targets, ElementsAre("n1", "n4"));
  EXPECT_THAT(record.disabled_nodes, ElementsAre("n1", "n4"));
  EXPECT_EQ(evidence(record, "n1 pid killed"), before);
  EXPECT_EQ(evidence(record, "n1 pid restarted"), cluster.pid(0));
  EXPECT_NE(cluster.pid(0), before);
  EXPECT_GE(evidence(record, "n4 down"), 20);
  EXPECT_EQ(cluster.how_ended(3), "signal 9");
  expect_all_running();
}

TEST_F(Faults, ShapesChooseTheNodesTheyName) {
  struct Row {
    std::string text;
    std::size_t nodes;
  };

  for (const Row& row : {Row{"one", 1},
                         Row{"minority", 2},
                         Row{"majority", 3},
                         Row{"followers", 4},
                         Row{"all", 5}}) {
    const auto records = run("kill:" + row.text + "@0s+1ms");
    ASSERT_TRUE(records.has_value());
    EXPECT_EQ(records->front().targets.size(), row.nodes) << row.text;
  }
  const auto leader = run("kill:leader@0s+1ms");
  EXPECT_THAT(leader->front().targets, ElementsAre("n2"));
  EXPECT_THAT(run("kill:followers@0s+1ms")->front().targets, ElementsAre("n1", "n3", "n4", "n5"));
}

TEST_F(Faults, PauseStopsProcessesAndLetsThemGoOn) {
  const int before = cluster.pid(1);
  const auto records = run("pause:leader@0s+20ms");
  ASSERT_TRUE(records.has_value());
  const FaultRecord& record = records->front();
  EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_EQ(evidence(record, "n2 seen stopped"), 1);
  EXPECT_GE(evidence(record, "n2 paused"), 20);
  EXPECT_EQ(cluster.pid(1), before);
  expect_all_running();
}

TEST_F(Faults, RestartStopsCleanly) {
  const auto records = run("restart:n3@0s+5ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  EXPECT_TRUE(records->front().exercised) << records->front().reason;
  EXPECT_EQ(evidence(records->front(), "n3 stopped cleanly"), 1);
  expect_all_running();
}

TEST_F(Faults, ANodeThatDoesNotStopIsKilledAndTheFaultSaysSo) {
  cluster.stubborn = true;
  ASSERT_TRUE(run("kill:n3@0s+1ms").has_value());  // stubborn from its second start on
  const auto records = run("restart:n3@0s+1ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  EXPECT_FALSE(records->front().exercised);
  EXPECT_THAT(records->front().reason, HasSubstr("n3 did not stop on SIGTERM"));
  expect_all_running();
}

TEST_F(Faults, OverlappingFaultsEachHealTheirOwn) {
  const auto records = run("pause:n1@0s+60ms,kill:n1+n2@10ms+20ms,partition:n3@5ms+30ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  ASSERT_EQ(records->size(), 3U);
  // n1 was paused, so the kill found only n2.
  EXPECT_THAT(records->at(2).targets, ElementsAre("n2"));
  EXPECT_THAT(records->at(2).description, HasSubstr("n1 was not running"));
  for (const FaultRecord& record : *records) EXPECT_TRUE(record.exercised) << record.reason;
  expect_all_running();
}

TEST_F(Faults, AFaultWithNothingToActOnSaysSo) {
  const auto records = run("kill:n1@0s+40ms,kill:n1@10ms+10ms");
  ASSERT_TRUE(records.has_value()) << records.error().message();
  EXPECT_TRUE(records->at(0).exercised);
  EXPECT_FALSE(records->at(1).exercised);
  EXPECT_THAT(records->at(1).reason, HasSubstr("n1 was not running"));
  expect_all_running();
}

TEST_F(Faults, AnUnknownLeaderIsReplacedAndNamed) {
  context.leader = [] { return std::optional<std::size_t>(); };
  const auto records = run("kill:leader@0s+1ms,partition:leader@5ms+1ms");
  ASSERT_TRUE(records.has_value());
  for (const FaultRecord& record : *records)
    EXPECT_THAT(record.description, HasSubstr("no leader was known"));
}

TEST_F(Faults, AnErrorHealsTheOthersAndIsReturned) {
  cluster.fail_start = 0;
  const auto records = run("partition:one@0s+1h,pause:n2@0s+1h,kill:n1@1ms+5ms");
  ASSERT_TRUE(records.has_error());
  EXPECT_THAT(records.error().message(),
              HasSubstr("heal kill nodes: n1: start refused by the test"));
  EXPECT_EQ(cluster.state(1), NodeState::running);
  EXPECT_TRUE(cluster.overlays.empty());
}

TEST_F(Faults, DestructionHeals) {
  PlannedFault planned;
  planned.id = 1;
  planned.family = "partition";
  planned.shape = "one";
  std::unique_ptr<ActiveFault> active;
  auto keep = [&](const std::exception_ptr&, Result<std::unique_ptr<ActiveFault>> result) {
    active = std::move(*result);
  };
  auto task = find_fault("partition")->apply(context, planned);
  boost::asio::co_spawn(loop, std::move(task), std::move(keep));
  loop.run();
  ASSERT_NE(active, nullptr);
  EXPECT_EQ(cluster.overlays.size(), 1U);
  active.reset();
  EXPECT_TRUE(cluster.overlays.empty());
}

// A schedule made by hand: begins what is asked for, ends it when asked, survives what cannot be.
TEST_F(Faults, BeginOnRequestAndEndOnRequest) {
  ScheduleRequests requests;
  context.requests = &requests;
  base::TaskGroup group(loop.get_executor());
  Schedule wanted = parse("partition:one@0s+1h,pause:n2@0s+1h,pause:n3@committed+1s");
  context.record = [&](const FaultRecord& record) {
    written.push_back(record);
    if (written.size() == 2) requests.heal = {1, 3};
    if (written.size() == 4) group.cancel();
    if (requests.wake) requests.wake();
  };
  requests.begin = std::move(wanted);

  struct Run {
    static boost::asio::awaitable<void> all(NemesisContext& context) {
      (void)co_await run_schedule(context, Schedule());
    }

    static boost::asio::awaitable<void> join(base::TaskGroup& group) { co_await group.join(); }
  };

  auto task = Run::all(context);
  group.spawn("schedule", std::move(task));
  auto joined = Run::join(group);
  auto on_end = [](const std::exception_ptr& error) { EXPECT_FALSE(error); };
  boost::asio::co_spawn(loop, std::move(joined), std::move(on_end));
  loop.restart();
  loop.run();

  ASSERT_EQ(written.size(), 5U);
  EXPECT_THAT(written[2].description, HasSubstr("withdrawn"));
  EXPECT_EQ(written[3].id, 1U);
  EXPECT_GT(written[3].healed, 0);
  EXPECT_EQ(written[4].id, 2U) << "what stands at the end is healed";
  EXPECT_GT(written[4].healed, 0);
  EXPECT_FALSE(requests.wake);
}

// Cancels the schedule when the first fault has been written down; everything must be healed when
// it has ended.
TEST_F(Faults, CancellationHealsEverything) {
  bool ended = false;
  Result<std::vector<FaultRecord>> outcome = std::vector<FaultRecord>();
  base::TaskGroup group(loop.get_executor());
  context.record = [&](const FaultRecord& record) {
    written.push_back(record);
    if (written.size() == 3) group.cancel();
  };

  struct Run {
    static boost::asio::awaitable<void> all(NemesisContext& context,
                                            Schedule schedule,
                                            Result<std::vector<FaultRecord>>& outcome,
                                            bool& ended) {
      outcome = co_await run_schedule(context, std::move(schedule));
      ended = true;
    }

    static boost::asio::awaitable<void> join(base::TaskGroup& group) { co_await group.join(); }
  };

  auto task =
      Run::all(context,
               parse("partition:one@0s+1h,kill:all@1ms+1h,restart:n3@2ms+1h,pause:n1@1h+1h"),
               outcome,
               ended);
  group.spawn("schedule", std::move(task));
  auto joined = Run::join(group);
  auto on_end = [](const std::exception_ptr& error) { EXPECT_FALSE(error); };
  boost::asio::co_spawn(loop, std::move(joined), std::move(on_end));
  loop.restart();
  loop.run();
  EXPECT_TRUE(ended);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->size(), 3U);  // the pause never began
  for (const FaultRecord& record : *outcome) EXPECT_NE(record.active.end, history::kNever);
  expect_all_running();
}

}  // namespace
}  // namespace sunder::nemesis
