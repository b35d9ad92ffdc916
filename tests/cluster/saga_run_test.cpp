// Runs of saga/order: orders end as a whole though their services fail, and a bug of an undo is
// seen.

#include <gtest/gtest.h>

#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

class SagaRun : public InUniverse {
 protected:
  Ended sunder(std::vector<std::string> arguments) {
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  TemporaryFolder folder_;
};

TEST_P(SagaRun, OrdersEndAsAWholeThoughServicesFail) {
  const Ended run = sunder({"run",
                            "saga/order",
                            "--seed",
                            "1",
                            "--duration",
                            "8s",
                            "--faults",
                            "kill:all@2s+300ms,kill:inventory@compensating+1s;after=4s",
                            "--out",
                            "healthy"});
  for (const char* promise : {"all-or-nothing",
                              "once",
                              "conserved",
                              "no-orphans",
                              "answers-true",
                              "durable",
                              "stays-up",
                              "faults-bit"}) {
    EXPECT_NE(line_of(run.out, promise).find("kept "), std::string::npos) << run.out << run.err;
  }
  EXPECT_EQ(run.out.find("broken"), std::string::npos) << run.out;
}

TEST_P(SagaRun, SeesAnUndoThatIsDoneTwice) {
  const Ended run = sunder({"run",
                            "saga/order",
                            "--seed",
                            "2",
                            "--duration",
                            "8s",
                            "--sabotage",
                            "undo-twice",
                            "--faults",
                            "pause:payment@1s+1200ms,pause:inventory@2100ms+900ms",
                            "--out",
                            "sabotaged"});
  EXPECT_EQ(run.status, 1) << run.out << run.err;
  EXPECT_NE(line_of(run.out, "once").find("broken"), std::string::npos) << run.out;
}

TEST_P(SagaRun, ServicesCanBePlayedWith) {
  const Ended up =
      sunder({"up",
              "saga",
              "--",
              "sh",
              "-c",
              "until redis-cli -h n1 ORDER o1 i1 1 a1 10 home | grep CONFIRMED; do :; done; sunder "
              "fault kill:payment --for 200ms"});
  EXPECT_EQ(up.status, 0) << up.out << up.err;
  EXPECT_NE(up.out.find("CONFIRMED"), std::string::npos) << up.out << up.err;
  const Ended refused = sunder({"up", "saga", "--nodes", "3", "--", "true"});
  EXPECT_EQ(refused.status, 64);
  EXPECT_NE(refused.err.find("one of each: order, inventory"), std::string::npos) << refused.err;
}

INSTANTIATE_TEST_SUITE_P(Each, SagaRun, ::testing::Values(users().front()), user_name);

}  // namespace
}  // namespace sunder::tests
