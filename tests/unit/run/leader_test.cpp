// LeaderTracker: the highest term wins, and a node that follows again leads no more.

#include "harness/run/leader.hpp"

#include <gtest/gtest.h>

namespace sunder::run {
namespace {

history::NodeEvent event(std::string node, std::string name, std::int64_t term) {
  history::NodeEvent result;
  result.node = std::move(node);
  result.event = std::move(name);
  result.numbers.emplace_back("term", term);
  return result;
}

TEST(LeaderTracker, NobodyLeadsBeforeAnybodySaysSo) {
  LeaderTracker tracker;
  EXPECT_FALSE(tracker.leader().has_value());
  tracker.note(event("n1", "became-candidate", 1));
  EXPECT_FALSE(tracker.leader().has_value());
}

TEST(LeaderTracker, TheHighestTermWinsWhenADeposedLeaderDoesNotKnowYet) {
  LeaderTracker tracker;
  tracker.note(event("n2", "became-leader", 3));
  tracker.note(event("n11", "became-leader", 4));
  EXPECT_EQ(tracker.leader(), 10U);
  tracker.note(event("n11", "became-follower", 5));
  EXPECT_EQ(tracker.leader(), 1U);
  tracker.note(event("n2", "became-follower", 5));
  EXPECT_FALSE(tracker.leader().has_value());
}

}  // namespace
}  // namespace sunder::run
