// list-append where an element was appended more than once: every way to tell the appends apart,
// against brute force.
//
// Every case is a function of its seed, which a failure prints with the smallest part of the
// history that fails. SUNDER_CASES sets the number of cases (10,000 by default).

#include "checkers/elle/equal_appends.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/levels.hpp"
#include "harness/history/value_copy.hpp"
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
  elle::EqualAppends equal(history, transactions, elle::EqualAppends::Reads::agree);
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
    ++(holds ? kept : broken);
    return test::disagreement(
        holds ? "kept" : "broken", name_of(verdict.kind), std::string(level) + ": ");
  };
  if (!test::check_histories(cases, test::small_list_history_with_equals, compare)) return;
  EXPECT_GT(equals, cases / 20);
  EXPECT_GT(kept, equals / 10);
  EXPECT_GT(broken, equals / 10);
}

// A history with each equal element of each read taken for any of its appends, by itself: the
// definition for levels that let reads contradict each other.
class EveryReading {
 public:
  EveryReading(const history::History& history, std::string_view level)
      : history_(&history),
        level_(level),
        transactions_(elle::gather_transactions(history, elle::MicroKind::append)) {
    for (const elle::MicroOperation& micro : transactions_.micro) values_.push_back(micro.value);
    name_appends();
    for (std::uint32_t i = 0; i < values_.size(); ++i) {
      const elle::MicroOperation& micro = transactions_.micro[i];
      const bool shows = micro.kind == elle::MicroKind::read && micro.value.is_list();
      lists_.emplace_back();
      if (shows) {
        const auto items = history.pool().items_of(micro.value);
        lists_.back().assign(items.begin(), items.end());
      }
    }
  }

  // Whether one of them keeps the level; nothing: a read shows more than was appended.
  [[nodiscard]] std::optional<bool> any_is_right() { return choose(0, 0); }

 private:
  using Elements = std::vector<history::Value>;

  void name_appends() {
    std::map<std::pair<std::uint32_t, history::Value>, std::vector<std::uint32_t>> appends;
    for (const elle::Transaction& one : transactions_.all) {
      if (one.outcome == history::Outcome::fail) continue;
      for (std::uint32_t i = one.begin; i < one.end; ++i) {
        const elle::MicroOperation& micro = transactions_.micro[i];
        if (micro.kind == elle::MicroKind::append) appends[{micro.key, micro.value}].push_back(i);
      }
    }
    std::int64_t fresh = 1'000'000;
    for (const auto& [element, places] : appends) {
      if (places.size() == 1) continue;
      for (const std::uint32_t place : places) {
        values_[place] = history::Value::integer(++fresh);
        names_[element].push_back(values_[place]);
      }
    }
  }

  std::optional<bool> choose(std::uint32_t read, std::size_t place) {
    if (read == lists_.size()) return is_right();
    Elements& list = lists_[read];
    if (place == list.size()) return choose(read + 1, 0);
    const history::Value shown = list[place];
    const auto names = names_.find({transactions_.micro[read].key, shown});
    if (names == names_.end()) return choose(read, place + 1);
    std::optional<bool> right;
    const auto before = list.begin() + static_cast<std::ptrdiff_t>(place);
    for (const history::Value name : names->second) {
      if (std::find(list.begin(), before, name) != before) continue;
      list[place] = name;
      const std::optional<bool> here = choose(read, place + 1);
      if (here) right = right.value_or(false) || *here;
    }
    list[place] = shown;
    return right;
  }

  [[nodiscard]] bool is_right() const {
    history::HistoryBuilder builder;
    history::ValuePool& pool = builder.pool();
    for (const elle::Transaction& one : transactions_.all) {
      const history::Operation& from = history_->operations()[one.operation];
      history::Operation operation = from;
      std::vector<history::Value> list;
      for (std::uint32_t i = one.begin; i < one.end; ++i) {
        const elle::MicroOperation& micro = transactions_.micro[i];
        const bool appends = micro.kind == elle::MicroKind::append;
        history::Value value = values_[i];
        if (!appends && micro.value.is_list()) value = pool.list(lists_[i]);
        const history::Value key =
            history::copy_value(pool, history_->pool(), transactions_.keys.value(micro.key));
        list.push_back(pool.list({pool.text(appends ? "append" : "r"), key, value}));
      }
      operation.function_name = pool.symbol("txn");
      operation.key = operation.node = operation.error = 0;
      operation.input = pool.list(list);
      operation.output = from.outcome == history::Outcome::ok ? operation.input : history::Value();
      builder.add(operation);
    }
    return judge(builder.finish(), level_).kind != VerdictKind::broken;
  }

  const history::History* history_;
  std::string_view level_;
  elle::Transactions transactions_;
  std::vector<history::Value> values_;  // by micro-operation: of equal appends a name
  std::vector<Elements> lists_;         // what each read shows, by the present choice
  std::map<std::pair<std::uint32_t, history::Value>, Elements> names_;
};

// What is asked of an anomaly alone, or at read-uncommitted.
TEST(EqualAppends, AreAnyWhereReadsMayContradictEachOther) {
  const auto isolation = elle::isolation_levels();
  std::vector<std::string_view> levels;
  for (const LevelInfo& level : find_model("list-append")->model->levels) {
    const bool known =
        std::ranges::find(isolation, level.name, &elle::IsolationLevel::name) != isolation.end();
    const bool alone = !known && level.name != "incompatible-order";
    if (alone || level.name.ends_with("read-uncommitted")) levels.push_back(level.name);
  }
  const std::uint64_t cases = test::case_count();
  std::uint64_t kept = 0;
  std::uint64_t broken = 0;
  const auto compare = [&](const test::RandomHistory& random) -> std::string {
    if (!has_equals(random.history) || names_shown(random.history) > kShown_max) return {};
    const std::string_view level = levels[random.seed % levels.size()];
    const Verdict verdict = judge(random.history, level);
    const bool open = verdict.kind == VerdictKind::undetermined;
    if (open && verdict.summary.starts_with("nothing observed")) return {};
    const std::optional<bool> holds = EveryReading(random.history, level).any_is_right();
    if (!holds) return {};
    ++(*holds ? kept : broken);
    return test::disagreement(
        *holds ? "kept" : "broken", name_of(verdict.kind), std::string(level) + ": ");
  };
  if (!test::check_histories(cases, test::small_list_history_with_equals, compare)) return;
  EXPECT_GT(kept, cases / 50);
  EXPECT_GT(broken, cases / 200);
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
