// Real sunder-queue processes: time, long polls, failover, crashes, the command line.

#include <csignal>
#include <future>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/kv_processes.hpp"

namespace sunder::tests {
namespace {

using ::testing::StartsWith;
using wire::RespKind;
using wire::RespValue;

const RespValue kOk = RespValue::simple("OK");

NodeProgram queue_program() {
  return {.name = "sunder-queue", .mode = "queue", .read = {"QLEN", "?"}};
}

Arguments work_flags() {
  return {"--kind", "work", "--max-deliveries", "2", "--max-length", "3"};
}

class QueueProcess : public testing::Test {
 protected:
  // The message that a receive finds, sooner or later: [number receipt body].
  static RespValue receive(const KvProcesses& nodes, std::size_t node, const std::string& queue) {
    RespValue reply;
    EXPECT_TRUE(wait_until([&] {
      reply = nodes.call(node, {"QRECV", queue, "300", "100"});
      return reply.kind == RespKind::array;
    })) << reply.text;
    return reply;
  }

  static Arguments use(const std::string& command, const std::string& queue, const RespValue& got) {
    return {command,
            queue,
            std::to_string(got.items.at(0).integer),
            std::to_string(got.items.at(1).integer)};
  }
};

TEST_F(QueueProcess, GivesAMessageBackWhenItsVisibilityTimeIsOver) {
  KvProcesses nodes(1, work_flags(), queue_program());
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"QSEND", "q", "job"}), RespValue::number(1));
  const RespValue first = receive(nodes, 1, "q");
  EXPECT_EQ(first.items.at(2), RespValue::bulk("job"));
  EXPECT_EQ(nodes.call(1, {"QLEN", "q"}), RespValue::number(0));
  const RespValue second = receive(nodes, 1, "q");
  EXPECT_EQ(second.items.at(1), RespValue::number(2));
  EXPECT_THAT(nodes.call(1, use("QACK", "q", first)).text, StartsWith("STALERECEIPT"));
  // Its second delivery was the last.
  const RespValue letter = receive(nodes, 1, "q.dead");
  EXPECT_EQ(letter.items.at(2), RespValue::bulk("job"));
  EXPECT_EQ(nodes.call(1, use("QACK", "q.dead", letter)), kOk);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(nodes.call(1, {"QSEND", "q", fmt::format("{}", i)}).kind, RespKind::integer);
  }
  EXPECT_THAT(nodes.call(1, {"QSEND", "q", "more"}).text, StartsWith("BUSY"));
  EXPECT_THAT(nodes.call(1, {"QEXPIRE", "q", "1", "1"}).text, StartsWith("ERR unknown command"));
}

TEST_F(QueueProcess, WakesAReceiveThatWaitsAtAnyNode) {
  KvProcesses nodes(3, work_flags(), queue_program());
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  const std::size_t follower = leader % 3 + 1;
  // On a busy machine the wait may be over before the message comes: then again.
  const bool woken = wait_until([&] {
    auto waiting = std::async(std::launch::async, [&] {
      return nodes.call(follower, {"QRECV", "q", "10000", "400"});
    });
    const RespValue sent = nodes.call(leader, {"QSEND", "q", "job"});
    const RespValue got = waiting.get();
    if (got.kind != RespKind::array) return false;
    EXPECT_EQ(got.items.at(2), RespValue::bulk("job"));
    EXPECT_EQ(sent.kind, RespKind::integer);
    return nodes.call(follower, use("QACK", "q", got)) == kOk;
  });
  EXPECT_TRUE(woken);
}

TEST_F(QueueProcess, ANewLeaderGivesBackWhatTheOldOneHandedOut) {
  KvProcesses nodes(3, work_flags(), queue_program());
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  ASSERT_EQ(nodes.call_until_ok(leader, {"QSEND", "q", "job"}).kind, RespKind::integer);
  const RespValue got = receive(nodes, leader, "q");
  nodes.kill(leader);
  const std::size_t other = leader % 3 + 1;
  const RespValue again = receive(nodes, other, "q");
  EXPECT_EQ(again.items.at(0), got.items.at(0));
  EXPECT_EQ(again.items.at(1), RespValue::number(2));
}

TEST_F(QueueProcess, KeepsEverythingThroughAKillOfAll) {
  KvProcesses nodes(3, work_flags(), queue_program());
  nodes.start_all();
  std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  ASSERT_EQ(nodes.call_until_ok(leader, {"QSEND", "q", "held"}).kind, RespKind::integer);
  ASSERT_EQ(nodes.call_until_ok(leader, {"QSEND", "q", "waiting"}).kind, RespKind::integer);
  const RespValue held = receive(nodes, leader, "q");
  nodes.kill_all();
  nodes.start_all();
  leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  std::set<std::string> bodies;
  for (int i = 0; i < 2; ++i) {
    const RespValue got = receive(nodes, leader, "q");
    bodies.insert(got.items.at(2).text);
    EXPECT_EQ(nodes.call_until_ok(leader, use("QACK", "q", got)), kOk);
  }
  EXPECT_EQ(bodies, (std::set<std::string>{"held", "waiting"}));
  nodes.signal(1, SIGTERM);
  EXPECT_EQ(nodes.wait(1), 0);
}

TEST_F(QueueProcess, SaysWhatIsWrongWithACommandLine) {
  const std::string program = std::string(SUNDER_BINARY_DIR) + "/sunder-queue";
  const Arguments good = {program,
                          "--id",
                          "n1",
                          "--listen",
                          "127.0.0.1:1",
                          "--peers",
                          "n1=127.0.0.1:2",
                          "--data-dir",
                          "/tmp/none",
                          "--mode",
                          "queue"};
  const std::vector<Arguments> wrong = {{},
                                        {"--kind", "stream"},
                                        {"--kind", "work", "--max-length", "0"},
                                        {"--kind", "work", "--max-deliveries", "x"},
                                        {"--kind", "work", "--sabotage", "nonsense"}};
  for (const Arguments& more : wrong) {
    Arguments command = good;
    command.insert(command.end(), more.begin(), more.end());
    const ExitStatus status = run_program(command);
    EXPECT_EQ(status.code, 64) << status.output;
    EXPECT_THAT(status.output, StartsWith("sunder-queue: "));
  }
}

}  // namespace
}  // namespace sunder::tests
