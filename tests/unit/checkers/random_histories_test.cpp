// What the comparisons with oracles do to the histories that they draw.

#include "tests/histories/support/random_histories.hpp"

#include <map>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "tests/histories/support/equal_stamps.hpp"
#include "tests/histories/support/flipped_result.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::kNever;
using history::Operation;

constexpr std::uint64_t kSeeds = 200;

std::size_t count_equal(const History& history) {
  std::multiset<std::int64_t> stamps;
  for (const Operation& operation : history.operations()) {
    stamps.insert(operation.invoke);
    if (operation.complete != kNever) stamps.insert(operation.complete);
  }
  const std::set<std::int64_t> different(stamps.begin(), stamps.end());
  return stamps.size() - different.size();
}

TEST(EqualStamps, AreManyAndOfDifferentProcesses) {
  std::size_t equal = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const History history = with_equal_stamps(small_history({.seed = seed}), seed);
    equal += count_equal(history);
    std::map<std::int64_t, std::set<std::int64_t>> seen;  // by process
    for (const Operation& operation : history.operations()) {
      EXPECT_TRUE(seen[operation.process].insert(operation.invoke).second) << seed;
      if (operation.complete == kNever) continue;
      EXPECT_TRUE(seen[operation.process].insert(operation.complete).second) << seed;
    }
  }
  EXPECT_GT(equal, kSeeds);
}

TEST(EqualStamps, OrderNothingThatWasNotInOrder) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const History before = small_history({.seed = seed});
    const History after = with_equal_stamps(before, seed);
    ASSERT_EQ(after.operations().size(), before.operations().size());
    for (std::size_t i = 0; i < before.operations().size(); ++i) {
      for (std::size_t j = 0; j < before.operations().size(); ++j) {
        if (!after.operations()[i].precedes(after.operations()[j])) continue;
        EXPECT_TRUE(before.operations()[i].precedes(before.operations()[j])) << seed;
      }
    }
  }
}

TEST(FlippedResult, ChangesOneResultAlone) {
  std::size_t flipped = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const History before = small_history({.seed = seed});
    const auto after = flip_one_result(before, seed);
    if (!after) continue;
    std::size_t changed = 0;
    ASSERT_EQ(after->operations().size(), before.operations().size());
    for (std::size_t i = 0; i < before.operations().size(); ++i) {
      const Operation& one = before.operations()[i];
      const Operation& other = after->operations()[i];
      changed += before.describe(one) == after->describe(other) ? 0U : 1U;
    }
    EXPECT_EQ(changed, 1U) << seed;
    ++flipped;
  }
  EXPECT_GT(flipped, kSeeds / 2);
}

}  // namespace
}  // namespace sunder::test
