// The levels of registers below linearizability against brute force and against each other, on
// random histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test.

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "checkers/levels/register_levels.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/session_generator.hpp"

namespace sunder::checkers {
namespace {

Verdict judge(const history::History& history, std::string_view level, bool linearizable) {
  CheckOptions options;
  options.threads = 1;
  return levels::check_register(
      history, *find_search_model("register"), level, options, {}, {.linearizable = linearizable});
}

VerdictKind kind_of(const history::History& history, std::string_view level, bool linearizable) {
  const Verdict verdict = judge(history, level, linearizable);
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? VerdictKind::kept : verdict.kind;
}

class Levels : public testing::TestWithParam<std::string_view> {};

void agree(std::string_view level, test::SessionOptions options) {
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    options.seed = seed;
    const history::History history = test::session_history(options);
    const VerdictKind expected =
        test::brute_force_level(history, level) ? VerdictKind::kept : VerdictKind::broken;
    kept += expected == VerdictKind::kept ? 1U : 0U;
    ASSERT_EQ(name_of(kind_of(history, level, seed % 2 == 0)), name_of(expected))
        << level << ", seed " << seed << "\n"
        << history::to_jsonl(history);
  }
  EXPECT_GT(kept, cases / 20);
  EXPECT_LT(kept, cases - cases / 20);
}

TEST_P(Levels, AgreeWithBruteForceOnUniqueValues) {
  agree(GetParam(), {});
}

TEST_P(Levels, AgreeWithBruteForceOnRepeatedValues) {
  agree(GetParam(), {.operations_max = 5, .unique = false});
}

// One key, reads and writes only: contradictions in depth.
TEST_P(Levels, AgreeWithBruteForceOnPlainReadsAndWrites) {
  agree(GetParam(),
        {.operations_max = 7, .processes = 2, .keys = 2, .unknown = false, .cas = false});
}

// Whatever is linearizable satisfies every level, by the level's own test.
TEST_P(Levels, HoldOfLinearizableStores) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 300;
    options.clients = 6;
    options.keys = 1 + seed % 3;
    options.unknown_per_mille = seed % 2 == 0 ? 100 : 0;
    const history::History history = test::register_history(options);
    const Verdict verdict = judge(history, GetParam(), false);
    ASSERT_EQ(verdict.kind, VerdictKind::kept) << "seed " << seed << ": " << verdict.summary;
  }
}

// A read that finds its key's initial value at the end of a session that wrote it is wrong at
// every level but those about others' writes.
TEST_P(Levels, HaveCounterExamplesThatContradictThemselves) {
  std::uint64_t broken = 0;
  const std::uint64_t cases = test::case_count() / 50;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::StoreOptions options;
    options.seed = seed;
    options.kind = test::StoreKind::fifo;
    options.operations = 120;
    options.processes = 4;
    options.keys = 3;
    options.wrong = 10;
    const history::History history = test::store_history(options);
    const Verdict verdict = judge(history, GetParam(), true);
    if (verdict.kind != VerdictKind::broken) continue;
    ++broken;
    ASSERT_EQ(verdict.counterexamples.size(), 1U) << "seed " << seed;
    // The core alone is a history that is wrong at that level.
    history::HistoryBuilder builder;
    for (const Counterexample::Item& item : verdict.counterexamples[0].items) {
      history::Operation operation = history.operations()[item.operation];
      operation.key = builder.pool().symbol(history.pool().name(operation.key));
      builder.add(operation);
    }
    history::History core = builder.finish();
    ASSERT_LE(core.operations().size(), 48U) << "seed " << seed;
    ASSERT_EQ(kind_of(core, GetParam(), false), VerdictKind::broken) << "seed " << seed << "\n"
                                                                     << verdict.summary;
    EXPECT_FALSE(verdict.summary.empty());
  }
  EXPECT_GT(broken, 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, Levels, testing::ValuesIn(test::kLevels), [](const auto& row) {
  std::string name(row.param);
  std::ranges::replace(name, '-', '_');
  return name;
});

// Longer histories than brute force can judge: vector clocks and rounds against plain matrices.
TEST(LevelsByTwoRoutes, AgreeOnStoresThatErr) {
  const std::uint64_t cases = test::case_count() / 20;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::StoreOptions options;
    options.seed = seed;
    options.kind = seed % 3 == 0   ? test::StoreKind::fifo
                   : seed % 3 == 1 ? test::StoreKind::causal
                                   : test::StoreKind::last;
    options.operations = 30;
    options.processes = 3;
    options.keys = 1 + seed % 4;
    options.lag = 5 + seed % 40;
    options.wrong = seed % 5;
    const history::History history = test::store_history(options);
    for (const std::string_view level : {"causal", "causal-memory", "ccv", "pram"}) {
      const bool allowed = test::saturation_allows(history, level);
      ASSERT_EQ(kind_of(history, level, false) == VerdictKind::kept, allowed)
          << level << ", seed " << seed << "\n"
          << history::to_jsonl(history);
    }
  }
}

// What a store promises, it keeps; what is stronger is refuted sooner or later.
TEST(SimulatedStores, KeepWhatTheyPromise) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::StoreOptions options;
    options.seed = seed;
    options.operations = 2000;
    for (const auto& [kind, kept] :
         {std::pair{test::StoreKind::fifo, std::string_view("pram")},
          std::pair{test::StoreKind::causal, std::string_view("causal-memory")},
          std::pair{test::StoreKind::last, std::string_view("ccv")}}) {
      options.kind = kind;
      const history::History history = test::store_history(options);
      EXPECT_EQ(kind_of(history, kept, true), VerdictKind::kept) << kept << ", seed " << seed;
      EXPECT_EQ(kind_of(history, "linearizable", true), VerdictKind::broken) << seed;
    }
  }
}

// The stronger level implies the weaker one, whatever the history.
TEST(LevelsAsALattice, ImplyEachOther) {
  const std::uint64_t cases = test::case_count() / 4;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    const history::History history =
        test::session_history({.seed = seed, .operations_max = 9, .unique = seed % 2 == 0});
    const auto holds = [&](std::string_view level) {
      return kind_of(history, level, false) == VerdictKind::kept;
    };
    for (const auto& [stronger, weaker] : {std::pair{"sequential", "causal-memory"},
                                           std::pair{"sequential", "ccv"},
                                           std::pair{"causal-memory", "causal"},
                                           std::pair{"causal-memory", "pram"},
                                           std::pair{"ccv", "causal"},
                                           std::pair{"ccv", "monotonic-reads"},
                                           std::pair{"causal", "writes-follow-reads"},
                                           std::pair{"causal", "read-your-writes"},
                                           std::pair{"pram", "monotonic-reads"},
                                           std::pair{"pram", "monotonic-writes"},
                                           std::pair{"pram", "read-your-writes"},
                                           std::pair{"writes-follow-reads", "monotonic-writes"}}) {
      if (holds(stronger)) {
        ASSERT_TRUE(holds(weaker)) << stronger << " but not " << weaker << ", seed " << seed << "\n"
                                   << history::to_jsonl(history);
      }
    }
  }
}

}  // namespace
}  // namespace sunder::checkers
