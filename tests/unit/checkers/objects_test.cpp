// Sets, counters and locks against brute force and against the search, on random histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <string>

#include <gtest/gtest.h>

#include "checkers/linearizability.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/object_generator.hpp"
#include "tests/histories/support/object_oracle.hpp"

namespace sunder::checkers {
namespace {

VerdictKind kind_of(const history::History& history, std::string_view model, Routes routes) {
  CheckOptions options;
  options.threads = 1;
  options.parameters["permits"] = test::kOracle_permits;
  const Verdict verdict =
      check_linearizability(history, *find_search_model(model), options, {}, routes);
  // All-unknown histories have nothing to contradict: brute force calls them linearizable.
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? VerdictKind::kept : verdict.kind;
}

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

// Both routes must say what brute force says; both answers must occur often.
TEST_P(Objects, AgreeWithBruteForce) {
  const std::string_view model = GetParam().small.model;
  const std::uint64_t cases = test::case_count();
  std::uint64_t kept = 0;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::ObjectOptions small = GetParam().small;
    small.seed = seed;
    small.operations = 3 + seed % 6;
    small.clients = 2 + seed % 3;
    const history::History history = test::object_history(small);
    const bool linearizable = test::brute_force_linearizable(history, model);
    const VerdictKind expected = linearizable ? VerdictKind::kept : VerdictKind::broken;
    kept += linearizable ? 1U : 0U;
    ASSERT_EQ(name_of(kind_of(history, model, {})), name_of(expected))
        << "by the closed form, seed " << seed << "\n"
        << history::to_jsonl(history);
    ASSERT_EQ(name_of(kind_of(history, model, {.closed_form = false})), name_of(expected))
        << "by the search, seed " << seed << "\n"
        << history::to_jsonl(history);
  }
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 20);
}

// Longer histories than brute force can judge: the two routes must agree, valid and with a result
// or two changed.
TEST_P(Objects, AgreeWithTheSearchOnLongHistories) {
  const std::string_view model = GetParam().small.model;
  const std::uint64_t cases = test::case_count() / 100;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::ObjectOptions large = GetParam().small;
    large.seed = seed;
    large.operations = 50;
    large.clients = 4;
    large.unknown_percent /= 4;
    if (seed % 2 == 0) large.wrong = 0;
    const history::History history = test::object_history(large);
    const VerdictKind closed = kind_of(history, model, {});
    ASSERT_EQ(closed, kind_of(history, model, {.closed_form = false})) << "seed " << seed;
    if (large.wrong == 0) {
      ASSERT_EQ(closed, VerdictKind::kept) << "seed " << seed;
    }
  }
}

std::string row_name(const testing::TestParamInfo<Row>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(Each, Objects, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace sunder::checkers
