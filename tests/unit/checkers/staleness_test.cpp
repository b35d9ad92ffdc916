// k-atomicity and Δ-atomicity against brute force, and longer histories by what is known of them.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test.

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {
namespace {

Verdict judge(const history::History& history,
              std::string_view level,
              const std::string& parameter = {},
              double value = 0) {
  CheckOptions options;
  options.threads = 1;
  if (!parameter.empty()) options.parameters[parameter] = value;
  return check_model(history, level, options, {}).value();
}

bool is_nothing(const Verdict& verdict) {
  return verdict.kind == VerdictKind::undetermined &&
         verdict.summary.starts_with("nothing observed");
}

test::MakeHistory small(std::uint64_t operations) {
  return [operations](std::uint64_t seed) {
    return test::small_history(
        {.seed = seed, .operations_max = operations, .unique = true, .cas = false});
  };
}

TEST(KAtomicity, AgreesWithBruteForceOnTheLastTwo) {
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  const auto compare = [&](const test::RandomHistory& random) -> std::string {
    const Verdict verdict = judge(random.history, "register/k-atomicity");
    if (is_nothing(verdict)) return {};
    const bool expected = test::brute_force_k_atomic(random.history, 2);
    kept += expected ? 1U : 0U;
    return test::disagreement(expected ? "kept" : "broken", name_of(verdict.kind));
  };
  if (!test::check_histories(cases, small(8), compare)) return;
  EXPECT_GT(kept, cases / 20);
  EXPECT_LT(kept, cases - cases / 20);
}

// Beyond two, what is told is right.
TEST(KAtomicity, NeverContradictsBruteForceBeyondTwo) {
  std::uint64_t told = 0;
  const std::uint64_t cases = test::case_count();
  const auto compare = [&](const test::RandomHistory& random) -> std::string {
    const std::uint32_t k = 3 + random.seed % 2;
    const Verdict verdict = judge(random.history, "register/k-atomicity", "k", k);
    if (verdict.kind == VerdictKind::undetermined) return {};
    ++told;
    const bool expected = test::brute_force_k_atomic(random.history, k);
    return test::disagreement(expected ? "kept" : "broken", name_of(verdict.kind));
  };
  if (!test::check_histories(cases, small(8), compare)) return;
  EXPECT_GT(told, cases * 9 / 10);
}

TEST(DeltaAtomicity, AgreesWithBruteForce) {
  const auto differs =
      [](const history::History& history, const Verdict& verdict, std::int64_t delta) {
        const bool expected = test::brute_force_delta_atomic(history, delta);
        return test::disagreement(
            expected ? "kept" : "broken", name_of(verdict.kind), fmt::format("delta {}: ", delta));
      };
  test::check_histories(test::case_count(), small(6), [&](const test::RandomHistory& random) {
    const auto& history = random.history;
    const auto delta = static_cast<std::int64_t>(random.seed % 7);
    const Verdict bounded =
        judge(history, "register/delta-atomicity", "delta_ms", static_cast<double>(delta));
    if (is_nothing(bounded)) return std::string();
    std::string wrong = differs(history, bounded, delta);
    if (!wrong.empty()) return wrong;
    constexpr std::int64_t kLong = 64;
    return differs(history, judge(history, "register/delta-atomicity"), kLong);
  });
}

// One read that returns a value replaced twice, in a store that is right otherwise.
TEST(Staleness, MeasuresAPlantedStaleRead) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 3000;
    options.clients = 4;
    options.violation = true;
    const history::History history = test::register_history(options);
    const Verdict verdict = judge(history, "register/delta-atomicity");
    ASSERT_EQ(verdict.kind, VerdictKind::kept) << "seed " << seed << ": " << verdict.summary;
    const auto measured = [&](std::string_view name) {
      const auto found = std::ranges::find(verdict.measurements, name, &history::Evidence::name);
      return found == verdict.measurements.end() ? -1.0 : found->value;
    };
    EXPECT_GE(measured("versions behind max"), 1) << "seed " << seed;
    const double delta = measured("smallest delta");
    EXPECT_GT(delta, 0) << "seed " << seed;
    EXPECT_EQ(judge(history, "register/delta-atomicity", "delta_ms", delta).kind,
              VerdictKind::kept);
    const Verdict shorter = judge(history, "register/delta-atomicity", "delta_ms", delta - 1);
    ASSERT_EQ(shorter.kind, VerdictKind::broken);
    EXPECT_LE(std::ranges::count_if(shorter.counterexamples.at(0).items,
                                    [](const auto& item) { return item.core; }),
              6);
    const double behind = measured("versions behind max");
    EXPECT_EQ(judge(history, "register/k-atomicity", "k", behind).kind, VerdictKind::broken);
  }
}

}  // namespace
}  // namespace sunder::checkers
