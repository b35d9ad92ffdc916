// Runs of queue/work: its promises are kept under faults, and a bug of the queue is seen.

#include <gtest/gtest.h>

#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

class QueueRun : public InUniverse {
 protected:
  Ended sunder(std::vector<std::string> arguments) {
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  TemporaryFolder folder_;
};

TEST_P(QueueRun, KeepsThePromisesOfDelivery) {
  const Ended run = sunder({"run",
                            "queue/work",
                            "--seed",
                            "1",
                            "--duration",
                            "8s",
                            "--faults",
                            "kill:all@2s+300ms,partition:leader-minority@4s+2s",
                            "--out",
                            "healthy"});
  for (const char* promise : {"at-least-once",
                              "no-phantom",
                              "exclusive",
                              "redelivered",
                              "dead-letters",
                              "bounded",
                              "durable",
                              "raft-invariants",
                              "stays-up"}) {
    EXPECT_NE(line_of(run.out, promise).find("kept "), std::string::npos) << run.out << run.err;
  }
  const Ended check = sunder({"check", "healthy/history.jsonl"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  EXPECT_NE(check.out.find("work-queue"), std::string::npos) << check.out;
}

TEST_P(QueueRun, SeesAMessageWithTwoConsumers) {
  const Ended run = sunder({"run",
                            "queue/work",
                            "--seed",
                            "1",
                            "--duration",
                            "4s",
                            "--faults",
                            "restart:one@1s+300ms",
                            "--sabotage",
                            "double-delivery",
                            "--out",
                            "sabotaged"});
  EXPECT_EQ(run.status, 1) << run.out << run.err;
  EXPECT_NE(line_of(run.out, "exclusive").find("broken "), std::string::npos) << run.out;
  const Ended check = sunder({"check", "sabotaged/history.jsonl", "--model", "work-queue"});
  EXPECT_EQ(check.status, 1) << check.out << check.err;
}

INSTANTIATE_TEST_SUITE_P(Users, QueueRun, ::testing::Values(users().front()), user_name);

}  // namespace
}  // namespace sunder::tests
