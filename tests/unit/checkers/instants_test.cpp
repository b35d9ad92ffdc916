// Numbering and sorting stamps, dense and sparse, against sorting as the standard library does it.

#include "checkers/instants.hpp"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/histories/support/draws.hpp"

namespace sunder::checkers {
namespace {

std::vector<std::int64_t> stamps(std::size_t count, std::uint64_t range, std::int64_t low) {
  test::Draws draws(count + range);
  std::vector<std::int64_t> all(count);
  for (std::int64_t& stamp : all) stamp = low + static_cast<std::int64_t>(draws.below(range));
  return all;
}

TEST(Instants, CountThoseBeforeAStamp) {
  // The last range is far too wide for a bit for each stamp.
  for (const std::uint64_t range : {1ULL, 63ULL, 64ULL, 65ULL, 5000ULL, 1ULL << 40U}) {
    const std::int64_t low = -17;
    const std::int64_t high = low + static_cast<std::int64_t>(range) - 1;
    Instants instants(low, high, 300);
    std::set<std::int64_t> expected;
    for (const std::int64_t stamp : stamps(300, range, low)) {
      instants.add(stamp);
      expected.insert(stamp);
    }
    instants.number();
    ASSERT_EQ(instants.size(), expected.size());
    for (std::int64_t stamp : stamps(300, range + 4, low - 2)) {
      const auto before = std::distance(expected.begin(), expected.lower_bound(stamp));
      const auto until = std::distance(expected.begin(), expected.upper_bound(stamp));
      EXPECT_EQ(instants.rank(stamp), before) << stamp << " of " << range;
      EXPECT_EQ(instants.rank_after(stamp), until) << stamp << " of " << range;
    }
  }
}

TEST(SortByStamp, SortsAndKeepsTheOrderOfEqualOnes) {
  for (const std::size_t count : {0U, 1U, 511U, 512U, 5000U}) {
    for (const std::uint64_t range : {1ULL, 2047ULL, 2049ULL, 1ULL << 40U}) {
      std::vector<End> ends;
      for (const std::int64_t stamp : stamps(count, range, -1000)) {
        ends.push_back({stamp, static_cast<std::uint32_t>(ends.size())});
      }
      std::vector<End> expected = ends;
      std::ranges::stable_sort(expected, {}, &End::stamp);
      sort_by_stamp(ends);
      EXPECT_EQ(ends, expected) << count << " of " << range;
    }
  }
}

}  // namespace
}  // namespace sunder::checkers
