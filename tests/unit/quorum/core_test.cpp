// What the core does in single situations; random_simulation_test.cpp has all of them at once.

#include <gtest/gtest.h>

#include "tests/unit/quorum/simulation.hpp"

namespace sunder::nodes::quorum {
namespace {

SimulationOptions strict() {
  return {.reads = 2, .writes = 2, .sloppy = false};
}

// Every key of these has its own keepers among five nodes.
std::vector<std::string> keys() {
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) all.push_back("k" + std::to_string(i));
  return all;
}

TEST(QuorumCore, AnswersReadsOfWhatAnyNodeWrote) {
  for (const SimulationOptions& options : {SimulationOptions(), strict()}) {
    Simulation simulation(options);
    simulation.run(5);
    NodeId node = 1;
    for (const std::string& key : keys()) {
      const auto write = simulation.set(node, key, "v" + key);
      node = node % 5 + 1;
      simulation.settle();
      ASSERT_TRUE(simulation.operation(write).ok());
      const auto read = simulation.get(node, key);
      simulation.settle();
      ASSERT_TRUE(simulation.operation(read).ok());
      EXPECT_EQ(simulation.operation(read).value, "v" + key);
    }
    const auto nothing = simulation.get(1, "never");
    simulation.settle();
    EXPECT_TRUE(simulation.operation(nothing).ok());
    EXPECT_FALSE(simulation.operation(nothing).value.has_value());
  }
}

TEST(QuorumCore, AcknowledgesNothingThatIsOnNoDisk) {
  Simulation simulation({.nodes = 1, .replicas = 1});
  const auto write = simulation.set(1, "a", "1");
  EXPECT_FALSE(simulation.operation(write).ok());
  simulation.crash(1);
  simulation.restart(1);
  const auto read = simulation.get(1, "a");
  EXPECT_FALSE(simulation.operation(read).value.has_value());
  const auto again = simulation.set(1, "a", "2");
  simulation.flush(1);
  EXPECT_TRUE(simulation.operation(again).ok());
  simulation.crash(1);
  simulation.restart(1);
  const auto survivor = simulation.get(1, "a");
  EXPECT_EQ(simulation.operation(survivor).value, "2");
}

TEST(QuorumCore, SloppyQuorumsAnswerOnBothSidesAndAgreeAfterTheHeal) {
  Simulation simulation({});
  simulation.run(5);
  simulation.isolate({1, 2});
  simulation.run(20);
  for (const std::string& key : keys()) {
    const auto here = simulation.set(1, key, "here");
    const auto there = simulation.set(4, key, "there");
    simulation.settle();
    EXPECT_TRUE(simulation.operation(here).ok());
    EXPECT_TRUE(simulation.operation(there).ok());
    const auto read = simulation.get(2, key);
    simulation.settle();
    EXPECT_EQ(simulation.operation(read).value, "here");
  }
  EXPECT_FALSE(simulation.agree());
  simulation.heal();
  simulation.run(200);
  EXPECT_TRUE(simulation.agree());
  EXPECT_GT(simulation.counted("hinted"), 0U);
  EXPECT_GT(simulation.counted("handed-off"), 0U);
  for (NodeId node = 1; node <= 5; ++node) {
    EXPECT_EQ(simulation.core(node).hints(), 0U) << node;
    const auto read = simulation.get(node, "k3");
    simulation.settle();
    EXPECT_EQ(simulation.operation(read).value, "there") << "the later write wins";
  }
}

TEST(QuorumCore, SloppyQuorumsAnswerBeforeTheyNoticeTheCut) {
  Simulation simulation({});
  simulation.run(5);
  simulation.isolate({1});
  for (const std::string& key : keys()) {
    const auto write = simulation.set(1, key, "1");
    simulation.run(10);
    EXPECT_TRUE(simulation.operation(write).ok()) << key;
    const auto read = simulation.get(1, key);
    simulation.run(10);
    EXPECT_EQ(simulation.operation(read).value, "1") << key;
  }
}

TEST(QuorumCore, StrictQuorumsRefuseWhereTooFewKeepersAreNear) {
  Simulation simulation(strict());
  simulation.run(5);
  simulation.isolate({1});
  const auto unnoticed = simulation.set(1, "k1", "1");
  simulation.run(30);
  EXPECT_EQ(simulation.operation(unnoticed).ending, Ending::timed_out);
  const auto refused = simulation.set(1, "k1", "2");
  EXPECT_EQ(simulation.operation(refused).ending, Ending::no_quorum);
  const auto read = simulation.get(1, "k1");
  EXPECT_EQ(simulation.operation(read).ending, Ending::no_quorum);
}

TEST(QuorumCore, HintsOutliveTheirKeeper) {
  for (const bool dropped : {false, true}) {
    SimulationOptions options;
    if (dropped) options.sabotage = Sabotage::drop_hints_on_restart;
    Simulation simulation(options);
    simulation.run(5);
    simulation.isolate({1, 2});
    simulation.run(20);
    for (const std::string& key : keys()) simulation.set(1, key, "1");
    simulation.settle();
    for (const NodeId node : {1U, 2U}) simulation.crash(node);
    for (const NodeId node : {1U, 2U}) simulation.restart(node);
    simulation.heal();
    simulation.run(200);
    std::size_t lost = 0;
    for (const std::string& key : keys()) {
      const auto read = simulation.get(4, key);
      simulation.settle();
      if (simulation.operation(read).value != "1") ++lost;
    }
    EXPECT_EQ(lost > 0, dropped) << lost;
  }
}

TEST(QuorumCore, ReadsRepairKeepersThatAreBehind) {
  for (const bool older : {false, true}) {
    SimulationOptions options = strict();
    options.nodes = 3;
    options.sabotage = older ? Sabotage::repair_with_older : Sabotage::no_exchange;
    Simulation simulation(options);
    simulation.run(5);
    simulation.set(1, "a", "old");
    simulation.settle();
    simulation.crash(3);
    simulation.set(1, "a", "new");
    simulation.settle();
    simulation.restart(3);
    const auto read = simulation.get(3, "a");
    simulation.settle();
    EXPECT_EQ(simulation.operation(read).value, "new");
    for (NodeId node = 1; node <= 3; ++node) {
      ASSERT_NE(simulation.core(node).versions().find("a"), nullptr);
      EXPECT_EQ(simulation.core(node).versions().find("a")->value, older ? "old" : "new");
    }
  }
}

TEST(QuorumCore, ExchangeBringsReplicasTogetherWithoutHints) {
  for (const bool exchanges : {true, false}) {
    SimulationOptions options{.nodes = 3};
    if (!exchanges) options.sabotage = Sabotage::no_exchange;
    Simulation simulation(options);
    simulation.run(5);
    simulation.isolate({1});
    for (int i = 0; i < 500; ++i) simulation.set(1, "k" + std::to_string(i), "1");
    simulation.settle();
    // Before anybody is silent for long enough to get a hint, the coordinator forgets.
    simulation.crash(1);
    simulation.restart(1);
    simulation.heal();
    simulation.run(200);
    EXPECT_EQ(simulation.agree(), exchanges);
  }
}

TEST(QuorumCore, BoundsWhatIsInFlight) {
  Simulation simulation(strict());
  simulation.run(5);
  std::size_t refused = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto write = simulation.set(1, "k" + std::to_string(i), "1");
    if (simulation.operation(write).ending == Ending::overloaded) ++refused;
  }
  EXPECT_GT(refused, 0U);
  simulation.run(60);
  EXPECT_EQ(simulation.core(1).requests(), 0U);
}

TEST(QuorumCore, IgnoresStrangers) {
  Simulation simulation({.nodes = 2, .replicas = 2});
  Message message;
  message.kind = MessageKind::store;
  message.from = 9;
  message.to = 1;
  message.key = "a";
  message.version = Version{.stamp = {.time = 1, .counter = 0, .node = 9}, .value = "x"};
  const Effects effects = simulation.core(1).step(Receive{.message = message});
  EXPECT_TRUE(effects.writes.empty());
  EXPECT_EQ(simulation.core(1).versions().size(), 0U);
}

}  // namespace
}  // namespace sunder::nodes::quorum
