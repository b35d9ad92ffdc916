// The checkers against brute force and against each other, on random histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default; 10,000,000 takes a few minutes).

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/linearizability.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::checkers {
namespace {

VerdictKind kind_of(const history::History& history, std::string_view model, Routes routes) {
  CheckOptions options;
  options.threads = 1;
  const Verdict verdict =
      check_linearizability(history, *find_search_model(model), options, {}, routes);
  // All-unknown histories have nothing to contradict: brute force calls them linearizable.
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? VerdictKind::kept : verdict.kind;
}

// Compares one route with brute force on `test::case_count()` histories; both answers must occur
// often.
void agree(test::SmallOptions small, std::string_view model, Routes routes) {
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    small.seed = seed;
    const history::History history = test::small_history(small);
    const VerdictKind expected =
        test::brute_force_linearizable(history, model) ? VerdictKind::kept : VerdictKind::broken;
    kept += expected == VerdictKind::kept ? 1U : 0U;
    ASSERT_EQ(name_of(kind_of(history, model, routes)), name_of(expected))
        << "seed " << seed << "\n"
        << history::to_jsonl(history);
  }
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 10);
}

TEST(Agreement, SearchOfRegistersWithRepeatedValues) {
  agree({}, "register", {.closed_form = false});
}

TEST(Agreement, SearchOfRegistersWithUniqueValues) {
  test::SmallOptions small;
  small.unique = true;
  agree(small, "register", {.closed_form = false});
}

TEST(Agreement, ZonesOfUniqueWrites) {
  test::SmallOptions small;
  small.unique = true;
  small.cas = false;
  agree(small, "register", {});
}

TEST(Agreement, ChainsOfUniqueCas) {
  test::SmallOptions small;
  small.unique = true;
  small.compares = false;
  agree(small, "register", {});
}

TEST(Agreement, ChainsWithFailedComparisons) {
  test::SmallOptions small;
  small.unique = true;
  agree(small, "cas-register", {});
}

TEST(Agreement, SearchOfTexts) {
  test::SmallOptions small;
  small.texts = true;
  agree(small, "kv-append", {});
}

// Two objects of one history, each under a key of its own.
history::History under_two_keys(const history::History& one, const history::History& other) {
  history::HistoryBuilder builder;
  const auto add_all = [&builder](const history::History& history, std::string_view key) {
    const auto copy = [&](history::Value value) {
      if (value.is_text()) return builder.pool().text(history.pool().text_of(value));
      if (!value.is_list()) return value;
      const auto items = history.pool().items_of(value);
      return builder.pool().list(std::vector<history::Value>(items.begin(), items.end()));
    };
    for (history::Operation operation : history.operations()) {
      operation.key = builder.pool().symbol(key);
      operation.function_name = builder.pool().symbol(history.pool().name(operation.function_name));
      operation.error = builder.pool().symbol(history.pool().name(operation.error));
      operation.input = copy(operation.input);
      operation.output = copy(operation.output);
      builder.add(operation);
    }
  };
  add_all(one, "x");
  add_all(other, "y");
  return builder.finish();
}

// Linearizability is local: right when each key by itself is, by every route.
TEST(Agreement, SeveralKeysAreJudgedEachForItself) {
  const std::uint64_t cases = test::case_count();
  std::uint64_t kept = 0;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::SmallOptions small;
    small.operations_max = 5;
    small.unique = seed % 2 == 0;
    small.texts = seed % 5 == 0;
    const std::string_view model = small.texts ? "kv-append" : "register";
    small.seed = 2 * seed;
    const history::History one = test::small_history(small);
    small.seed = 2 * seed + 1;
    const history::History other = test::small_history(small);
    const bool holds =
        test::brute_force_linearizable(one, model) && test::brute_force_linearizable(other, model);
    kept += holds ? 1U : 0U;
    const history::History both = under_two_keys(one, other);
    const Routes routes{.closed_form = seed % 3 != 0};
    ASSERT_EQ(name_of(kind_of(both, model, routes)), holds ? "kept" : "broken")
        << "seed " << seed << "\n"
        << history::to_jsonl(both);
  }
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 10);
}

// Longer histories than brute force can judge: the two routes must agree, valid and invalid.
TEST(Agreement, ZonesAndSearchOnSimulatedStores) {
  const std::uint64_t cases = test::case_count() / 50;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 200;
    options.clients = 6;
    options.keys = 1 + seed % 3;
    options.unknown_per_mille = seed % 2 == 0 ? 100 : 0;
    options.violation = seed % 3 == 0;
    const history::History history = test::register_history(options);
    const VerdictKind zones = kind_of(history, "register", {});
    ASSERT_EQ(zones, kind_of(history, "register", {.closed_form = false})) << "seed " << seed;
    if (!options.violation) {
      ASSERT_EQ(zones, VerdictKind::kept) << "seed " << seed;
    }
  }
}

// A read that returns what was written only after it ended cannot be right.
TEST(Agreement, OneFlippedResultIsFound) {
  const std::uint64_t cases = test::case_count() / 50;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 300;
    options.clients = 5;
    const history::History valid = test::register_history(options);
    history::HistoryBuilder builder;
    const auto read = std::ranges::find_if(valid.operations(), [](const auto& operation) {
      return operation.function == history::Function::read && operation.invoke > 20'000;
    });
    ASSERT_NE(read, valid.operations().end());
    const auto later = std::ranges::find_if(valid.operations(), [&](const auto& operation) {
      return operation.function == history::Function::write && operation.invoke > read->complete;
    });
    ASSERT_NE(later, valid.operations().end());
    for (history::Operation operation : valid.operations()) {
      operation.key = 0;
      if (operation.invoke == read->invoke && operation.process == read->process) {
        operation.output = later->input;
      }
      builder.add(operation);
    }
    const history::History flipped = builder.finish();
    ASSERT_EQ(kind_of(flipped, "register", {}), VerdictKind::broken) << "seed " << seed;
    ASSERT_EQ(kind_of(flipped, "register", {.closed_form = false}), VerdictKind::broken) << seed;
  }
}

}  // namespace
}  // namespace sunder::checkers
