// Work queues as a machine: what each command answers, which alarms it sets, and that everything is
// part of the snapshot.

#include "nodes/queue/work_queues.hpp"

#include <gtest/gtest.h>

#include "harness/base/random.hpp"

namespace sunder::nodes::queue {
namespace {

using wire::RespKind;
using wire::RespValue;

const RespValue kOk = RespValue::simple("OK");
const RespValue kStale =
    RespValue::error("STALERECEIPT the message is not this receipt's any more");

RespValue message(std::int64_t id, std::int64_t receipt, const std::string& body) {
  return RespValue::array(
      {RespValue::number(id), RespValue::number(receipt), RespValue::bulk(body)});
}

RespValue counts(std::int64_t ready, std::int64_t in_flight, std::int64_t dead) {
  return RespValue::array(
      {RespValue::number(ready), RespValue::number(in_flight), RespValue::number(dead)});
}

class WorkQueuesTest : public testing::Test {
 protected:
  RespValue run(const Arguments& command) { return queues_.execute(command); }

  // The only alarm since the last call.
  Alarm alarm() {
    const std::vector<Alarm> alarms = queues_.take_alarms();
    EXPECT_EQ(alarms.size(), 1U);
    return alarms.empty() ? Alarm() : alarms.front();
  }

  WorkQueues queues_{WorkOptions{.deliveries_max = 3, .length_max = 4}};
};

TEST_F(WorkQueuesTest, HandsOutTheOldestMessageToOneConsumerAtATime) {
  EXPECT_EQ(run({"QSEND", "q", "a"}), RespValue::number(1));
  EXPECT_EQ(run({"QSEND", "q", "b"}), RespValue::number(2));
  EXPECT_EQ(run({"QLEN", "q"}), RespValue::number(2));
  EXPECT_EQ(run({"QRECV", "q", "500", "0"}), message(1, 1, "a"));
  EXPECT_EQ(run({"QRECV", "q", "500", "0"}), message(2, 1, "b"));
  EXPECT_EQ(run({"QRECV", "q", "500", "0"}), RespValue::null());
  EXPECT_EQ(run({"QSTAT", "q"}), counts(0, 2, 0));
  EXPECT_EQ(run({"QACK", "q", "1", "1"}), kOk);
  EXPECT_EQ(run({"QACK", "q", "1", "1"}), kStale);
  EXPECT_EQ(run({"QNACK", "q", "2", "1"}), kOk);
  EXPECT_EQ(run({"QRECV", "q", "500", "0"}), message(2, 2, "b"));
  EXPECT_EQ(run({"QACK", "q", "2", "1"}), kStale);
  EXPECT_EQ(run({"QACK", "q", "2", "2"}), kOk);
  EXPECT_EQ(run({"QSTAT", "q"}), counts(0, 0, 0));
}

TEST_F(WorkQueuesTest, SetsAnAlarmWithEachDeliveryThatEndsIt) {
  (void)run({"QSEND", "q", "a"});
  (void)run({"QRECV", "q", "500", "0"});
  const Alarm expiry = alarm();
  EXPECT_EQ(expiry.after, std::chrono::milliseconds(500));
  EXPECT_EQ(expiry.command, (Arguments{"QEXPIRE", "q", "1", "1"}));
  EXPECT_EQ(run({"QLEN", "q"}), RespValue::number(0));
  EXPECT_EQ(run(expiry.command), kOk);
  EXPECT_TRUE(alarm().command.empty()) << "it is cancelled once it rang";
  EXPECT_EQ(run({"QLEN", "q"}), RespValue::number(1));
  EXPECT_EQ(run({"QACK", "q", "1", "1"}), kStale) << "the owner lost it";
}

TEST_F(WorkQueuesTest, KeepsAMessageForItsOwnerWhenAnExpiryComesAfterAnExtension) {
  (void)run({"QSEND", "q", "a"});
  (void)run({"QRECV", "q", "500", "0"});
  const Alarm first = alarm();
  EXPECT_EQ(run({"QEXTEND", "q", "1", "1", "900"}), kOk);
  const Alarm second = alarm();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.after, std::chrono::milliseconds(900));
  EXPECT_EQ(run(first.command), kOk);
  EXPECT_EQ(run({"QLEN", "q"}), RespValue::number(0)) << "it was the first lease's alarm";
  EXPECT_EQ(run({"QACK", "q", "1", "1"}), kOk);
  EXPECT_EQ(run(second.command), kOk) << "nothing is there any more";
}

TEST_F(WorkQueuesTest, GivesUpAMessageAfterSoManyDeliveries) {
  (void)run({"QSEND", "q", "a"});
  for (const char* receipt : {"1", "2", "3"}) {
    ASSERT_EQ(run({"QRECV", "q", "500", "0"}), message(1, std::stoi(receipt), "a"));
    ASSERT_EQ(run({"QNACK", "q", "1", receipt}), kOk);
  }
  EXPECT_EQ(run({"QRECV", "q", "500", "0"}), RespValue::null());
  EXPECT_EQ(run({"QSTAT", "q"}), counts(0, 0, 1));
  // A dead letter is received like any other, and goes no further.
  for (std::int64_t receipt = 1; receipt <= 5; ++receipt) {
    ASSERT_EQ(run({"QRECV", "q.dead", "500", "0"}), message(1, receipt, "a"));
    ASSERT_EQ(run({"QNACK", "q.dead", "1", std::to_string(receipt)}), kOk);
  }
  EXPECT_EQ(run({"QSTAT", "q.dead"}), counts(1, 0, 0));
}

TEST_F(WorkQueuesTest, RefusesWhatExceedsItsLimitDeadLettersIncluded) {
  for (const char* body : {"a", "b", "c", "d"}) (void)run({"QSEND", "q", body});
  EXPECT_EQ(run({"QSEND", "q", "e"}), RespValue::error("BUSY the queue is full"));
  EXPECT_EQ(run({"QSEND", "other", "e"}).kind, RespKind::integer) << "each queue has its own";
  for (const char* receipt : {"1", "2", "3"}) {
    (void)run({"QRECV", "q", "500", "0"});
    (void)run({"QNACK", "q", "1", receipt});
  }
  EXPECT_EQ(run({"QSTAT", "q"}), counts(3, 0, 1));
  EXPECT_EQ(run({"QSEND", "q", "e"}), RespValue::error("BUSY the queue is full"));
  EXPECT_EQ(run({"QRECV", "q.dead", "500", "0"}), message(1, 1, "a"));
  EXPECT_EQ(run({"QACK", "q.dead", "1", "1"}), kOk);
  EXPECT_EQ(run({"QSEND", "q", "e"}).kind, RespKind::integer);
}

TEST_F(WorkQueuesTest, BoundsTheNumberOfQueues) {
  for (std::size_t i = 0; i < WorkQueues::kQueuesMax; ++i) {
    ASSERT_EQ(run({"QSEND", std::to_string(i), "a"}).kind, RespKind::integer);
  }
  EXPECT_EQ(run({"QSEND", "one-more", "a"}), RespValue::error("BUSY there are too many queues"));
  EXPECT_EQ(run({"QRECV", "0", "500", "0"}).kind, RespKind::array);
  EXPECT_EQ(run({"QACK", "0", "1", "1"}), kOk);
  EXPECT_EQ(run({"QSEND", "one-more", "a"}).kind, RespKind::integer) << "an empty one is forgotten";
}

TEST_F(WorkQueuesTest, RefusesNonsense) {
  for (const Arguments& command : std::vector<Arguments>{{"QRECV", "q", "0", "0"},
                                                         {"QRECV", "q", "soon", "0"},
                                                         {"QRECV", "q", "-1", "0"},
                                                         {"QRECV", "q", "99999999999", "0"},
                                                         {"QRECV", "q", "1", "x"},
                                                         {"QEXTEND", "q", "1", "1", "0"},
                                                         {"QSEND", "q.dead", "a"},
                                                         {"QSEND", "", "a"}}) {
    EXPECT_TRUE(run(command).text.starts_with("ERR ")) << command[0] << " " << command[2];
  }
  for (const Arguments& command : std::vector<Arguments>{{"QACK", "q", "1", "1"},
                                                         {"QACK", "q", "x", "1"},
                                                         {"QNACK", "q", "1", "-1"},
                                                         {"QEXTEND", "q", "1", "1", "5"}}) {
    EXPECT_EQ(run(command), kStale) << command[0];
  }
  EXPECT_EQ(run({"QEXPIRE", "q", "x", "y"}), kOk);
}

TEST_F(WorkQueuesTest, SaysHowManyReceivesWouldFindSomething) {
  const auto wait = queues_.wait_of({"QRECV", "q", "500", "5000"});
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->on, "q");
  EXPECT_EQ(wait->available, 0U);
  EXPECT_EQ(wait->limit, WorkQueues::kWaitMax) << "no longer than a follower waits";
  (void)run({"QSEND", "q", "a"});
  EXPECT_EQ(queues_.wait_of({"QRECV", "q", "500", "20"})->available, 1U);
  EXPECT_FALSE(queues_.wait_of({"QSEND", "q", "a"}).has_value());
  EXPECT_FALSE(queues_.wait_of({"QRECV", "q", "500", "x"}).has_value());
}

