// list-append where an element was appended more than once: every way to tell the appends apart,
// against brute force.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases (10,000 by default).

#include "checkers/elle/equal_appends.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/levels.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/list_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {
namespace {

Verdict judge(const history::History& history, std::string_view level) {
  CheckOptions options;
  options.threads = 1;
  return check_model(history, "list-append/" + std::string(level), options, {}).value();
}

bool has_equals(const history::History& history) {
  const auto transactions = elle::gather_transactions(history, elle::MicroKind::append);
  elle::EqualAppends equal(history, transactions);
  return !equal.names().empty();
}

// Brute force tries two to the power of so many choices.
constexpr std::size_t kShown_max = 6;

// How many elements all reads show together.
std::size_t names_shown(const history::History& history) {
  const auto transactions = elle::gather_transactions(history, elle::MicroKind::append);
  std::size_t shown = 0;
  for (const elle::MicroOperation& micro : transactions.micro) {
    const bool list = micro.kind == elle::MicroKind::read && micro.value.is_list();
    if (list) shown += history.pool().items_of(micro.value).size();
  }
  return shown;
}

TEST(EqualAppends, AgreeWithBruteForceAtEveryLevel) {
  const auto levels = elle::isolation_levels();
  const std::uint64_t cases = test::case_count();
  std::uint64_t equals = 0;
  std::uint64_t kept = 0;
  std::uint64_t broken = 0;
  const auto compare = [&](const test::RandomHistory& random) -> std::string {
    if (!has_equals(random.history) || names_shown(random.history) > kShown_max) return {};
    ++equals;
    const std::set<std::string> explained = test::levels_explained(random.history);
    const std::string_view level = levels[random.seed % levels.size()].name;
    const bool strict = level == "strict-serializable";
    const bool holds = explained.contains(strict ? "strong-serializable" : std::string(level));
    const Verdict verdict = judge(random.history, level);
    const bool open = verdict.kind == VerdictKind::undetermined;
    if (open && verdict.summary.starts_with("nothing observed")) return {};
    // The one level that does not mind them.
    if (open && verdict.summary.ends_with("where reads may contradict each other")) {
      return level.ends_with("read-uncommitted") ? "" : "undetermined at " + std::string(level);
    }
    ++(holds ? kept : broken);
    return test::disagreement(
        holds ? "kept" : "broken", name_of(verdict.kind), std::string(level) + ": ");
  };
  if (!test::check_histories(cases, test::small_list_history_with_equals, compare)) return;
  EXPECT_GT(equals, cases / 20);
  EXPECT_GT(kept, equals / 10);
  EXPECT_GT(broken, equals / 10);
}

// A client that hears nothing appends the same again: of two to the power of thirty ways the first
// is right.
TEST(EqualAppends, RetriesAreTakenForWhatHappened) {
  constexpr std::int64_t kRetries = 30;
  history::HistoryBuilder builder;
  history::ValuePool& pool = builder.pool();
  std::int64_t process = 0;
  std::int64_t time = 0;
  const auto run = [&](history::Value micro, history::Outcome outcome) {
    history::Operation operation;
    operation.function = history::Function::txn;
    operation.process = ++process;
    operation.invoke = ++time;
    operation.complete = outcome == history::Outcome::info ? history::kNever : ++time;
    operation.outcome = outcome;
    operation.input = pool.list({micro});
    if (outcome == history::Outcome::ok) operation.output = operation.input;
    builder.add(operation);
  };
  std::vector<history::Value> all;
  for (std::int64_t i = 1; i <= kRetries; ++i) {
    all.push_back(history::Value::integer(i));
    const history::Value append = pool.list({pool.text("append"), pool.text("x"), all.back()});
    run(append, history::Outcome::info);
    run(append, history::Outcome::ok);
    run(pool.list({pool.text("r"), pool.text("x"), pool.list(all)}), history::Outcome::ok);
  }
  const Verdict verdict = judge(builder.finish(), "strict-serializable");
  EXPECT_EQ(name_of(verdict.kind), "kept") << verdict.summary;
}

}  // namespace
}  // namespace sunder::checkers
