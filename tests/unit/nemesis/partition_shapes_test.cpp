// Partition shapes: each shape keeps what its summary says, for every cluster size and seed.

#include "nemesis/partition_shapes.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

PartitionPlan plan_of(std::string shape,
                      std::size_t nodes,
                      std::uint64_t seed,
                      std::string target = {}) {
  PlannedFault fault;
  fault.family = "partition";
  fault.shape = std::move(shape);
  fault.target = std::move(target);
  base::Random random(seed);
  const auto plan = plan_partition(fault, nodes, std::size_t{1}, random);
  EXPECT_TRUE(plan.has_value()) << plan.error().message();
  return *plan;
}

// Nodes that `node` hears and is heard by, itself included.
std::size_t seen_by(const PartitionPlan& plan, std::size_t node) {
  std::size_t seen = 0;
  for (std::size_t other = 0; other < plan.cut.size(); ++other) {
    if (!plan.is_cut(node, other) && !plan.is_cut(other, node)) ++seen;
  }
  return seen;
}

bool is_symmetric(const PartitionPlan& plan) {
  for (std::size_t a = 0; a < plan.cut.size(); ++a) {
    for (std::size_t b = 0; b < plan.cut.size(); ++b) {
      if (plan.is_cut(a, b) != plan.is_cut(b, a)) return false;
    }
  }
  return true;
}

std::vector<std::size_t> sizes_seen(const PartitionPlan& plan) {
  std::vector<std::size_t> sizes;
  for (std::size_t node = 0; node < plan.cut.size(); ++node) sizes.push_back(seen_by(plan, node));
  std::ranges::sort(sizes);
  return sizes;
}

TEST(PartitionShapes, NobodyIsEverCutFromItself) {
  for (const std::string shape :
       {"halves", "one", "minority", "leader", "leader-minority", "bridge", "ring", "one-way"}) {
    for (std::size_t nodes = kRing_nodes_min; nodes <= 9; ++nodes) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const PartitionPlan plan = plan_of(shape, nodes, seed);
        bool any = false;
        for (std::size_t a = 0; a < nodes; ++a) {
          EXPECT_FALSE(plan.is_cut(a, a));
          for (std::size_t b = 0; b < nodes; ++b) any = any || plan.is_cut(a, b);
        }
        EXPECT_TRUE(any) << shape << " of " << nodes;
        EXPECT_EQ(is_symmetric(plan), shape != "one-way") << shape;
      }
    }
  }
}

TEST(PartitionShapes, HalvesAreAsEqualAsCanBe) {
  EXPECT_EQ(sizes_seen(plan_of("halves", 5, 3)), (std::vector<std::size_t>{2, 2, 3, 3, 3}));
  EXPECT_EQ(sizes_seen(plan_of("halves", 4, 3)), (std::vector<std::size_t>{2, 2, 2, 2}));
}

TEST(PartitionShapes, LeaderIsAloneAndLeaderMinorityIsNot) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(seen_by(plan_of("leader", 5, seed), 1), 1U);
    EXPECT_EQ(seen_by(plan_of("leader-minority", 5, seed), 1), 2U);
    EXPECT_EQ(seen_by(plan_of("leader-minority", 7, seed), 1), 3U);
  }
}

TEST(PartitionShapes, ADeafLeaderIsHeardAndAMuteOneHears) {
  const PartitionPlan deaf = plan_of("leader-deaf", 5, 1);
  const PartitionPlan mute = plan_of("leader-mute", 5, 1);
  for (const std::size_t other : {0U, 2U, 3U, 4U}) {
    EXPECT_TRUE(deaf.is_cut(other, 1));
    EXPECT_FALSE(deaf.is_cut(1, other));
    EXPECT_FALSE(mute.is_cut(other, 1));
    EXPECT_TRUE(mute.is_cut(1, other));
    for (const std::size_t third : {0U, 2U, 3U, 4U}) {
      EXPECT_FALSE(deaf.is_cut(other, third) || mute.is_cut(other, third));
    }
  }
}

TEST(PartitionShapes, TheSubjectIsAlone) {
  EXPECT_EQ(seen_by(plan_of("subject", 5, 1, "n4"), 3), 1U);
  EXPECT_EQ(seen_by(plan_of("subject", 5, 1, "n4"), 1), 4U);
}

TEST(PartitionShapes, MinorityLeavesAMajorityWhole) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto sizes = sizes_seen(plan_of("minority", 7, seed));
    EXPECT_GE(sizes.back(), majority_of(7));
    EXPECT_LE(sizes.front(), minority_of(7));
  }
}

TEST(PartitionShapes, InARingEveryNodeSeesAMajorityButNotAll) {
  for (std::size_t nodes = kRing_nodes_min; nodes <= 11; ++nodes) {
    for (const std::size_t seen : sizes_seen(plan_of("ring", nodes, nodes))) {
      EXPECT_GE(seen, majority_of(nodes));
      EXPECT_LT(seen, nodes);
    }
  }
}

TEST(PartitionShapes, OnlyTheBridgeSeesEverybody) {
  const auto sizes = sizes_seen(plan_of("bridge", 5, 1));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 3, 3, 5}));
}

TEST(PartitionShapes, NamedSidesAndDirections) {
  const PartitionPlan sides = plan_of("groups", 5, 1, "n1+n2/n3+n4+n5");
  EXPECT_TRUE(sides.is_cut(0, 2) && sides.is_cut(2, 0));
  EXPECT_FALSE(sides.is_cut(0, 1) || sides.is_cut(3, 4));
  EXPECT_EQ(sides.sides, "n1,n2 | n3,n4,n5");
  const PartitionPlan one_way = plan_of("groups", 3, 1, "n1>n2");
  EXPECT_TRUE(one_way.is_cut(0, 1));
  EXPECT_FALSE(one_way.is_cut(1, 0) || one_way.is_cut(0, 2));
}

TEST(PartitionShapes, WithoutALeaderAnotherNodeStandsInAndItIsSaid) {
  PlannedFault fault;
  fault.shape = "leader";
  base::Random random(1);
  const auto plan = plan_partition(fault, 5, std::nullopt, random);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->remark.starts_with("no leader was known"));
}

TEST(PartitionShapes, ImpossibleOnesAreUsageErrors) {
  struct Row {
    std::string shape;
    std::size_t nodes;
  };

  for (const Row& row :
       {Row{"ring", 3}, Row{"bridge", 2}, Row{"minority", 2}, Row{"one", 1}, Row{"shapeless", 5}}) {
    PlannedFault fault;
    fault.shape = row.shape;
    base::Random random(1);
    const auto plan = plan_partition(fault, row.nodes, std::nullopt, random);
    ASSERT_TRUE(plan.has_error()) << row.shape;
    EXPECT_TRUE(is(plan.error(), Errc::usage));
  }
}

}  // namespace
}  // namespace sunder::nemesis