TEST_F(WorkQueuesTest, SavesAndLoadsEverything) {
  base::Random random(7);
  for (int step = 0; step < 2000; ++step) {
    const std::string id = std::to_string(1 + random.below(30));
    const std::string receipt = std::to_string(1 + random.below(3));
    switch (random.below(5)) {
      case 0:
        (void)run({"QSEND", random.below(2) == 0 ? "q" : "r", "body" + id});
        break;
      case 1:
        (void)run({"QRECV", random.below(4) == 0 ? "q.dead" : "q", "500", "0"});
        break;
      case 2:
        (void)run({"QACK", "q", id, receipt});
        break;
      case 3:
        (void)run({"QNACK", "q", id, receipt});
        break;
      default:
        (void)run({"QEXPIRE", "q", id, receipt});
    }
    if (step % 100 != 0) continue;
    WorkQueues copy(WorkOptions{.deliveries_max = 3, .length_max = 4});
    ASSERT_TRUE(copy.load(queues_.save()).has_value());
    ASSERT_EQ(copy.save(), queues_.save());
    // Whoever begins to lead with this state arms the same alarms.
    const auto own = queues_.standing_alarms();
    const auto its = copy.standing_alarms();
    ASSERT_EQ(own.size(), its.size());
    for (std::size_t i = 0; i < own.size(); ++i) ASSERT_EQ(own[i].command, its[i].command);
  }
  EXPECT_TRUE(WorkQueues(WorkOptions()).load("\x01nonsense").has_error());
}

}  // namespace
}  // namespace sunder::nodes::queue
