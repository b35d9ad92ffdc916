#include <algorithm>

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

TEST(CheckModel, NamesTheKnownModelsWhenAskedForAnother) {
  const auto verdict = check_model({}, "regster", {}, {});
  ASSERT_TRUE(verdict.has_error());
  EXPECT_TRUE(base::is(verdict.error(), Errc::usage));
  EXPECT_NE(verdict.error().context.find("kv-append"), std::string::npos);
}

}  // namespace
}  // namespace sunder::checkers
