// Runs of the quorum scenarios: each keeps what it promises, tells what it gives up as a price, and
// a bug of the replication is seen.

#include <gtest/gtest.h>

#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

class QuorumRun : public InUniverse {
 protected:
  Ended run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "run");
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  TemporaryFolder folder_;
};

TEST_P(QuorumRun, AnswersOnBothSidesAndTellsThePrice) {
  const Ended ended = run({"quorum/register",
                           "--seed",
                           "1",
                           "--duration",
                           "8s",
                           "--faults",
                           "partition:halves@1s+4s,kill:all@6s+300ms",
                           "--out",
                           "available"});
  expect_kept(ended,
              {"answers-both-sides",
               "no-invented-value",
               "converges",
               "last-write-wins",
               "recovers",
               "durable",
               "stays-up"});
  for (const char* price : {"linearizable", "no-stale-read", "no-dropped-write"}) {
    EXPECT_NE(line_of(ended.out, price).find("price "), std::string::npos) << ended.out;
  }
}

TEST_P(QuorumRun, StrictQuorumsReadNothingStale) {
  const Ended ended = run({"quorum-strict/register",
                           "--seed",
                           "1",
                           "--duration",
                           "8s",
                           "--faults",
                           "pause:one@1s+1s,partition:one@3s+2s,kill:all@6s+300ms",
                           "--out",
                           "strict"});
  expect_kept(ended, {"no-stale-read", "converges", "last-write-wins", "durable"});
}

TEST_P(QuorumRun, SeesRepairsThatSpreadTheOlderVersion) {
  const Ended ended = run({"quorum-strict/register",
                           "--seed",
                           "1",
                           "--duration",
                           "5s",
                           "--faults",
                           "partition:halves@1s+2s",
                           "--sabotage",
                           "repair-with-older",
                           "--out",
                           "sabotaged"});
  EXPECT_EQ(ended.status, 1) << ended.out << ended.err;
  EXPECT_NE(line_of(ended.out, "no-stale-read").find("broken "), std::string::npos) << ended.out;
}

INSTANTIATE_TEST_SUITE_P(Users, QuorumRun, ::testing::Values(users().front()), user_name);

}  // namespace
}  // namespace sunder::tests
