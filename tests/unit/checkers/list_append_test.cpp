// List-append against brute force and against its own levels, on random histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

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

TEST(ListAppend, AgreesWithBruteForceAtEveryLevel) {
  const auto levels = elle::isolation_levels();
  std::map<std::string_view, std::array<std::uint64_t, 2>> counts;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    const history::History history = test::small_list_history(seed);
    const std::set<std::string> explained = test::levels_explained(history);
    // A few levels of each history, all in turn.
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string_view level = levels[(3 * seed + i) % levels.size()].name;
      const bool holds = explained.contains(plain_name(level));
      const Verdict verdict = judge(history, level);
      ++counts[level][holds ? 1 : 0];
      if (nothing_observed(verdict)) continue;
      ASSERT_EQ(name_of(verdict.kind), holds ? "kept" : "broken")
          << level << ", seed " << seed << ": " << verdict.summary << "\n"
          << history::to_jsonl(history);
    }
  }
  for (const auto& [level, both] : counts) {
    EXPECT_GT(both[0], cases / 500) << level;
    EXPECT_GT(both[1], cases / 500) << level;
  }
}

// A read of a right history loses its last element: brute force and checker agree on what that
// breaks.
TEST(ListAppend, AgreesWithBruteForceOnFlippedReads) {
  const std::uint64_t cases = test::case_count() / 10;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    test::ListOptions options;
    options.seed = seed;
    options.attempts = 4;
    options.sessions = 3;
    options.active_keys = 2;
    const history::History valid = test::list_history(options);
    ASSERT_EQ(name_of(judge(valid, "strict-serializable").kind), "kept") << "seed " << seed;
    const history::History flipped = test::with_flipped_read(valid, seed);
    const std::set<std::string> explained = test::levels_explained(flipped);
    for (const std::string_view level : {"strict-serializable", "snapshot-isolation", "causal"}) {
      const bool holds = explained.contains(plain_name(level));
      ASSERT_EQ(name_of(judge(flipped, level).kind), holds ? "kept" : "broken")
          << level << ", seed " << seed << "\n"
          << history::to_jsonl(flipped);
    }
  }
}

// Stores keep what they promise, and larger histories with a changed read get the same answer by
// the order of commits and by the search for cycles.
TEST(ListAppend, OrdersOfCommitsAndCyclesAgreeOnSimulatedStores) {
  const std::uint64_t cases = test::case_count() / 100;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    const bool snapshots = seed % 2 == 0;
    test::ListOptions options;
    options.level = snapshots ? test::ListLevel::snapshot_isolation : test::ListLevel::serializable;
    options.seed = seed;
    options.attempts = 200;
    options.active_keys = 10;
    const std::string_view level = snapshots ? "strong-snapshot-isolation" : "strict-serializable";
    const history::History valid = test::list_history(options);
    ASSERT_EQ(name_of(judge(valid, level).kind), "kept") << "seed " << seed;
    const history::History flipped = test::with_flipped_read(valid, seed);
    const elle::Forbidden forbidden = elle::forbid(level);
    const auto transactions = elle::gather_transactions(flipped, elle::MicroKind::append);
    elle::Sightings sightings;
    const auto order = elle::order_lists(flipped, transactions, true, sightings);
    elle::ListGraph graph(flipped, transactions, order, forbidden.kinds);
    graph.graph().finish();
    const bool explained = elle::explains(
        graph.graph(), forbidden.cycles, elle::commit_ranks(flipped, transactions, graph.graph()));
    const auto cycles = elle::find_cycles(graph.graph(), forbidden.cycles, 1);
    ASSERT_TRUE(cycles.empty() || !explained) << "seed " << seed;
    // The read missed what had ended before it began, unless they overlapped.
    EXPECT_EQ(name_of(judge(flipped, level).kind),
              cycles.empty() && sightings.count(elle::Anomaly::incompatible_order) == 0 &&
                      judge(flipped, "read-atomic").kind == VerdictKind::kept
                  ? "kept"
                  : "broken")
        << "seed " << seed;
  }
}

