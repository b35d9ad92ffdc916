// Bags, queues, stacks and priority queues against brute force and against the search, on random
// histories.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <string>

#include <gtest/gtest.h>

#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/container_generator.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/routes_fixture.hpp"

namespace sunder::checkers {
namespace {

using test::ContainerKind;

// Compares both routes with brute force.
void agree(test::SmallContainerOptions small) {
  const std::string_view model = test::model_of(small.kind);
  test::check_by_oracle(
      test::case_count(),
      [&](std::uint64_t seed) {
        small.seed = seed;
        return test::small_container_history(small);
      },
      [&](const test::RandomHistory& random) {
        return test::brute_force_linearizable(random.history, model);
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        return compare_routes(random.history, model, expected);
      });
}

class Containers : public testing::TestWithParam<ContainerKind> {};

TEST_P(Containers, WithoutLooks) {
  test::SmallContainerOptions small;
  small.kind = GetParam();
  small.peeks = false;
  small.operations_max = 8;
  agree(small);
}

TEST_P(Containers, WithLooks) {
  test::SmallContainerOptions small;
  small.kind = GetParam();
  agree(small);
}

TEST_P(Containers, WithUnknownRemovals) {
  test::SmallContainerOptions small;
  small.kind = GetParam();
  small.unknown_takes = true;
  agree(small);
}

TEST_P(Containers, WithUnknownRemovalsOnly) {
  test::SmallContainerOptions small;
  small.kind = GetParam();
  small.unknown_takes = true;
  small.peeks = false;
  small.empties = false;
  agree(small);
}

TEST_P(Containers, WithRepeatedValues) {
  test::SmallContainerOptions small;
  small.kind = GetParam();
  small.unique = false;
  agree(small);
}

// Longer histories than brute force can judge: the two routes must agree, valid and invalid.
TEST_P(Containers, ClosedFormAndSearchOnSimulatedStores) {
  const auto make = [](std::uint64_t seed) {
    test::ContainerOptions options;
    options.kind = GetParam();
    options.seed = seed;
    options.operations = 100;  // few and short: the search tries every order of additions
    options.clients = 3;
    options.add_percent = 40;
    options.peek_percent = seed % 2 == 0 ? 15 : 0;
    options.half_service_mean = 3;
    options.violation = seed % 3 == 0;
    return test::container_history(options);
  };
  test::check_histories(test::case_count() / 100, make, [](const test::RandomHistory& random) {
    const bool right = random.whole && random.seed % 3 != 0;
    return compare_routes(random.history, test::model_of(GetParam()), right ? "kept" : "");
  });
}

// Stamps mean nothing but their order: far apart they are numbered in another way.
TEST_P(Containers, StampsFarApart) {
  const auto make = [](std::uint64_t seed) {
    test::ContainerOptions options;
    options.kind = GetParam();
    options.seed = seed;
    options.operations = 2000;
    options.half_service_mean = 30;
    options.peek_percent = seed % 2 == 0 ? 10 : 0;
    options.violation = seed % 3 == 0;
    return test::container_history(options);
  };
  test::check_histories(20, make, [](const test::RandomHistory& random) {
    history::HistoryBuilder builder;
    for (const history::Operation& operation : random.history.operations()) {
      history::Operation copy = test::copy_of(random.history, operation, builder);
      copy.invoke *= 1'000'003;
      copy.complete *= 1'000'003;
      builder.add(copy);
    }
    const std::string_view model = test::model_of(GetParam());
    return test::disagreement(answer(random.history, model, {}),
                              answer(builder.finish(), model, {}));
  });
}

std::string kind_name(const testing::TestParamInfo<ContainerKind>& info) {
  const std::string name(test::model_of(info.param));
  if (name == "bag") return "Bag";
  return name == "priority-queue" ? "PriorityQueue" : name == "queue" ? "Queue" : "Stack";
}

INSTANTIATE_TEST_SUITE_P(Each, Containers, testing::ValuesIn(test::kContainer_kinds), kind_name);

}  // namespace
}  // namespace sunder::checkers
