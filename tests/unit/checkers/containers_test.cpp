// Queues, stacks and priority queues against brute force and against the search, on random
// histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <string>

#include <gtest/gtest.h>

#include "checkers/linearizability.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/container_generator.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::checkers {
namespace {

using test::ContainerKind;

VerdictKind kind_of(const history::History& history, ContainerKind kind, Routes routes) {
  CheckOptions options;
  options.threads = 1;
  const Verdict verdict =
      check_linearizability(history, *find_search_model(test::model_of(kind)), options, {}, routes);
  // All-unknown histories have nothing to contradict: brute force calls them linearizable.
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? VerdictKind::kept : verdict.kind;
}

// Compares both routes with brute force; both answers must occur often.
void agree(test::SmallContainerOptions small) {
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    small.seed = seed;
    const history::History history = test::small_container_history(small);
    const bool linearizable = test::brute_force_linearizable(history, test::model_of(small.kind));
    const VerdictKind expected = linearizable ? VerdictKind::kept : VerdictKind::broken;
    kept += linearizable ? 1U : 0U;
    ASSERT_EQ(name_of(kind_of(history, small.kind, {})), name_of(expected))
        << "by the closed form, seed " << seed << "\n"
        << history::to_jsonl(history);
    ASSERT_EQ(name_of(kind_of(history, small.kind, {.closed_form = false})), name_of(expected))
        << "by the search, seed " << seed << "\n"
        << history::to_jsonl(history);
  }
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 10);
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
  const std::uint64_t cases = test::case_count() / 100;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::ContainerOptions options;
    options.kind = GetParam();
    options.seed = seed;
    options.operations = 100;  // few and short: the search tries every order of additions
    options.clients = 3;
    options.add_percent = 40;
    options.peek_percent = seed % 2 == 0 ? 15 : 0;
    options.half_service_mean = 3;
    options.violation = seed % 3 == 0;
    const history::History history = test::container_history(options);
    const VerdictKind closed = kind_of(history, options.kind, {});
    ASSERT_EQ(closed, kind_of(history, options.kind, {.closed_form = false})) << "seed " << seed;
    if (!options.violation) {
      ASSERT_EQ(closed, VerdictKind::kept) << "seed " << seed;
    }
  }
}

// Stamps mean nothing but their order: far apart they are numbered in another way.
TEST_P(Containers, StampsFarApart) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::ContainerOptions options;
    options.kind = GetParam();
    options.seed = seed;
    options.operations = 2000;
    options.half_service_mean = 30;
    options.peek_percent = seed % 2 == 0 ? 10 : 0;
    options.violation = seed % 3 == 0;
    const history::History near = test::container_history(options);
    history::HistoryBuilder builder;
    for (history::Operation operation : near.operations()) {
      operation.invoke *= 1'000'003;
      operation.complete *= 1'000'003;
      builder.add(operation);
    }
    ASSERT_EQ(kind_of(near, options.kind, {}), kind_of(builder.finish(), options.kind, {}))
        << "seed " << seed;
  }
}

std::string kind_name(const testing::TestParamInfo<ContainerKind>& info) {
  const std::string name(test::model_of(info.param));
  return name == "priority-queue" ? "PriorityQueue" : name == "queue" ? "Queue" : "Stack";
}

INSTANTIATE_TEST_SUITE_P(Each, Containers, testing::ValuesIn(test::kContainer_kinds), kind_name);

}  // namespace
}  // namespace sunder::checkers
