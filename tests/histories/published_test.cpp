// Every published history gets the verdict that its project gives it.

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "harness/history/text.hpp"

namespace sunder {
namespace {

struct Row {
  std::string path;
  std::string model;
  std::string expected;
};

const std::filesystem::path kFolder =
    std::filesystem::path(SUNDER_SOURCE_DIR) / "tests/histories/published";

std::vector<Row> rows() {
  std::vector<Row> all;
  std::ifstream file(kFolder / "verdicts.tsv");
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    Row row;
    columns >> row.path >> row.model >> row.expected;
    all.push_back(row);
  }
  return all;
}

TEST(PublishedHistories, GetTheirVerdicts) {
  ASSERT_FALSE(rows().empty());
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.path);
    const auto read = history::read_history_file(kFolder / row.path);
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_FALSE(read->history.empty());
    const auto model = checkers::find_model(row.model);
    ASSERT_TRUE(model.has_value()) << model.error().message();
    EXPECT_TRUE(model->model->fits(read->history)) << "auto does not offer the row's model";
    const auto verdict = checkers::check_model(read->history, row.model, {}, {});
    ASSERT_TRUE(verdict.has_value()) << verdict.error().message();
    const auto expected =
        row.expected == "ok" ? checkers::VerdictKind::kept : checkers::VerdictKind::broken;
    EXPECT_EQ(verdict->kind, expected) << verdict->summary;
    EXPECT_EQ(verdict->counterexamples.empty(), row.expected == "ok");
    if (std::getenv("SHOW") != nullptr) {  // a look at the sentences
      fmt::print("{}: {}\n", row.path, verdict->summary);
      for (const auto& example : verdict->counterexamples) {
        for (const auto& item : example.items) {
          const auto& operation = read->history.operations()[item.operation];
          fmt::print("  {} p{} [{},{}] {} {}\n",
                     item.core ? "*" : " ",
                     operation.process,
                     operation.invoke,
                     operation.complete,
                     read->history.describe(operation),
                     item.note);
        }
      }
    }
  }
}

TEST(PublishedHistories, EachFileHasARow) {
  std::set<std::string> known{"README.md", "verdicts.tsv"};
  for (const Row& row : rows()) known.insert(row.path);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = std::filesystem::relative(entry.path(), kFolder).string();
    EXPECT_TRUE(known.contains(path)) << path;
  }
}

}  // namespace
}  // namespace sunder
