// The rules for the whole tree on trees of a few files.

#include "tests/tidy/project_rules.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sunder::tidy {
namespace {

TEST(ProjectRules, ExpectEverySourceInACMakeListAbove) {
  const std::vector<Source> tree = {
      make_source("a/CMakeLists.txt", "SOURCES\n  one.cpp\n  models/two.cpp\n"),
      make_source("a/models/CMakeLists.txt", "# listed above\n"),
      make_source("a/one.cpp", ""),
      make_source("a/models/two.cpp", ""),
      make_source("a/header.hpp", ""),
  };
  EXPECT_TRUE(check_listed_in_cmake(tree).empty());

  std::vector<Source> more = tree;
  more.push_back(make_source("a/ne.cpp", ""));  // the end of a listed name is no listing
  more.push_back(make_source("a/b/CMakeLists.txt", ""));
  more.push_back(make_source("a/b/one.cpp", ""));
  more.push_back(make_source("a/message.proto", ""));
  EXPECT_EQ(check_listed_in_cmake(more).size(), 3U);
}

TEST(ProjectRules, ExpectEveryFixtureToBeMentioned) {
  const std::vector<Source> tree = {
      make_source("tests/unit/a_test.cpp", "walk(\"tests/histories\"); read(\"single.json\");"),
      make_source("tests/histories/linearizable/stale_read.txt", ""),
      make_source("tests/data/single.json", ""),
      make_source("tests/scripts/raft/election.txt", ""),
  };
  const Violations found = check_fixtures_read(tree);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().path, "tests/scripts/raft/election.txt");
}

TEST(ProjectRules, ExpectANameOfItsOwnForWhatTestsDeclare) {
  const auto in = [](const char* path, const std::string& code) {
    return make_source(path, "namespace sunder::test {\n" + code + "\n}\n");
  };
  const auto first = in("tests/a.hpp", "struct Options {\n};\nint make(const Options& options);");
  EXPECT_TRUE(check_test_names({first, in("tests/b.hpp", "struct Options;")}).empty());
  EXPECT_TRUE(check_test_names({first, in("tests/b.hpp", "int unmake(int made);")}).empty());
  EXPECT_TRUE(check_test_names({first, in("harness/b.hpp", "int make(int of);")}).empty());
  EXPECT_TRUE(check_test_names({in("tests/a.hpp", "int make(int);\nint make(char);")}).empty());
  const auto again = in("tests/b.hpp", "[[nodiscard]] std::vector<int> make(\n    int of);");
  const Violations found = check_test_names({first, again});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().line, 2U);
  EXPECT_EQ(check_test_names({first, in("tests/b.hpp", "struct Options {")}).size(), 1U);
}

TEST(ProjectRules, ExpectOneTitleADocument) {
  const auto count = [](const char* text) {
    const Source source = make_source("a.md", text);
    return check_markdown({source}, source).size();
  };
  EXPECT_EQ(count("# Title\n\n## Part\n\n```\n# a comment\n```\n"), 0U);
  EXPECT_EQ(count("# Title\n\n# Another\n"), 1U);
  EXPECT_EQ(count("text\n"), 1U);
}

TEST(ProjectRules, ExpectLinksToLeadSomewhere) {
  const auto count = [](const std::string& link) {
    const Source source = make_source("docs/a.md", "# Title\n\n[text](" + link + ")\n");
    const Source other = make_source("harness/base/error.hpp", "");
    return check_markdown({source, other}, source).size();
  };
  EXPECT_EQ(count("a.md"), 0U);
  EXPECT_EQ(count("../harness/base/error.hpp"), 0U);
  EXPECT_EQ(count("../harness/base/"), 0U);
  EXPECT_EQ(count("a.md#part"), 0U);
  EXPECT_EQ(count("#part"), 0U);
  EXPECT_EQ(count("https://example.org/x"), 0U);
  EXPECT_EQ(count("b.md"), 1U);
  EXPECT_EQ(count("harness/base/error.hpp"), 1U);
}

TEST(ProjectRules, ExpectQuotationsToBeTrue) {
  const Source quoted =
      make_source("a/one.hpp", "int f(int a,\n      int b);  // why\n\nint g();\n");
  const auto count = [&](const std::string& block) {
    const Source source = make_source("a.md", "# Title\n\n```cpp\n" + block + "```\n");
    return check_quotations({quoted, source}, source).size();
  };
  EXPECT_EQ(count("// a/one.hpp\nint f(int a, int b);  // why\n"), 0U);
  EXPECT_EQ(count("// a/one.hpp\nint f(int a, int b);\n// …\nint g();\n"), 0U);
  EXPECT_EQ(count("// a/one.hpp\nint f(int a);\n"), 1U);
  EXPECT_EQ(count("// a/one.hpp\nint g();\n// …\nint h();\n"), 1U);
  EXPECT_EQ(count("// an example of your own\nint h();\n"), 0U);
}

TEST(ProjectRules, KnowWhoIsIntroducedElsewhere) {
  const std::vector<Source> tree = {
      make_source("a/one.hpp", ""),
      make_source("a/one.cpp", ""),
      make_source("a/two.cpp", ""),
      make_source("tests/unit/a/two_test.cpp", ""),
      make_source("tests/unit/a/other_test.cpp", ""),
  };
  EXPECT_FALSE(is_introduced_elsewhere(tree, tree[0]));
  EXPECT_TRUE(is_introduced_elsewhere(tree, tree[1]));
  EXPECT_FALSE(is_introduced_elsewhere(tree, tree[2]));
  EXPECT_TRUE(is_introduced_elsewhere(tree, tree[3]));
  EXPECT_FALSE(is_introduced_elsewhere(tree, tree[4]));
}

}  // namespace
}  // namespace sunder::tidy
