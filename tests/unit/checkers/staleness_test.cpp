// k-atomicity and Δ-atomicity against brute force, and longer histories by what is known of them.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test.

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/levels/stale_search.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/session_generator.hpp"

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

double measured(const Verdict& verdict, std::string_view name) {
  const auto found = std::ranges::find(verdict.measurements, name, &history::Evidence::name);
  return found == verdict.measurements.end() ? -1.0 : found->value;
}

// Reads and writes of values that are written once: what closed forms decide.
test::MakeHistory plain(std::uint64_t operations) {
  return [operations](std::uint64_t seed) {
    return test::small_history(
        {.seed = seed, .operations_max = operations, .unique = true, .cas = false});
  };
}

// Values that are written again, and compare-and-sets: what the search decides.
test::MakeHistory any(std::uint64_t operations) {
  return [operations](std::uint64_t seed) {
    return test::small_history({.seed = seed, .operations_max = operations});
  };
}

// The last two, three or four values.
void compare_k_atomic(const test::MakeHistory& make,
                      std::uint32_t least,
                      const test::Share& share) {
  const auto k_of = [least](const test::RandomHistory& random) {
    return least + static_cast<std::uint32_t>(random.seed % 2);
  };
  test::check_by_oracle(
      test::case_count(),
      make,
      [&](const test::RandomHistory& random) {
        return test::brute_force_k_atomic(random.history, k_of(random));
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        const Verdict verdict = judge(random.history, "register/k-atomicity", "k", k_of(random));
        if (is_nothing(verdict)) return std::string();
        return test::disagreement(expected, name_of(verdict.kind));
      },
      share);
}

TEST(KAtomicity, AgreesWithBruteForce) {
  compare_k_atomic(plain(8), 1, {.kept = 5, .broken = 5});
}

TEST(KAtomicity, AgreesWithBruteForceBeyondTwo) {
  compare_k_atomic(plain(8), 3, {.kept = 5, .broken = 2});
}

TEST(KAtomicity, AgreesWithBruteForceOnAnyRegister) {
  compare_k_atomic(any(8), 2, {.kept = 5, .broken = 5});
}

void compare_delta_atomic(const test::MakeHistory& make) {
  const auto differs =
      [](const history::History& history, const Verdict& verdict, std::int64_t delta) {
        const bool expected = test::brute_force_delta_atomic(history, delta);
        return test::disagreement(
            expected ? "kept" : "broken", name_of(verdict.kind), fmt::format("delta {}: ", delta));
      };
  test::check_histories(test::case_count(), make, [&](const test::RandomHistory& random) {
    const auto& history = random.history;
    const auto delta = static_cast<std::int64_t>(random.seed % 7);
    const Verdict bounded =
        judge(history, "register/delta-atomicity", "delta_ms", static_cast<double>(delta));
    if (is_nothing(bounded)) return std::string();
    std::string wrong = differs(history, bounded, delta);
    if (!wrong.empty()) return wrong;
    constexpr std::int64_t kLong = 64;
    const Verdict unbounded = judge(history, "register/delta-atomicity");
    wrong = differs(history, unbounded, kLong);
    const auto least = static_cast<std::int64_t>(measured(unbounded, "smallest delta"));
    if (!wrong.empty() || least < 0) return wrong;
    const bool smallest = test::brute_force_delta_atomic(history, least) &&
                          !test::brute_force_delta_atomic(history, least - 1);
    return smallest ? std::string() : fmt::format("{} is not the smallest delta", least);
  });
}

TEST(DeltaAtomicity, AgreesWithBruteForce) {
  compare_delta_atomic(plain(6));
}

TEST(DeltaAtomicity, AgreesWithBruteForceOnAnyRegister) {
  compare_delta_atomic(any(6));
}

// A store that lags, as closed forms and as the search see it.
TEST(Staleness, RoutesAgreeOnLongHistories) {
  std::uint64_t kept = 0;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    test::StoreOptions options;
    options.seed = seed;
    options.operations = 100 + 10 * seed;
    options.processes = 2 + seed % 5;
    options.keys = 1 + seed % 3;
    options.lag = 1 + seed % 4;
    const history::History history = test::store_history(options);
    CheckOptions one_thread;
    one_thread.threads = 1;
    for (std::uint32_t k = 1; k <= 5; ++k) {
      const Verdict direct = judge(history, "register/k-atomicity", "k", k);
      const Verdict searched = levels::search_k_atomic(history, k, one_thread, {});
      ASSERT_EQ(name_of(direct.kind), name_of(searched.kind)) << "seed " << seed << ", k " << k;
      ++(direct.kind == VerdictKind::kept ? kept : broken);
    }
    const Verdict direct = judge(history, "register/delta-atomicity");
    const Verdict searched = levels::search_delta_atomic(history,
                                                         *find_search_model("register"),
                                                         levels::Clock::stamps,
                                                         levels::kUnbounded - 1,
                                                         one_thread,
                                                         {});
    ASSERT_EQ(name_of(direct.kind), name_of(searched.kind)) << "seed " << seed;
    if (measured(direct, "smallest delta") < 0) continue;  // it is linearizable
    ASSERT_EQ(measured(direct, "smallest delta"), measured(searched, "smallest delta"))
        << "seed " << seed;
  }
  EXPECT_GT(kept, 20U);
  EXPECT_GT(broken, 20U);
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
    EXPECT_GE(measured(verdict, "versions behind max"), 1) << "seed " << seed;
    const double delta = measured(verdict, "smallest delta");
    EXPECT_GT(delta, 0) << "seed " << seed;
    EXPECT_EQ(judge(history, "register/delta-atomicity", "delta_ms", delta).kind,
              VerdictKind::kept);
    const Verdict shorter = judge(history, "register/delta-atomicity", "delta_ms", delta - 1);
    ASSERT_EQ(shorter.kind, VerdictKind::broken);
    EXPECT_LE(std::ranges::count_if(shorter.counterexamples.at(0).items,
                                    [](const auto& item) { return item.core; }),
              6);
    const double behind = measured(verdict, "versions behind max");
    EXPECT_EQ(judge(history, "register/k-atomicity", "k", behind).kind, VerdictKind::broken);
  }
}

}  // namespace
}  // namespace sunder::checkers
