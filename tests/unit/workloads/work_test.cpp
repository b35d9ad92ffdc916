// The work workload: what clients do with a job that they hold, how replies become outcomes, and
// how the queues are drained.

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workloads/workload_fixture.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using history::ValuePool;
using ::testing::ElementsAre;
using wire::RespValue;

class WorkWorkload : public WorkloadFixture {
 protected:
  std::unique_ptr<Workload> make(std::map<std::string, double> mix, std::uint64_t seed = 1) {
    WorkloadOptions options;
    options.clients = 2;
    options.mix = std::move(mix);
    options.random = base::Random(seed);
    return find_workload("work")->make(options);
  }

  static RespValue job(std::int64_t number, std::int64_t receipt, std::string body) {
    return RespValue::array(
        {RespValue::number(number), RespValue::number(receipt), RespValue::bulk(std::move(body))});
  }
};

TEST_F(WorkWorkload, SendsUniqueBodies) {
  const auto workload = make({{"send", 1}});
  std::set<Value> bodies;
  for (int i = 0; i < 300; ++i) {
    const auto invocation = workload->next(i % 4, pool);
    ASSERT_TRUE(invocation.has_value());
    EXPECT_EQ(invocation->function, "send");
    EXPECT_TRUE(bodies.insert(invocation->input).second);
  }
}

TEST_F(WorkWorkload, SpeaksTheCommandsOfTheNode) {
  const auto workload = make({{"send", 1}});
  const auto send = workload->next(3, pool);
  EXPECT_EQ(run(*workload, *send, ok(RespValue::number(7))).output, Value::integer(7));
  EXPECT_THAT(client.last_command,
              ElementsAre("QSEND", "jobs", std::string(pool.text_of(send->input))));
  const Completion busy = run(*workload, *send, failed("BUSY the queue is full"));
  EXPECT_EQ(busy.outcome, Outcome::fail);
  EXPECT_TRUE(busy.error.starts_with("refused"));
  EXPECT_FALSE(run(*workload, *send, failed("NOLEADER none")).error.starts_with("refused"));
  EXPECT_EQ(run(*workload, *send, ok(RespValue::bulk("?"))).outcome, Outcome::info)
      << "a reply of the wrong kind tells nothing";
}

TEST_F(WorkWorkload, GivesBackAPoisonedJob) {
  const auto workload = make({{"receive", 1}});
  const auto receive = workload->next(3, pool);
  ASSERT_EQ(receive->function, "receive");
  const Completion got = run(*workload, *receive, ok(job(5, 2, "poison-1")));
  EXPECT_EQ(got.outcome, Outcome::ok);
  EXPECT_THAT(client.last_command, ElementsAre("QRECV", receive->key, "500", testing::_));
  EXPECT_EQ(workload->next(4, pool)->function, "receive") << "another client has other plans";
  const auto nack = workload->next(3, pool);
  EXPECT_EQ(nack->function, receive->key == "jobs" ? "nack" : "ack");
  EXPECT_GT(nack->think.count() + (receive->key == "jobs" ? 0 : 1), 0);
  (void)run(*workload, *nack, ok(RespValue::simple("OK")));
  EXPECT_THAT(client.last_command, ElementsAre(testing::_, receive->key, "5", "2"));
}

TEST_F(WorkWorkload, DoesAllThatConsumersDo) {
  const auto workload = make({{"receive", 1}});
  std::map<std::string, int> counts;
  std::size_t late = 0;
  for (std::int64_t i = 1; i <= 1000; ++i) {
    const auto receive = workload->next(i, pool);
    (void)run(*workload, *receive, ok(job(i, 1, "job-1")));
    const auto then = workload->next(i, pool);
    ++counts[then->function];
    if (then->function == "ack" && then->think > std::chrono::milliseconds(500)) ++late;
  }
  EXPECT_GT(counts["ack"], 600);
  EXPECT_GT(late, 20U) << "some are too slow";
  EXPECT_GT(counts["nack"], 30);
  EXPECT_GT(counts["extend"], 30);
  EXPECT_GT(counts["receive"], 30) << "some die and receive no more of it";
}

TEST_F(WorkWorkload, ForgetsAJobWhenItIsRefused) {
  const auto workload = make({{"receive", 1}});
  for (std::int64_t i = 1; i <= 100; ++i) {
    (void)run(*workload, *workload->next(i, pool), ok(job(i, 1, "poison-1")));
    const auto use = workload->next(i, pool);
    const Completion refused = run(*workload, *use, failed("STALERECEIPT no"));
    EXPECT_TRUE(refused.error.starts_with("refused"));
    EXPECT_EQ(workload->next(i, pool)->function, "receive");
  }
}

TEST_F(WorkWorkload, DrainsUntilACountFindsNothing) {
  const auto workload = make({});
  const auto counts = [](int ready) {
    return RespValue::array({RespValue::number(ready), RespValue::number(0), RespValue::number(0)});
  };
  std::set<std::string> drained;
  std::int64_t left = 10;
  for (int i = 0; i < 1000; ++i) {
    const auto read = workload->final_read(1, pool);
    if (!read) break;
    if (read->function == "stat") {
      (void)run(*workload, *read, ok(counts(left > 0 ? 1 : 0)));
    } else if (read->function == "receive") {
      drained.insert(read->key);
      const bool any = left > 0;
      (void)run(*workload, *read, ok(any ? job(left--, 1, "job-1") : RespValue::null()));
    } else {
      EXPECT_EQ(read->function, "ack");
      (void)run(*workload, *read, ok(RespValue::simple("OK")));
    }
  }
  EXPECT_EQ(left, 0);
  EXPECT_FALSE(workload->final_read(1, pool).has_value());
  EXPECT_EQ(drained, (std::set<std::string>{"jobs", "jobs.dead"}));
}

TEST_F(WorkWorkload, EndsTheDrainWhenNothingComesAnyMore) {
  const auto workload = make({});
  const RespValue stuck =
      RespValue::array({RespValue::number(0), RespValue::number(3), RespValue::number(0)});
  int reads = 0;
  while (const auto read = workload->final_read(reads % 2, pool)) {
    ASSERT_LT(++reads, 1000);
    (void)run(*workload, *read, ok(read->function == "stat" ? stuck : RespValue::null()));
  }
  EXPECT_GT(reads, 40);
}

}  // namespace
}  // namespace sunder::workloads
