// List-append against brute force and against its own levels, on random histories.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/cycles.hpp"
#include "checkers/elle/judgement.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/elle/list_graph.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/list_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {
namespace {

using history::Value;

Verdict judge(const history::History& history, std::string_view level) {
  CheckOptions options;
  options.threads = 1;
  return check_model(history, "list-append/" + std::string(level), options, {}).value();
}

bool nothing_observed(const Verdict& verdict) {
  return verdict.kind == VerdictKind::undetermined &&
         verdict.summary.starts_with("nothing observed");
}

// The names by which brute force calls a level.
std::string plain_name(std::string_view level) {
  return level == "strict-serializable" ? "strong-serializable" : std::string(level);
}

// What is wrong with a verdict on that history.
std::string compare(const Verdict& verdict,
                    std::string_view expected,
                    std::string_view level,
                    const history::History& history) {
  if (name_of(verdict.kind) == expected) return {};
  return test::disagreement(
      expected,
      name_of(verdict.kind),
      fmt::format("{}, {}, of\n{}", level, verdict.summary, history::to_jsonl(history)));
}

// What should have been kept; a part of a history may tell nothing.
std::string compare_valid(const test::RandomHistory& random, std::string_view level) {
  return random.whole ? compare(judge(random.history, level), "kept", level, random.history) : "";
}

TEST(ListAppend, AgreesWithBruteForceAtEveryLevel) {
  const auto levels = elle::isolation_levels();
  std::map<std::string_view, std::array<std::uint64_t, 2>> counts;
  const std::uint64_t cases = test::case_count();
  const auto judged = [&](const test::RandomHistory& random) {
    const std::set<std::string> explained = test::levels_explained(random.history);
    std::string wrong;
    // A few levels of each history, all in turn.
    for (std::size_t i = 0; i < 3 && wrong.empty(); ++i) {
      const std::string_view level = levels[(3 * random.seed + i) % levels.size()].name;
      const bool holds = explained.contains(plain_name(level));
      ++counts[level][holds ? 1 : 0];
      const Verdict verdict = judge(random.history, level);
      if (!nothing_observed(verdict))
        wrong = compare(verdict, holds ? "kept" : "broken", level, random.history);
    }
    return wrong;
  };
  if (!test::check_histories(cases, test::small_list_history, judged)) return;
  for (const auto& [level, both] : counts) {
    EXPECT_GT(both[0], cases / 500) << level;
    EXPECT_GT(both[1], cases / 500) << level;
  }
}

constexpr std::string_view kLevels[] = {"strict-serializable", "snapshot-isolation", "causal"};

// A read of a right history loses its last element: brute force and checker agree on what that
// breaks.
TEST(ListAppend, AgreesWithBruteForceOnFlippedReads) {
  const auto make = [](std::uint64_t seed) {
    test::ListOptions options;
    options.seed = seed;
    options.attempts = 4;
    options.sessions = 3;
    options.active_keys = 2;
    return test::list_history(options);
  };
  const auto judged = [](const test::RandomHistory& random) {
    std::string wrong = compare_valid(random, "strict-serializable");
    const history::History flipped = test::with_flipped_read(random.history, random.seed);
    const std::set<std::string> explained = test::levels_explained(flipped);
    for (const std::string_view level : kLevels) {
      const Verdict verdict = judge(flipped, level);
      if (!wrong.empty() || (!random.whole && nothing_observed(verdict))) break;
      const bool holds = explained.contains(plain_name(level));
      wrong = compare(verdict, holds ? "kept" : "broken", level, flipped);
    }
    return wrong;
  };
  test::check_histories(test::case_count() / 10, make, judged);
}

// Stores keep what they promise, and larger histories with a changed read get the same answer by
// the order of commits and by the search for cycles.
TEST(ListAppend, OrdersOfCommitsAndCyclesAgreeOnSimulatedStores) {
  const auto make = [](std::uint64_t seed) {
    test::ListOptions options;
    options.level =
        seed % 2 == 0 ? test::ListLevel::snapshot_isolation : test::ListLevel::serializable;
    options.seed = seed;
    options.attempts = 200;
    options.active_keys = 10;
    return test::list_history(options);
  };
  const auto judged = [](const test::RandomHistory& random) -> std::string {
    const std::string_view level =
        random.seed % 2 == 0 ? "strong-snapshot-isolation" : "strict-serializable";
    std::string wrong = compare_valid(random, level);
    if (!wrong.empty()) return wrong;
    const history::History flipped = test::with_flipped_read(random.history, random.seed);
    const elle::Forbidden forbidden = elle::forbid(level);
    const auto transactions = elle::gather_transactions(flipped, elle::MicroKind::append);
    elle::Sightings sightings;
    const auto order = elle::order_lists(flipped, transactions, true, sightings);
    elle::ListGraph graph(flipped, transactions, order, forbidden.kinds);
    graph.graph().finish();
    const bool explained = elle::explains(
        graph.graph(), forbidden.cycles, elle::commit_ranks(flipped, transactions, graph.graph()));
    const auto cycles = elle::find_cycles(graph.graph(), forbidden.cycles, 1);
    if (!cycles.empty() && explained) return "an order of commits explains a cycle";
    const Verdict verdict = judge(flipped, level);
    if (!random.whole && nothing_observed(verdict)) return {};
    // The read missed what had ended before it began, unless they overlapped.
    const bool holds = cycles.empty() && sightings.count(elle::Anomaly::incompatible_order) == 0 &&
                       judge(flipped, "read-atomic").kind == VerdictKind::kept;
    return compare(verdict, holds ? "kept" : "broken", level, flipped);
  };
  test::check_histories(test::case_count() / 100, make, judged);
}

TEST(ListAppend, SaysWhatItCannotJudge) {
  history::HistoryBuilder builder;
  const Verdict empty = judge(builder.finish(), "serializable");
  EXPECT_TRUE(nothing_observed(empty)) << empty.summary;
}

}  // namespace
}  // namespace sunder::checkers
