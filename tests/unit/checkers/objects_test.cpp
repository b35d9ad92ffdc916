// Sets, counters and locks against brute force and against the search, on random histories.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <string>

#include <gtest/gtest.h>

#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/object_generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/routes_fixture.hpp"

namespace sunder::checkers {
namespace {

struct Row {
  std::string_view name;
  test::ObjectOptions small;
};

constexpr Row kRows[] = {
    {.name = "Counter", .small = {.model = "counter", .wrong = 2}},
    {.name = "CounterUnknown", .small = {.model = "counter", .unknown_percent = 20, .wrong = 2}},
    {.name = "CounterDown",
     .small = {.model = "counter", .unknown_percent = 10, .wrong = 2, .negative = true}},
    {.name = "CounterMixed",
     .small = {.model = "counter", .unknown_percent = 10, .wrong = 2, .mixed = true}},
    {.name = "CounterUpAndDown",
     .small = {.model = "counter",
               .unknown_percent = 20,
               .wrong = 2,
               .mixed = true,
               .negative = true,
               .silent = true}},
    {.name = "CounterTells",
     .small =
         {.model = "counter", .unknown_percent = 15, .wrong = 2, .mixed = true, .tells = true}},
    {.name = "FetchAdd", .small = {.model = "fetch-add", .wrong = 2}},
    {.name = "FetchAddUnknown", .small = {.model = "fetch-add", .unknown_percent = 20, .wrong = 2}},
    {.name = "FetchAddDown",
     .small = {.model = "fetch-add", .unknown_percent = 15, .wrong = 1, .negative = true}},
    {.name = "FetchAddMixed",
     .small = {.model = "fetch-add", .unknown_percent = 10, .wrong = 1, .mixed = true}},
    {.name = "FetchAddUpAndDown",
     .small = {.model = "fetch-add",
               .unknown_percent = 15,
               .wrong = 2,
               .mixed = true,
               .negative = true,
               .silent = true}},
    {.name = "FencedLease", .small = {.model = "fenced-lease", .wrong = 1}},
    {.name = "FencedLeaseUnknown",
     .small = {.model = "fenced-lease", .unknown_percent = 15, .wrong = 1}},
    {.name = "FencedLeaseRefuses",
     .small = {.model = "fenced-lease", .unknown_percent = 5, .wrong = 1, .refuses = true}},
    {.name = "Mutex", .small = {.model = "mutex", .wrong = 1}},
    {.name = "MutexUnknown", .small = {.model = "mutex", .unknown_percent = 15, .wrong = 1}},
    {.name = "MutexRefuses",
     .small = {.model = "mutex", .unknown_percent = 5, .wrong = 1, .refuses = true}},
    {.name = "ReadWriteLock", .small = {.model = "rw-lock", .wrong = 1}},
    {.name = "ReadWriteLockUnknown",
     .small = {.model = "rw-lock", .unknown_percent = 15, .wrong = 1}},
    {.name = "ReadWriteLockRefuses",
     .small = {.model = "rw-lock", .unknown_percent = 5, .wrong = 1, .refuses = true}},
    {.name = "ReentrantMutex", .small = {.model = "reentrant-mutex", .wrong = 1}},
    {.name = "ReentrantMutexUnknown",
     .small = {.model = "reentrant-mutex", .unknown_percent = 15, .wrong = 1}},
    {.name = "ReentrantMutexRefuses",
     .small = {.model = "reentrant-mutex", .unknown_percent = 5, .wrong = 1, .refuses = true}},
    {.name = "Semaphore", .small = {.model = "semaphore", .wrong = 1}},
    {.name = "SemaphoreUnknown",
     .small = {.model = "semaphore", .unknown_percent = 15, .wrong = 1}},
    {.name = "SemaphoreRefuses",
     .small = {.model = "semaphore", .unknown_percent = 5, .wrong = 1, .refuses = true}},
    {.name = "Set", .small = {.model = "set", .wrong = 2}},
    {.name = "SetUnknown", .small = {.model = "set", .unknown_percent = 20, .wrong = 2}},
    {.name = "SetOfThree",
     .small = {.model = "set", .elements = 3, .unknown_percent = 10, .wrong = 2}},
    {.name = "SetSilent",
     .small = {.model = "set", .unknown_percent = 10, .wrong = 2, .silent = true}},
};

class Objects : public testing::TestWithParam<Row> {};

// Both routes must say what brute force says.
TEST_P(Objects, AgreeWithBruteForce) {
  const std::string_view model = GetParam().small.model;
  test::check_by_oracle(
      test::case_count(),
      [](std::uint64_t seed) {
        test::ObjectOptions small = GetParam().small;
        small.seed = seed;
        small.operations = 3 + seed % 6;
        small.clients = 2 + seed % 3;
        return test::object_history(small);
      },
      [&](const test::RandomHistory& random) {
        return test::brute_force_linearizable(random.history, model);
      },
      [&](const test::RandomHistory& random, std::string_view expected) {
        return compare_routes(random.history, model, expected);
      },
      {.kept = 10, .broken = 5});
}

// Longer histories than brute force can judge: the two routes must agree, valid and with a result
// or two changed.
TEST_P(Objects, AgreeWithTheSearchOnLongHistories) {
  const auto wrong = [](std::uint64_t seed) { return seed % 2 == 0 ? 0 : GetParam().small.wrong; };
  const auto make = [&](std::uint64_t seed) {
    test::ObjectOptions large = GetParam().small;
    large.seed = seed;
    large.operations = 50;
    large.clients = 4;
    large.unknown_percent /= 4;
    large.wrong = wrong(seed);
    return test::object_history(large);
  };
  test::check_histories(test::case_count() / 100, make, [&](const test::RandomHistory& random) {
    const bool right = random.whole && wrong(random.seed) == 0;
    return compare_routes(random.history, GetParam().small.model, right ? "kept" : "");
  });
}

std::string row_name(const testing::TestParamInfo<Row>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(Each, Objects, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace sunder::checkers
