// Levels of isolation against brute force, and the routes to a verdict against each other.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test.

#include "checkers/isolation/isolation.hpp"

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/isolation/backward_order.hpp"
#include "checkers/isolation/witness.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/isolation_brute_force.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder::checkers {
namespace {

using isolation::Axiom;
using isolation::Routes;
using isolation::Rules;

struct Judged {
  std::string_view level;
  Rules rules;
};

constexpr std::array kJudged{
    Judged{"read-uncommitted", {.axiom = Axiom::read_uncommitted}},
    Judged{"read-committed", {.axiom = Axiom::read_committed}},
    Judged{"read-atomic", {.axiom = Axiom::read_atomic}},
    Judged{"causal", {.axiom = Axiom::causal}},
    Judged{"prefix", {.axiom = Axiom::prefix}},
    Judged{"parallel-snapshot-isolation", {.axiom = Axiom::parallel_snapshot}},
    Judged{"snapshot-isolation", {.axiom = Axiom::snapshot}},
    Judged{"serializable", {.axiom = Axiom::serializable}},
    Judged{"strong-snapshot-isolation", {.axiom = Axiom::snapshot, .real_time = true}},
    Judged{"strict-serializable", {.axiom = Axiom::serializable, .real_time = true}},
};

constexpr std::array kRoutes{
    Routes{},
    Routes{.witness = false},
    Routes{.witness = false, .polynomial = false},
};

constexpr std::string_view kUnshown = "broken without a counter-example";

// The verdict's name, or what a broken one lacks.
std::string_view answer(const history::History& history, const Judged& judged, Routes routes) {
  const isolation::Question question{
      .level = judged.level, .rules = judged.rules, .dialect = {}, .routes = routes};
  const Verdict verdict = isolation::check_isolation(history, question, {}, {});
  const bool shown = !verdict.counterexamples.empty() && !verdict.summary.empty();
  if (verdict.kind == VerdictKind::broken && !shown) return kUnshown;
  // Nothing acknowledged contradicts nothing: brute force says that it is right.
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? "kept" : name_of(verdict.kind);
}

// What is wrong with the verdict of some route; nothing is expected: that they agree.
std::string compare(const history::History& history,
                    const Judged& judged,
                    std::string_view expected) {
  for (const Routes& routes : kRoutes) {
    const std::string_view got = answer(history, judged, routes);
    if (expected.empty() && got != kUnshown) expected = got;
    if (got == expected) continue;
    return test::disagreement(expected,
                              got,
                              fmt::format("{}, {} a witness, {}: ",
                                          judged.level,
                                          routes.witness ? "with" : "without",
                                          routes.polynomial ? "polynomial" : "searched"));
  }
  return {};
}

void agree(test::SmallTransactionOptions small, const Judged& judged, std::uint64_t cases) {
  test::check_by_oracle(
      cases,
      [&](std::uint64_t seed) {
        small.seed = seed;
        return test::small_transaction_history(small);
      },
      [&](const test::RandomHistory& random) {
        return test::brute_force_isolation(random.history, judged.level);
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        return compare(random.history, judged, expected);
      },
      {.kept = 5, .broken = 5});
}

class Isolation : public testing::TestWithParam<Judged> {};

class IsolationByOrder : public Isolation {};  // of levels that more than single reads decide

class IsolationWithoutTimes : public Isolation {};  // of levels that real time says nothing about

TEST_P(Isolation, AgreesWithBruteForce) {
  agree({}, GetParam(), test::case_count());
}

TEST_P(IsolationByOrder, AgreesWithBruteForce) {
  agree({.items_max = 4, .faults = false, .unknown = false}, GetParam(), test::case_count());
}

TEST_P(IsolationByOrder, AgreesWithBruteForceOnRepeatedValues) {
  agree({.transactions_max = 4, .faults = false, .repeated = true},
        GetParam(),
        test::case_count() / 4);
}

test::TransactionOptions store_options(std::uint64_t seed) {
  test::TransactionOptions options;
  options.level = static_cast<test::StoreLevel>(seed % 4);
  options.seed = seed;
  options.lag = seed % 30;
  options.unknown_percent = seed % 5 == 0 ? 10 * (seed % 6) : 0;
  options.transactions = 120;
  options.sessions = 5;
  options.operations = 4;
  options.keys = 8 + seed % 40;
  options.bug = static_cast<test::StoreBug>(seed % 4 == 3 ? 0 : seed % 4);
  options.timed = seed % 2 == 0;
  options.session_length = seed % 3 == 0 ? 1 + seed % 7 : 0;
  return options;
}

// Whether a store keeps a level.
bool promises(const test::TransactionOptions& options, const Rules& rules) {
  if (options.bug != test::StoreBug::none) return false;
  // Without times every line is over before the next: then only the newest snapshot will do.
  const bool current = !rules.real_time || options.timed;
  const bool snapshots = rules.axiom != Axiom::serializable && current;
  return options.level == test::StoreLevel::serializable ||
         (options.level == test::StoreLevel::snapshot && snapshots);
}

// Longer histories than brute force can judge: all routes must agree, with bugs and without.
TEST_P(Isolation, RoutesAgreeOnSimulatedStores) {
  const std::uint64_t cases = std::max<std::uint64_t>(test::case_count() / 200, 1);
  const auto make = [](std::uint64_t seed) {
    return test::transaction_history(store_options(seed));
  };
  test::check_histories(cases, make, [](const test::RandomHistory& random) {
    const bool kept = random.whole && promises(store_options(random.seed), GetParam().rules);
    return compare(random.history, GetParam(), kept ? "kept" : "");
  });
}

// Half of the outcomes are unknown, so that the times of completions tell little of the order.
TEST(IsolationOrder, FindsThePlaceOfUnknownOutcomes) {
  const std::uint64_t cases = std::max<std::uint64_t>(test::case_count() / 500, 1);
  std::uint64_t guessed = 0;
  const auto judge = [&](std::uint64_t seed) -> std::string {
    test::TransactionOptions options;
    options.seed = seed;
    options.transactions = 300;
    options.sessions = 10;
    options.keys = 100 + 20 * (seed % 20);
    options.unknown_percent = 50;
    options.timed = true;
    const history::History history = test::transaction_history(options);
    std::string foreign;
    const auto transactions = isolation::read_transactions(history, {}, foreign);
    if (!transactions.has_value()) return foreign;
    const auto first = isolation::guess_commit_order(*transactions, history);
    const auto second = isolation::order_backwards(*transactions, first);
    guessed += isolation::Witness(*transactions, first).explains_serially() ? 1U : 0U;
    if (second.size() != transactions->size()) return "not all have a place";
    const bool explains = isolation::Witness(*transactions, second).explains_serially();
    return explains ? "" : "the order does not explain what was read";
  };
  if (!test::check_seeds(cases, judge)) return;
  EXPECT_LT(guessed, cases) << "the first guess alone would do";
}

// A write skew has no serial order: there is nothing to guess.
TEST(IsolationOrder, IsNotFoundWhereThereIsNone) {
  const auto read = history::read_history(
      R"({"index":0,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["w","y",1]]}
{"index":1,"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["w","x",1]]}
{"index":2,"process":0,"type":"ok","f":"txn","value":[["r","x",null],["w","y",1]]}
{"index":3,"process":1,"type":"ok","f":"txn","value":[["r","y",null],["w","x",1]]}
)",
      "skew");
  ASSERT_TRUE(read.has_value());
  const history::History& history = read->history;
  std::string foreign;
  const auto transactions = isolation::read_transactions(history, {}, foreign);
  ASSERT_TRUE(transactions.has_value());
  const auto first = isolation::guess_commit_order(*transactions, history);
  EXPECT_TRUE(isolation::order_backwards(*transactions, first).empty());
}

// Of two sessions each is longer than a clock's numbers count.
TEST(IsolationOrder, CountsLongSessions) {
  test::TransactionOptions options;
  options.transactions = 100'000;
  options.sessions = 2;
  options.operations = 2;
  options.keys = 50;
  const auto judge = [&](test::StoreBug bug, test::StoreLevel level) {
    options.bug = bug;
    options.level = level;
    return answer(
        test::transaction_history(options), {"causal", {.axiom = Axiom::causal}}, kRoutes[1]);
  };
  EXPECT_EQ(judge(test::StoreBug::none, test::StoreLevel::causal), "kept");
  EXPECT_EQ(judge(test::StoreBug::stale, test::StoreLevel::serializable), "broken");
}

// The same histories as a text form without times gives them: one session after the other.
TEST_P(IsolationWithoutTimes, NeedsNone) {
  const std::uint64_t cases = std::max<std::uint64_t>(test::case_count() / 1000, 1);
  const auto make = [](std::uint64_t seed) {
    test::TransactionOptions options;
    options.seed = seed;
    options.level = test::StoreLevel::serializable;
    options.transactions = 200;
    options.sessions = 6;
    options.operations = 4;
    options.keys = 10 + seed % 50;
    return test::by_session(test::transaction_history(options));
  };
  test::check_histories(cases, make, [](const test::RandomHistory& random) {
    return compare(random.history, GetParam(), random.whole ? "kept" : "");
  });
}

// One read of a valid history gets another value that was written: brute force says what that
// means.
TEST_P(Isolation, AgreesAboutOneFlippedResult) {
  const std::uint64_t cases = test::case_count() / 10;
  std::uint64_t kept = 0;
  const auto make = [](std::uint64_t seed) {
    test::TransactionOptions options;
    options.seed = seed;
    options.level = test::StoreLevel::serializable;
    options.transactions = 6;
    options.sessions = 3;
    options.operations = 3;
    options.keys = 2;
    options.timed = true;
    return test::flip_one_read(test::transaction_history(options), seed);
  };
  const auto judge = [&](const test::RandomHistory& random) {
    const bool right = test::brute_force_isolation(random.history, GetParam().level);
    kept += right ? 1U : 0U;
    return compare(random.history, GetParam(), right ? "kept" : "broken");
  };
  if (!test::check_histories(cases, make, judge)) return;
  if (GetParam().rules.axiom != Axiom::read_uncommitted) {
    EXPECT_LT(kept, cases - cases / 20);
  }
}

// Ten thousand sessions of two transactions each: full clocks would take 400 MB.
TEST(IsolationMemory, ShortSessionsNeedNoMoreThanThereAreAtOnce) {
  test::TransactionOptions options;
  options.transactions = 20'000;
  options.sessions = 20;
  options.session_length = 2;
  options.keys = 100;
  const history::History history = test::transaction_history(options);
  const isolation::Question question{.level = "causal",
                                     .rules = {.axiom = Axiom::causal},
                                     .dialect = {},
                                     .routes = {.witness = false}};
  CheckOptions check;
  check.memory_budget = std::size_t{16} << 20;
  const Verdict kept = isolation::check_isolation(history, question, check, {});
  EXPECT_EQ(name_of(kept.kind), "kept") << kept.summary;
  check.memory_budget = std::size_t{1} << 12;
  const Verdict without_memory = isolation::check_isolation(history, question, check, {});
  EXPECT_EQ(name_of(without_memory.kind), "undetermined");
  EXPECT_NE(without_memory.summary.find("memory"), std::string::npos) << without_memory.summary;
}

TEST(IsolationMemory, EndsWithItsTime) {
  test::TransactionOptions options;
  options.transactions = 20'000;
  const history::History history = test::transaction_history(options);
  const isolation::Question question{.level = "causal",
                                     .rules = {.axiom = Axiom::causal},
                                     .dialect = {},
                                     .routes = {.witness = false}};
  CheckOptions check;
  check.time_budget = std::chrono::nanoseconds(1);
  const Verdict verdict = isolation::check_isolation(history, question, check, {});
  EXPECT_EQ(name_of(verdict.kind), "undetermined");
  EXPECT_NE(verdict.summary.find("time"), std::string::npos) << verdict.summary;
}

std::string test_name(const testing::TestParamInfo<Judged>& info) {
  std::string name(info.param.level);
  std::ranges::replace(name, '-', '_');
  return name;
}

// The first level is decided by single reads, the last two are about real time.
constexpr std::span<const Judged> kByOrder = std::span(kJudged).subspan(1);
constexpr std::span<const Judged> kWithoutTimes = std::span(kJudged).first(kJudged.size() - 2);
static_assert(kJudged.front().rules.axiom == Axiom::read_uncommitted);
static_assert(std::ranges::none_of(kWithoutTimes,
                                   [](const Judged& judged) { return judged.rules.real_time; }));

INSTANTIATE_TEST_SUITE_P(Levels, Isolation, testing::ValuesIn(kJudged), test_name);
INSTANTIATE_TEST_SUITE_P(Levels, IsolationByOrder, testing::ValuesIn(kByOrder), test_name);
INSTANTIATE_TEST_SUITE_P(Levels,
                         IsolationWithoutTimes,
                         testing::ValuesIn(kWithoutTimes),
                         test_name);

}  // namespace
}  // namespace sunder::checkers
