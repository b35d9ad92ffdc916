// Everything that can happen to one order: it ends done or undone as a whole, and each deliberate
// bug of the cores is found.

#include "tests/unit/saga/exploration.hpp"

#include <gtest/gtest.h>

namespace sunder::nodes::saga {
namespace {

constexpr std::size_t kStatesMin = 1000;

TEST(SagaExploration, EveryPathEndsDoneOrUndoneAsAWhole) {
  const Explored explored = explore(Sabotage::none, {}, 5);
  EXPECT_EQ(explored.violation, "");
  EXPECT_GT(explored.states, kStatesMin);
  RecordProperty("states", static_cast<int>(explored.states));
}

TEST(SagaExploration, EveryPathOfARefusedOrderEndsUndone) {
  const Explored explored = explore(Sabotage::none, {.losses = 0}, 0);
  EXPECT_EQ(explored.violation, "");
  EXPECT_GT(explored.states, kStatesMin);
}

TEST(SagaExploration, TwoCrashesOnOnePath) {
  const Budget budget{.crashes = 2, .timeouts = 1, .duplicates = 0, .losses = 0};
  EXPECT_EQ(explore(Sabotage::none, budget, 5).violation, "");
  EXPECT_EQ(explore(Sabotage::none, budget, 0).violation, "");
}

class SagaBug : public ::testing::TestWithParam<Sabotage> {};

TEST_P(SagaBug, IsFound) {
  const Explored going = explore(GetParam(), {}, 5);
  const Explored refused = explore(GetParam(), {}, 0);
  EXPECT_FALSE(going.violation.empty() && refused.violation.empty());
}

INSTANTIATE_TEST_SUITE_P(Each,
                         SagaBug,
                         ::testing::Values(Sabotage::dedup_lost_at_restart,
                                           Sabotage::forget_late_step,
                                           Sabotage::skip_undo_on_timeout,
                                           Sabotage::undo_twice));

}  // namespace
}  // namespace sunder::nodes::saga
