// The checkers against brute force and against each other, on random histories.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test (10,000 by default; 10,000,000
// takes a few minutes).

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "harness/base/assert.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/routes_fixture.hpp"

namespace sunder::checkers {
namespace {

// Compares one route with brute force on `test::case_count()` histories.
void agree(test::SmallOptions small, std::string_view model, Routes routes) {
  test::check_by_oracle(
      test::case_count(),
      [&](std::uint64_t seed) {
        small.seed = seed;
        return test::small_history(small);
      },
      [&](const test::RandomHistory& random) {
        return test::brute_force_linearizable(random.history, model);
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        return test::disagreement(expected, answer(random.history, model, routes));
      });
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
    for (const history::Operation& operation : history.operations()) {
      history::Operation copy = test::copy_of(history, operation, builder);
      copy.key = builder.pool().symbol(key);
      builder.add(copy);
    }
  };
  add_all(one, "x");
  add_all(other, "y");
  return builder.finish();
}

bool each_key_is_linearizable(const history::History& history, std::string_view model) {
  std::map<history::Symbol, std::vector<std::uint32_t>> keys;
  for (std::uint32_t i = 0; i < history.operations().size(); ++i) {
    keys[history.operations()[i].key].push_back(i);
  }
  return std::ranges::all_of(keys, [&](const auto& key) {
    return test::brute_force_linearizable(test::part_of(history, key.second), model);
  });
}

// Linearizability is local: right when each key by itself is, by every route.
TEST(Agreement, SeveralKeysAreJudgedEachForItself) {
  const auto model = [](std::uint64_t seed) { return seed % 5 == 0 ? "kv-append" : "register"; };
  test::check_by_oracle(
      test::case_count(),
      [](std::uint64_t seed) {
        test::SmallOptions small;
        small.operations_max = 5;
        small.unique = seed % 2 == 0;
        small.texts = seed % 5 == 0;
        small.seed = 2 * seed;
        const history::History one = test::small_history(small);
        small.seed = 2 * seed + 1;
        return under_two_keys(one, test::small_history(small));
      },
      [&](const test::RandomHistory& random) {
        return each_key_is_linearizable(random.history, model(random.seed));
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        const Routes routes{.closed_form = random.seed % 3 != 0};
        return test::disagreement(expected, answer(random.history, model(random.seed), routes));
      });
}

// Longer histories than brute force can judge: the two routes must agree, valid and invalid.
TEST(Agreement, ZonesAndSearchOnSimulatedStores) {
  const auto make = [](std::uint64_t seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 200;
    options.clients = 6;
    options.keys = 1 + seed % 3;
    options.unknown_per_mille = seed % 2 == 0 ? 100 : 0;
    options.violation = seed % 3 == 0;
    return test::register_history(options);
  };
  test::check_histories(test::case_count() / 50, make, [](const test::RandomHistory& random) {
    const bool right = random.whole && random.seed % 3 != 0;
    return compare_routes(random.history, "register", right ? "kept" : "");
  });
}

// The same store's history, but some read returns what was written only after it ended.
history::History with_read_of_later_write(const history::History& valid) {
  const auto read = std::ranges::find_if(valid.operations(), [](const auto& operation) {
    return operation.function == history::Function::read && operation.invoke > 20'000;
  });
  SUNDER_ASSERT(read != valid.operations().end());
  const auto later = std::ranges::find_if(valid.operations(), [&](const auto& operation) {
    return operation.function == history::Function::write && operation.invoke > read->complete;
  });
  SUNDER_ASSERT(later != valid.operations().end());
  history::HistoryBuilder builder;
  for (const history::Operation& operation : valid.operations()) {
    history::Operation copy = test::copy_of(valid, operation, builder);
    const bool flips = operation.invoke == read->invoke && operation.process == read->process;
    if (flips) copy.output = later->input;
    builder.add(copy);
  }
  return builder.finish();
}

TEST(Agreement, OneFlippedResultIsFound) {
  const auto make = [](std::uint64_t seed) {
    test::RegisterOptions options;
    options.seed = seed;
    options.operations = 300;
    options.clients = 5;
    return with_read_of_later_write(test::register_history(options));
  };
  test::check_histories(test::case_count() / 50, make, [](const test::RandomHistory& random) {
    return compare_routes(random.history, "register", random.whole ? "broken" : "");
  });
}

}  // namespace
}  // namespace sunder::checkers
