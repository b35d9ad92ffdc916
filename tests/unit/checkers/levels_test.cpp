// The levels of registers below linearizability against brute force and against each other, on
// random histories.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/levels/register_levels.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"
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
  test::check_by_oracle(
      test::case_count(),
      [&](std::uint64_t seed) {
        options.seed = seed;
        return test::session_history(options);
      },
      [&](const test::RandomHistory& random) {
        return test::brute_force_level(random.history, level);
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        const VerdictKind kind = kind_of(random.history, level, random.seed % 2 == 0);
        return test::disagreement(expected, name_of(kind));
      },
      {.kept = 5, .broken = 5});
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
  const auto make = [](std::uint64_t seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 300;
    options.clients = 6;
    options.keys = 1 + seed % 3;
    options.unknown_per_mille = seed % 2 == 0 ? 100 : 0;
    return test::register_history(options);
  };
  test::check_histories(40, make, [](const test::RandomHistory& random) -> std::string {
    const bool linearizable =
        random.whole || kind_of(random.history, "linearizable", true) == VerdictKind::kept;
    if (!linearizable) return {};
    const Verdict verdict = judge(random.history, GetParam(), false);
    return test::disagreement("kept", name_of(verdict.kind), verdict.summary + ": ");
  });
}

// A read that finds its key's initial value at the end of a session that wrote it is wrong at
// every level but those about others' writes.
TEST_P(Levels, HaveCounterExamplesThatContradictThemselves) {
  std::uint64_t broken = 0;
  const auto make = [](std::uint64_t seed) {
    test::StoreOptions options;
    options.seed = seed;
    options.kind = test::StoreKind::fifo;
    options.operations = 120;
    options.processes = 4;
    options.keys = 3;
    options.wrong = 10;
    return test::store_history(options);
  };
  const auto compare = [&](const test::RandomHistory& random) -> std::string {
    const Verdict verdict = judge(random.history, GetParam(), true);
    if (verdict.kind != VerdictKind::broken) return {};
    ++broken;
    const bool shown = verdict.counterexamples.size() == 1 && !verdict.summary.empty();
    if (!shown) return "no counter-example, or no words for it";
    // The core alone is a history that is wrong at that level.
    std::vector<std::uint32_t> core;
    for (const Counterexample::Item& item : verdict.counterexamples[0].items) {
      core.push_back(static_cast<std::uint32_t>(item.operation));
    }
    if (core.size() > 48) return "a counter-example of more than 48 operations";
    std::ranges::sort(core);
    const VerdictKind kind = kind_of(test::part_of(random.history, core), GetParam(), false);
    return test::disagreement("broken", name_of(kind), verdict.summary + ", by its core: ");
  };
  if (!test::check_histories(test::case_count() / 50, make, compare)) return;
  EXPECT_GT(broken, 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, Levels, testing::ValuesIn(test::kLevels), [](const auto& row) {
  std::string name(row.param);
  std::ranges::replace(name, '-', '_');
  return name;
});

// Longer histories than brute force can judge: vector clocks and rounds against plain matrices.
TEST(LevelsByTwoRoutes, AgreeOnStoresThatErr) {
  const auto make = [](std::uint64_t seed) {
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
    return test::store_history(options);
  };
  const auto compare = [](const test::RandomHistory& random) -> std::string {
    for (const std::string_view level : {"causal", "causal-memory", "ccv", "pram"}) {
      const bool allowed = test::saturation_allows(random.history, level);
      const VerdictKind kind = kind_of(random.history, level, false);
      if (name_of(kind) == (allowed ? "kept" : "broken")) continue;
      return fmt::format("{} is {}, but is {}", level, name_of(kind), allowed ? "allowed" : "not");
    }
    return {};
  };
  test::check_histories(test::case_count() / 20, make, compare);
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
  const auto make = [](std::uint64_t seed) {
    return test::session_history({.seed = seed, .operations_max = 9, .unique = seed % 2 == 0});
  };
  const auto compare = [](const test::RandomHistory& random) -> std::string {
    const auto holds = [&](std::string_view level) {
      return kind_of(random.history, level, false) == VerdictKind::kept;
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
      if (holds(stronger) && !holds(weaker)) return fmt::format("{} but not {}", stronger, weaker);
    }
    return {};
  };
  test::check_histories(test::case_count() / 4, make, compare);
}

}  // namespace
}  // namespace sunder::checkers
