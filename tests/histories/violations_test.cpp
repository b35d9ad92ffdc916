// docs/violations.md: an example of what each checker finds, with its picture, from the fixtures.
//
// Of each model and level, and of each promise, the shortest history that breaks it; rather one in
// which operations contradict each other than one that is wrong by itself. REWRITE=1 writes the
// page.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "harness/base/file.hpp"
#include "harness/report/counterexample_text.hpp"
#include "tests/histories/fixture.hpp"

namespace sunder {
namespace {

struct Example {
  std::string file;
  std::string comment;
  std::string text;
  std::pair<bool, std::size_t> rank;  // whether it is one operation alone; how many there are
};

std::pair<bool, std::size_t> rank_of(const checkers::Counterexample& example,
                                     const history::History& history) {
  const bool alone =
      std::ranges::count(example.items, true, &checkers::Counterexample::Item::core) < 2;
  return {alone, history.operations().size()};
}

// "queue" for the linearizable queue, else as the fixture names it: "register/causal".
std::string name_of(const test::Fixture& fixture) {
  return fixture.model.empty() ? fixture.checker : fixture.model;
}

std::map<std::string, Example> shortest_examples() {
  std::map<std::string, Example> examples;
  for (const std::string& file : test::fixture_files()) {
    const auto text = base::read_file(test::fixture_folder() / file);
    const test::Fixture fixture = test::parse_fixture(text.value());
    if (!fixture.expected.starts_with("broken")) continue;
    const history::History history = test::build(fixture);
    const checkers::Verdict verdict = test::judge(fixture, history);
    if (verdict.counterexamples.empty()) continue;
    const checkers::Counterexample& shown = verdict.counterexamples.front();
    const auto rank = rank_of(shown, history);
    const auto known = examples.find(name_of(fixture));
    if (known != examples.end() && known->second.rank <= rank) continue;
    examples[name_of(fixture)] = {.file = file,
                                  .comment = fixture.comment,
                                  .text = report::counterexample_text(shown, history, 0),
                                  .rank = rank};
  }
  return examples;
}

std::string page_of(const std::map<std::string, Example>& examples) {
  std::string page =
      "# Violations: what each checker finds, with a picture\n\n"
      "The shortest of the test's histories that break a model, a level of it, or a promise "
      "([checkers](checkers.md)).\n"
      "A bar is an operation from its invocation to its completion, in the order of events; one "
      "that ends in an arrow has\nan unknown outcome. `sunder check` prints the same, and draws "
      "it with `--html` and `--dot`. Generated; a test compares.\n";
  for (const auto& [name, example] : examples) {
    page += fmt::format("\n## {}\n\n[{}](../tests/histories/{}): {}\n\n```\n{}```\n",
                        name,
                        example.file,
                        example.file,
                        example.comment,
                        example.text);
  }
  return page;
}

TEST(Violations, ThePageShowsTheShortestOfEach) {
  const auto path = std::filesystem::path(SUNDER_SOURCE_DIR) / "docs/violations.md";
  const std::string page = page_of(shortest_examples());
  if (std::getenv("REWRITE") != nullptr) {
    ASSERT_TRUE(base::write_file(path, page).has_value());
  }
  EXPECT_TRUE(base::read_file(path).value() == page)
      << "docs/violations.md is generated: run this test with REWRITE=1 and read the difference";
}

TEST(Violations, EveryModelHasAnExample) {
  const auto examples = shortest_examples();
  for (const checkers::ModelInfo& model : checkers::all_models()) {
    const auto found = examples.lower_bound(std::string(model.name));
    EXPECT_TRUE(found != examples.end() && found->first.starts_with(model.name))
        << model.name << ": no fixture breaks it";
  }
}

}  // namespace
}  // namespace sunder
