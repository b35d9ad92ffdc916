// The live line's text.

#include "harness/run/progress.hpp"

#include <gtest/gtest.h>

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

TEST(Progress, SaysPhaseTimeRatesAndActiveFaults) {
  const ProgressState state{.phase = "load",
                            .elapsed = 12'340ms,
                            .total = 30s,
                            .outcomes = {},
                            .faults = "partition halves: n1,n2 | n3,n4,n5"};
  EXPECT_EQ(Progress::format(state, {1234.4, 3, 0}),
            "load 12.3/30s · ok 1234/s · fail 3/s · info 0/s · partition halves: n1,n2 | n3,n4,n5");
}

TEST(Progress, LeavesOutTheTotalWhenItIsNotKnown) {
  const ProgressState state{
      .phase = "warm up", .elapsed = 1s, .total = 0s, .outcomes = {}, .faults = ""};
  EXPECT_EQ(Progress::format(state, {0, 0, 0}), "warm up 1.0s · ok 0/s · fail 0/s · info 0/s");
}

}  // namespace
}  // namespace sunder::run
