// The checkers of collections against brute force, on random small histories, and with one result
// changed in a history that keeps every promise.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/collection_generator.hpp"
#include "tests/histories/support/collection_oracle.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::checkers {
namespace {

VerdictKind kind_of(const history::History& history, const std::string& model) {
  const auto verdict = check_model(history, model, {}, {});
  EXPECT_TRUE(verdict.has_value()) << model;
  if (!verdict.has_value()) return VerdictKind::undetermined;
  EXPECT_EQ(verdict->kind == VerdictKind::broken, !verdict->counterexamples.empty());
  // Where nothing was observed there is nothing to contradict: brute force calls it kept.
  const bool nothing = verdict->kind == VerdictKind::undetermined &&
                       verdict->summary.starts_with("nothing observed");
  return nothing ? VerdictKind::kept : verdict->kind;
}

class Collections : public testing::TestWithParam<std::string> {};

TEST_P(Collections, AgreeWithBruteForce) {
  // "model/level", or "model/level of type" where histories of that type are judged.
  const std::string parameter = GetParam();
  const std::string model = parameter.substr(0, parameter.find(' '));
  const std::size_t of = parameter.rfind(' ');
  const std::string type =
      of == std::string::npos ? model.substr(0, model.find('/')) : parameter.substr(of + 1);
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::SmallCollectionOptions small;
    small.type = type;
    small.seed = seed;
    const history::History history = test::small_collection_history(small);
    const auto holds = test::collection_oracle(history, model);
    ASSERT_TRUE(holds.has_value()) << "no oracle for " << model;
    kept += *holds ? 1U : 0U;
    const VerdictKind expected = *holds ? VerdictKind::kept : VerdictKind::broken;
    ASSERT_EQ(name_of(kind_of(history, model)), name_of(expected)) << "seed " << seed << "\n"
                                                                   << history::to_jsonl(history);
  }
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 50);
}

std::string model_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each,
                         Collections,
                         testing::Values("bank/any-balance",
                                         "bank/non-negative",
                                         "convergence/agreement",
                                         "convergence/agreement of convergence-of-sets",
                                         "convergence/last-write",
                                         "convergence/last-write of convergence-of-sets",
                                         "counter/bounds",
                                         "kafka/delivered",
                                         "kafka/log",
                                         "kafka/ordered",
                                         "long-fork/prefix",
                                         "monotonic/order",
                                         "monotonic/real-time",
                                         "monotonic/session",
                                         "set-full/fresh",
                                         "set-full/stable",
                                         "set/final-read",
                                         "set/linearizable",
                                         "total-queue/exactly-once",
                                         "total-queue/total",
                                         "unique-ids/unique"),
                         model_name);

}  // namespace
}  // namespace sunder::checkers
