// The views of a source and the rules for one file, each with a text that breaks it and a neighbour
// that does not.

#include "tests/tidy/text_rules.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sunder::tidy {
namespace {

std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(SourceViews, KeepCodeAndCommentsApart) {
  const Source source = make_source("a.cpp", "int a = 1'000;  // b\n/* c\n d */ char e = '\"';\n");
  EXPECT_EQ(source.code, "int a = 1'000;      \n    \n      char e = ' ';\n");
  EXPECT_EQ(lines_of(source.comments).size(), 3U);
  EXPECT_NE(source.comments.find("// b"), std::string::npos);
  EXPECT_NE(source.comments.find("/* c\n d */"), std::string::npos);
  EXPECT_EQ(source.comments.find("int"), std::string::npos);
}

TEST(SourceViews, BlankLiteralsAndDirectives) {
  const Source source =
      make_source("a.cpp", "#define F(x) \\\n  { x\nf(\"a \\\" { // b\", R\"(\" { )\", g);\n");
  EXPECT_EQ(source.code.find('{'), std::string::npos);
  EXPECT_NE(source.code.find(", g);"), std::string::npos);
  EXPECT_EQ(source.comments.find("// b"), std::string::npos);
  EXPECT_EQ(lines_of(source.code).size(), lines_of(source.text).size());
}

TEST(Opening, NeedsASentenceBeforeAnythingElse) {
  EXPECT_TRUE(check_opening(make_source("a.cpp", "// Cuts links.\n\nint a;\n")).empty());
  EXPECT_EQ(check_opening(make_source("a.cpp", "int a;\n// Cuts links.\n")).size(), 1U);
  EXPECT_EQ(check_opening(make_source("a.cpp", "// links\n")).size(), 1U);
  EXPECT_EQ(check_opening(make_source("a.cpp", "")).size(), 1U);
}

TEST(Opening, NeedsPragmaOnceInHeadersOnly) {
  EXPECT_TRUE(check_opening(make_source("a.hpp", "// Cuts links.\n\n#pragma once\n")).empty());
  EXPECT_EQ(check_opening(make_source("a.hpp", "// Cuts links.\n\nint a;\n")).size(), 1U);
}

TEST(Columns, CountCharactersAndExceptUrls) {
  const std::string wide = repeated("…", kColumnsMax);
  EXPECT_TRUE(check_columns(make_source("a.cpp", wide + "\n")).empty());
  const Violations found = check_columns(make_source("a.cpp", "\n" + wide + "…\n"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().line, 2U);
  EXPECT_TRUE(check_columns(make_source("a.cpp", "// https://" + wide + "\n")).empty());
  EXPECT_TRUE(check_columns(make_source("a.cpp", "f(R\"(\n" + wide + "…\n)\");\n")).empty());
  EXPECT_EQ(check_columns(make_source("a.cpp", "// " + wide + "\n")).size(), 1U);
}

TEST(FileLength, HasALimit) {
  const std::string most = repeated("a\n", kFileLinesMax);
  EXPECT_TRUE(check_file_length(make_source("a.cpp", most)).empty());
  EXPECT_EQ(check_file_length(make_source("a.cpp", most + "a\n")).size(), 1U);
}

TEST(FunctionLength, CountsFromBraceToBrace) {
  const std::string lines = repeated("  if (a) {\n  }\n", (kFunctionLinesMax - 2) / 2);
  const std::string most = "namespace n {\nclass C {\n int f() const {\n" + lines + "}\n};\n}\n";
  EXPECT_TRUE(check_function_length(make_source("a.cpp", most)).empty());
  const std::string more = "namespace n {\nvoid f() {\n" + lines + "  g();\n}\n}\n";
  const Violations found = check_function_length(make_source("a.cpp", more));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().line, 2U);
}

TEST(FunctionLength, LeavesClassesNamespacesAndTablesAlone) {
  const std::string lines = repeated("  int a;\n", 2 * kFunctionLinesMax);
  EXPECT_TRUE(check_function_length(make_source("a.cpp", "struct S {\n" + lines + "};\n")).empty());
  const std::string rows = repeated("  {\"a\", make(b)},\n", 2 * kFunctionLinesMax);
  EXPECT_TRUE(
      check_function_length(make_source("a.cpp", "const T t[] = {\n" + rows + "};\n")).empty());
}

struct WordRow {
  const char* name;
  const char* path;
  const char* text;
  std::size_t violations;
};

class Words : public testing::TestWithParam<WordRow> {};

TEST_P(Words, AreFoundWhereTheyCount) {
  const WordRow& row = GetParam();
  EXPECT_EQ(check_words(make_source(row.path, row.text)).size(), row.violations) << row.text;
}

INSTANTIATE_TEST_SUITE_P(
    TextRules,
    Words,
    testing::Values(
        WordRow{"Detached", "a.cpp", "co_spawn(ex, f(), asio::detached);", 1},
        WordRow{"DetachedInProse", "a.cpp", "// nothing runs detached\n", 0},
        WordRow{"SleepFor", "a.cpp", "std::this_thread::sleep_for(1s);", 1},
        WordRow{"OwnNameWithSleep", "a.cpp", "my_sleep_for_ever();", 0},
        WordRow{"Rand", "a.cpp", "int a = std::rand();", 1},
        WordRow{"RandomDevice", "a.cpp", "std::random_device d;", 1},
        WordRow{"OwnRandom", "a.cpp", "base::Random random(seed);", 0},
        WordRow{"WallClock", "nemesis/a.cpp", "std::chrono::system_clock::now();", 1},
        WordRow{
            "WallClockInBase", "harness/base/clock.cpp", "std::chrono::system_clock::now();", 0},
        WordRow{"UsingNamespaceInHeader", "a.hpp", "using namespace std;", 1},
        WordRow{"UsingNamespaceInSource", "a.cpp", "using namespace std;", 0},
        WordRow{"CatchAll", "a.cpp", "try { f(); } catch (...) {}", 1},
        WordRow{"CatchOne", "a.cpp", "try { f(); } catch (const E& e) {}", 0},
        WordRow{"WaitForAny", "a.cpp", "waitpid(-1, &status, 0);", 1},
        WordRow{"WaitForOne", "a.cpp", "waitpid(pid, &status, 0);", 0},
        WordRow{"OpenEnd", "a.cpp", "// TODO later\n", 1},
        WordRow{"OpenEndInAString", "a.cpp", "f(\"TODO\");", 0},
        WordRow{"AllowedOnTheLine",
                "a.cpp",
                "waitpid(-1, &s, 0);  // tidy-allow: waitpid(-1) because init reaps orphans\n",
                0},
        WordRow{"AllowedOnTheLineAbove",
                "a.cpp",
                "// tidy-allow: detached because …\nasio::detached;\n",
                0},
        WordRow{"AllowedWithoutReason", "a.cpp", "asio::detached;  // tidy-allow: detached\n", 1},
        WordRow{"AllowedForAnotherWord",
                "a.cpp",
                "asio::detached;  // tidy-allow: sleep because …\n",
                1}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sunder::tidy
