// Random: the same numbers on every machine, uniform where it says so, streams that do not depend
// on each other.

#include "harness/base/random.hpp"

#include <gtest/gtest.h>

namespace sunder::base {
namespace {

TEST(Random, Splitmix64MatchesThePublishedSequence) {
  std::uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(state), 6457827717110365317ULL);
  EXPECT_EQ(splitmix64(state), 3203168211198807973ULL);
}

TEST(Random, SameSeedSameNumbers) {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Random, ForksDoNotDependOnWhatWasDrawnBefore) {
  Random a(7);
  const std::uint64_t before = a.fork("nemesis").next();
  (void)a.next();
  EXPECT_EQ(a.fork("nemesis").next(), before);
  EXPECT_NE(a.fork("workload").next(), before);
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  Random random(1);
  std::vector<int> seen(7);
  for (int i = 0; i < 10'000; ++i) ++seen.at(random.below(7));
  for (const int count : seen) EXPECT_NEAR(count, 10'000 / 7, 200);
}

TEST(Random, WeightedNeverPicksAZeroWeight) {
  Random random(3);
  const std::vector<double> weights{0.0, 1.0, 0.0, 3.0};
  std::vector<int> seen(4);
  for (int i = 0; i < 10'000; ++i) ++seen.at(random.weighted(weights));
  EXPECT_EQ(seen[0], 0);
  EXPECT_EQ(seen[2], 0);
  EXPECT_NEAR(seen[3], 7500, 300);
}

}  // namespace
}  // namespace sunder::base
