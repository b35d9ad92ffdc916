#include <algorithm>
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"

namespace sunder::checkers {
namespace {

TEST(CheckerRegistry, IsSortedUniqueAndComplete) {
  const auto names = all_checkers();
  EXPECT_TRUE(std::ranges::is_sorted(names, std::ranges::less(), &CheckerInfo::name));
  EXPECT_EQ(std::ranges::adjacent_find(names, {}, &CheckerInfo::name), names.end());
  for (const CheckerInfo& info : names) {
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_NE(info.check, nullptr) << info.name;
    EXPECT_EQ(find_checker(info.name), &info);
  }
  EXPECT_EQ(find_checker("no-such"), nullptr);
}

TEST(ModelRegistry, IsSortedUniqueAndComplete) {
  const auto models = all_models();
  EXPECT_TRUE(std::ranges::is_sorted(models, std::ranges::less(), &ModelInfo::name));
  EXPECT_EQ(std::ranges::adjacent_find(models, {}, &ModelInfo::name), models.end());
  EXPECT_FALSE(models.empty());
  for (const ModelInfo& model : models) {
    EXPECT_FALSE(model.summary.empty()) << model.name;
    ASSERT_FALSE(model.levels.empty()) << model.name;
    EXPECT_NE(model.fits, nullptr) << model.name;
    EXPECT_NE(model.check, nullptr) << model.name;
  }
}

TEST(ModelRegistry, TakesTheFirstLevelWhenNoneIsNamed) {
  const auto bare = find_model("register");
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->level, "linearizable");
  const auto named = find_model("register/linearizable");
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->model, bare->model);
}

TEST(ModelRegistry, NamesTheKnownLevelsWhenAskedForAnother) {
  const auto found = find_model("register/linear");
  ASSERT_TRUE(found.has_error());
  EXPECT_TRUE(base::is(found.error(), Errc::usage));
  EXPECT_NE(found.error().context.find("linearizable"), std::string::npos);
}

// Ten transactions, of four processes in turn, each of which reads x and writes one of `values`.
history::History transactions(std::size_t values, bool timed) {
  history::HistoryBuilder builder;
  history::ValuePool& pool = builder.pool();
  history::Value last = history::Value::nil();
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto next = history::Value::integer(i % static_cast<std::int64_t>(values));
    const std::array parts{pool.list({pool.text("r"), pool.text("x"), last}),
                           pool.list({pool.text("w"), pool.text("x"), next})};
    history::Operation operation;
    operation.function = history::Function::txn;
    operation.function_name = pool.symbol("txn");
    operation.process = i % 4;
    operation.input = operation.output = pool.list(parts);
    operation.outcome = history::Outcome::ok;
    operation.invoke = timed ? 2 * i : i;
    operation.complete = timed ? 2 * i + 1 : 10;  // without time stamps everything overlaps
    builder.add(operation);
    last = next;
  }
  return builder.finish();
}

std::string chosen(const history::History& history) {
  const auto choice = choose_model(history);
  if (choice.has_error() || !choice->chosen) return "none";
  return std::string(choice->chosen->model->name);
}

TEST(ModelRegistry, ChoosesAModelThatDecides) {
  EXPECT_EQ(chosen(transactions(10, true)), "txn-rw");
  EXPECT_EQ(chosen(transactions(3, true)), "multi-register");
  EXPECT_EQ(chosen(transactions(3, false)), "txn-rw");
}

TEST(ModelRegistry, ChoosesAModelThatHasTheLevelNamed) {
  EXPECT_TRUE(is_level("snapshot-isolation"));
  EXPECT_FALSE(is_level("register"));
  EXPECT_FALSE(is_level(""));
  const auto choice = choose_model(transactions(3, true), "snapshot-isolation");
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->chosen->model->name, "txn-rw");
  EXPECT_EQ(choice->chosen->level, "snapshot-isolation");
  const auto none = choose_model(transactions(3, true), "pram");
  ASSERT_TRUE(none.has_error());
  EXPECT_TRUE(base::is(none.error(), Errc::usage));
  EXPECT_NE(none.error().context.find("no model with a level 'pram'"), std::string::npos);
}

TEST(CheckModel, NamesTheKnownModelsWhenAskedForAnother) {
  const auto verdict = check_model({}, "regster", {}, {});
  ASSERT_TRUE(verdict.has_error());
  EXPECT_TRUE(base::is(verdict.error(), Errc::usage));
  EXPECT_NE(verdict.error().context.find("kv-append"), std::string::npos);
}

}  // namespace
}  // namespace sunder::checkers
