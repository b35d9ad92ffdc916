// The checkers of deliveries against brute force on random small histories, and their exercise
// rules on runs written by hand.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <string>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/work_queue_oracle.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Outcome;
using history::Value;

bool accused(const history::History& history, test::WorkQueueLimits limits) {
  CheckOptions options;
  options.parameters = {{"deliveries_max", static_cast<double>(limits.deliveries_max)},
                        {"length_max", static_cast<double>(limits.length_max)}};
  const auto verdict = check_model(history, "work-queue", options, {});
  EXPECT_TRUE(verdict.has_value());
  return verdict.has_value() && verdict->kind == VerdictKind::broken;
}

TEST(Delivery, OwnershipAgreesWithBruteForce) {
  std::uint64_t impossible = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::SmallWorkQueueOptions small;
    small.seed = seed;
    small.limits.deliveries_max = 1 + static_cast<std::int64_t>(seed % 3);
    const history::History history = test::small_work_queue_history(small);
    const bool expected = !test::work_queue_oracle(history, small.limits);
    impossible += expected ? 1U : 0U;
    ASSERT_EQ(accused(history, small.limits), expected) << "seed " << seed << "\n"
                                                        << history::to_jsonl(history);
  }
  EXPECT_GT(impossible, cases / 10);
  EXPECT_LT(impossible, cases - cases / 10);
}

// Receives of unknown outcome explain much, and counts are judged by what was surely or possibly
// there: what brute force can explain is never accused, and most of what it cannot is.
TEST(Delivery, NeverAccusesWhatBruteForceExplains) {
  std::uint64_t impossible = 0;
  std::uint64_t found = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::SmallWorkQueueOptions small;
    small.seed = seed;
    small.unknown_receives = true;
    small.counts = true;
    small.limits = {.deliveries_max = 1 + static_cast<std::int64_t>(seed % 3), .length_max = 2};
    const history::History history = test::small_work_queue_history(small);
    const bool expected = !test::work_queue_oracle(history, small.limits);
    const bool told = accused(history, small.limits);
    ASSERT_TRUE(expected || !told) << "seed " << seed << "\n" << history::to_jsonl(history);
    impossible += expected ? 1U : 0U;
    found += told ? 1U : 0U;
  }
  EXPECT_GT(impossible, cases / 10);
  EXPECT_GT(found * 10, impossible * 8) << "of " << impossible;
}

}  // namespace
}  // namespace sunder::checkers
