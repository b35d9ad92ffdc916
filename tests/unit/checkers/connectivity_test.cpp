// Connectivity: which majority is whole, who reaches whom, and what is certain while a fault comes
// and goes.

#include "checkers/connectivity.hpp"

#include <gtest/gtest.h>

#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

std::string majority_at(const RunFixture& run, std::int64_t time_ms) {
  const Connectivity connectivity(run.context, Stance::possible);
  const auto& segment = connectivity.segments()[connectivity.segment_at(RunFixture::ms(time_ms))];
  const auto majority = connectivity.connected_majority(segment);
  return majority ? connectivity.names_of(*majority) : "none";
}

TEST(Connectivity, WithoutFaultsAllNodesAreOneMajority) {
  EXPECT_EQ(majority_at(RunFixture(5, 5), 100), "n1,n2,n3,n4,n5");
}

TEST(Connectivity, APartitionLeavesItsLargerSide) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 100, 200);
  EXPECT_EQ(majority_at(run, 50), "n1,n2,n3,n4,n5");
  EXPECT_EQ(majority_at(run, 150), "n3,n4,n5");
  EXPECT_EQ(majority_at(run, 300), "n1,n2,n3,n4,n5");
}

TEST(Connectivity, OneDirectionIsEnoughToPart) {
  RunFixture run(3, 3);
  run.partition({1}, {2, 3}, 100, 200, true);
  EXPECT_EQ(majority_at(run, 150), "n2,n3");
}

TEST(Connectivity, SeveralMajoritiesAreNone) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {4, 5}, 100, 200);  // n3 is the bridge
  EXPECT_EQ(majority_at(run, 150), "none");
}

TEST(Connectivity, DeadNodesAreNotPartOfAMajority) {
  RunFixture run(5, 5);
  run.kill({1, 2}, 100, 200);
  EXPECT_EQ(majority_at(run, 150), "n3,n4,n5");
  run.partition({3}, {1, 2, 4, 5}, 120, 180);
  EXPECT_EQ(majority_at(run, 150), "none");
}

TEST(Connectivity, AFaultCountsFromItsFirstMomentOrOnlyWhileItSurelyStands) {
  RunFixture run(3, 3);
  auto& fault = run.partition({1}, {2, 3}, 100, 200);
  fault.applying = {RunFixture::ms(100), RunFixture::ms(110)};
  fault.active = {RunFixture::ms(110), RunFixture::ms(200)};
  fault.healed = RunFixture::ms(220);
  const Connectivity possible(run.context, Stance::possible);
  const Connectivity certain(run.context, Stance::certain);
  const auto is_cut = [](const Connectivity& connectivity, std::int64_t time) {
    return !connectivity.linked(
        connectivity.segments()[connectivity.segment_at(RunFixture::ms(time))], 0, 1);
  };
  EXPECT_TRUE(is_cut(possible, 105) && is_cut(possible, 150) && is_cut(possible, 210));
  EXPECT_FALSE(is_cut(possible, 99) || is_cut(possible, 221));
  EXPECT_TRUE(is_cut(certain, 150));
  EXPECT_FALSE(is_cut(certain, 105) || is_cut(certain, 210));
}

TEST(Connectivity, AFlappingCutIsCertainOnlyWhileItStood) {
  RunFixture run(3, 3);
  auto& fault = run.partition({1}, {2, 3}, 100, 200);
  fault.standing = {{RunFixture::ms(101), RunFixture::ms(120)},
                    {RunFixture::ms(150), RunFixture::ms(200)}};
  const Connectivity certain(run.context, Stance::certain);
  const auto is_cut = [&](std::int64_t time) {
    return !certain.linked(certain.segments()[certain.segment_at(RunFixture::ms(time))], 0, 1);
  };
  EXPECT_TRUE(is_cut(110) && is_cut(160));
  EXPECT_FALSE(is_cut(130));
}

TEST(Connectivity, APorousFaultExcusesAndDoesNotAccuse) {
  RunFixture run(3, 3);
  run.partition({1}, {2, 3}, 100, 200).porous = true;
  const Connectivity possible(run.context, Stance::possible);
  const Connectivity certain(run.context, Stance::certain);
  const auto linked_at = [](const Connectivity& connectivity, std::int64_t time) {
    return connectivity.linked(
        connectivity.segments()[connectivity.segment_at(RunFixture::ms(time))], 0, 1);
  };
  EXPECT_FALSE(linked_at(possible, 150));
  EXPECT_TRUE(linked_at(certain, 150));
}

TEST(Connectivity, AFaultThatWasNeverHealedLasts) {
  RunFixture run(3, 3);
  auto& fault = run.partition({1}, {2, 3}, 100, 200);
  fault.active.end = history::kNever;
  fault.healed = 0;
  EXPECT_EQ(majority_at(run, 10'000), "n2,n3");
}

TEST(Connectivity, ReachFollowsEitherDirectionAndAddsUpOverTime) {
  RunFixture run(5, 5);
  run.partition({1}, {2, 3, 4, 5}, 100, 200);
  run.partition({1, 2}, {3, 4, 5}, 300, 400);
  const Connectivity certain(run.context, Stance::certain);
  const std::size_t client = 5;  // c1, at n1
  const std::size_t alone = certain.segment_at(RunFixture::ms(150));
  const std::size_t pair = certain.segment_at(RunFixture::ms(350));
  EXPECT_EQ(certain.names_of(certain.within_reach(client, alone, alone)), "n1");
  EXPECT_EQ(certain.names_of(certain.within_reach(client, pair, pair)), "n1,n2");
  EXPECT_EQ(certain.names_of(certain.within_reach(client, alone, pair)), "n1,n2,n3,n4,n5");
}

}  // namespace
}  // namespace sunder::checkers
