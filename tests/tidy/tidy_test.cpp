// The tree against the rules of the house: one test a rule, each naming every violation with its
// file and line.
//
// The rules have tests of their own beside this file. A rule that is wrong is changed there, not
// silenced here.

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/tidy/coroutine_rule.hpp"
#include "tests/tidy/layers.hpp"
#include "tests/tidy/project_rules.hpp"
#include "tests/tidy/source.hpp"
#include "tests/tidy/text_rules.hpp"

namespace sunder::tidy {
namespace {

const std::vector<Source>& tree() {
  static const std::vector<Source> loaded = load_tree(SUNDER_SOURCE_DIR);
  return loaded;
}

void expect_none(const Violations& violations) {
  for (const Violation& violation : violations) {
    ADD_FAILURE() << violation.path << ":" << violation.line << ": " << violation.message;
  }
}

void expect_none_in_cpp(Violations (*rule)(const Source&)) {
  for (const Source& source : tree()) {
    if (source.is_cpp()) expect_none(rule(source));
  }
}

TEST(Tree, HasTheSourcesThatItIsJudgedBy) {
  std::size_t sources = 0;
  for (const Source& source : tree()) sources += source.is_cpp() ? 1U : 0U;
  EXPECT_GT(sources, 50U);
}

TEST(Tree, IncludesOnlyAlongTheEdges) {
  expect_none_in_cpp(check_includes);
}

TEST(Tree, LinksOnlyAlongTheEdges) {
  for (const Source& source : tree()) {
    if (source.is_cmake()) expect_none(check_links(source));
  }
}

TEST(Tree, OpensEveryFileWithASentence) {
  for (const Source& source : tree()) {
    if (source.is_cpp() && !is_introduced_elsewhere(tree(), source))
      expect_none(check_opening(source));
  }
}

TEST(Tree, StaysWithinTheColumns) {
  expect_none_in_cpp(check_columns);
}

TEST(Tree, HasNoOverlongFiles) {
  expect_none_in_cpp(check_file_length);
}

TEST(Tree, HasNoOverlongFunctions) {
  expect_none_in_cpp(check_function_length);
}

TEST(Tree, UsesNoBannedWords) {
  expect_none_in_cpp(check_words);
}

TEST(Tree, KeepsBracesAndCapturesAwayFromAwaits) {
  expect_none_in_cpp(check_coroutine_expressions);
}

TEST(Tree, BuildsEverySource) {
  expect_none(check_listed_in_cmake(tree()));
}

TEST(Tree, ReadsEveryFixture) {
  expect_none(check_fixtures_read(tree()));
}

TEST(Tree, HasOneTitleAndWorkingLinksInEveryDocument) {
  for (const Source& source : tree()) {
    if (source.is_markdown()) expect_none(check_markdown(tree(), source));
  }
}

TEST(Tree, NamesNothingOfTestsTwice) {
  expect_none(check_test_names(tree()));
}

TEST(Tree, QuotesItsHeadersTruly) {
  for (const Source& source : tree()) {
    if (source.is_markdown()) expect_none(check_quotations(tree(), source));
  }
}

}  // namespace
}  // namespace sunder::tidy