// The history with another value instead of one, on one key or without that key.
struct Change {
  Value key;
  Value from;
  Value into;  // none: the key goes
};

history::History changed(const history::History& history, const Change& change) {
  history::HistoryBuilder builder;
  const auto copy = [&](Value value) {
    return value.is_text() ? builder.pool().text(history.pool().text_of(value)) : value;
  };
  const auto swap = [&](Value value) { return value == change.from ? change.into : copy(value); };
  const auto rewrite = [&](Value steps) {
    if (!steps.is_list()) return Value();
    std::vector<Value> kept;
    for (const Value step : history.pool().items_of(steps)) {
      const auto parts = history.pool().items_of(step);
      const bool own = parts[1] == change.key;
      if (own && change.into.is_none()) continue;
      Value last = own ? swap(parts[2]) : copy(parts[2]);
      if (parts[2].is_list()) {
        std::vector<Value> items;
        for (const Value item : history.pool().items_of(parts[2])) {
          items.push_back(own ? swap(item) : copy(item));
        }
        last = builder.pool().list(items);
      }
      kept.push_back(builder.pool().list({copy(parts[0]), copy(parts[1]), last}));
    }
    return builder.pool().list(kept);
  };
  for (history::Operation operation : history.operations()) {
    operation.input = rewrite(operation.input);
    operation.output = rewrite(operation.output);
    operation.key = {};
    operation.error = {};
    builder.add(operation);
  }
  return builder.finish();
}

// Two appends of a key get one value: the history before is one of the things that may have
// happened, so what holds of it is not broken; what the other keys break by themselves stays
// broken; and nothing is called kept.
TEST(ListAppend, JudgesAroundElementsThatWereAppendedTwice) {
  const std::uint64_t cases = test::case_count() / 10;
  std::uint64_t broken = 0;
  std::uint64_t contested = 0;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    const history::History history = test::small_list_history(seed);
    const auto transactions = elle::gather_transactions(history, elle::MicroKind::append);
    std::vector<std::pair<std::uint32_t, Value>> appends;
    for (const elle::Transaction& transaction : transactions.all) {
      if (transaction.outcome != history::Outcome::ok) continue;
      for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
        const elle::MicroOperation& micro = transactions.micro[i];
        if (micro.kind != elle::MicroKind::append) continue;
        appends.emplace_back(micro.key, micro.value);
      }
    }
    std::ranges::stable_sort(appends, {}, &std::pair<std::uint32_t, Value>::first);
    const auto two = std::ranges::adjacent_find(appends, [](const auto& a, const auto& b) {
      return a.first == b.first && a.second != b.second;
    });
    if (two == appends.end()) continue;
    ++contested;
    const Value key = transactions.keys.value(two->first);
    const history::History merged =
        changed(history, {.key = key, .from = two->second, .into = std::next(two)->second});
    const history::History others = changed(history, {.key = key, .from = {}, .into = {}});
    const std::set<std::string> before = test::levels_explained(history);
    const std::set<std::string> without = test::levels_explained(others);
    for (const std::string_view level : {"strict-serializable", "snapshot-isolation", "causal"}) {
      const Verdict verdict = judge(merged, level);
      ASSERT_NE(name_of(verdict.kind), "kept") << "seed " << seed;
      if (before.contains(plain_name(level))) {
        ASSERT_NE(name_of(verdict.kind), "broken") << level << ", seed " << seed;
      }
      ASSERT_EQ(name_of(verdict.kind),
                without.contains(plain_name(level)) ? "undetermined" : "broken")
          << level << ", seed " << seed << "\n"
          << history::to_jsonl(merged);
      broken += verdict.kind == VerdictKind::broken ? 1U : 0U;
    }
  }
  EXPECT_GT(contested, cases / 10);
  EXPECT_GT(broken, contested / 20);
}

TEST(ListAppend, SaysWhatItCannotJudge) {
  history::HistoryBuilder builder;
  const Verdict empty = judge(builder.finish(), "serializable");
  EXPECT_TRUE(nothing_observed(empty)) << empty.summary;
}

}  // namespace
}  // namespace sunder::checkers
