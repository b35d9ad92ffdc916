// Walks the fixtures (fixture.hpp): each gets the verdict that its file expects.
//
// REWRITE=1 writes what the checker says. The verdict is also found by other routes, which speak
// only when they disagree: brute force for small histories, the search without the closed forms,
// renamed processes.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/linearizability.hpp"
#include "harness/base/file.hpp"
#include "tests/histories/fixture.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/collection_oracle.hpp"
#include "tests/histories/support/isolation_brute_force.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/list_oracle.hpp"

namespace sunder {
namespace {

namespace fs = std::filesystem;
using test::build;
using test::Fixture;
using test::judge;

// A page of a ledger says too much: its beginning will do.
std::string shortened(const std::string& text) {
  constexpr std::size_t kCharacters = 200;
  return text.size() > kCharacters ? fmt::format("{:.{}}…", text, kCharacters) : text;
}

// "undetermined" alone, or with the sentence and the core operations when broken.
std::string describe(const checkers::Verdict& verdict, const history::History& history) {
  std::string text = std::string(name_of(verdict.kind)) + "\n";
  for (const checkers::Counterexample& example : verdict.counterexamples) {
    text += fmt::format("  {}: {}\n", example.title, example.why);
    for (const auto& item : example.items) {
      if (!item.core) continue;
      const history::Operation& operation = history.operations()[item.operation];
      const bool open = operation.outcome == history::Outcome::info;
      text += fmt::format("  p{} {} [{},{}]\n",
                          operation.process,
                          shortened(history.describe(operation)),
                          operation.invoke_time,
                          open ? "…" : std::to_string(operation.complete_time));
    }
  }
  return text;
}

bool has_one_key(const history::History& history) {
  return std::ranges::all_of(history.operations(), [&](const history::Operation& operation) {
    return operation.key == history.operations().front().key;
  });
}

// Brute force knows the levels of lists, but no single anomalies.
void compare_with_list_oracle(std::string_view model,
                              const history::History& history,
                              checkers::VerdictKind kind) {
  constexpr std::string_view kType = "list-append/";
  if (!model.starts_with(kType) || history.operations().size() > 7) return;
  std::string name(model.substr(kType.size()));
  const auto levels = checkers::elle::isolation_levels();
  const auto level = std::ranges::find(levels, name, &checkers::elle::IsolationLevel::name);
  if (level == levels.end()) return;
  if (name == "strict-serializable") name = "strong-serializable";
  EXPECT_EQ(test::levels_explained(history).contains(name), kind == checkers::VerdictKind::kept)
      << "by brute force";
}

// Registers below linearizability: by their definitions.
void compare_with_level_oracle(std::string_view model,
                               const history::History& history,
                               const checkers::Parameters& parameters,
                               checkers::VerdictKind kind) {
  constexpr std::string_view kType = "register/";
  if (!model.starts_with(kType) || history.operations().size() > 8) return;
  const std::string_view level = model.substr(kType.size());
  if (level == "k-atomicity" && has_one_key(history)) {
    const auto k = parameters.find("k");
    const auto last = static_cast<std::uint32_t>(k == parameters.end() ? 2.0 : k->second);
    EXPECT_EQ(test::brute_force_k_atomic(history, last), kind == checkers::VerdictKind::kept)
        << "by brute force";
  }
  if (std::ranges::find(test::kLevels, level) == std::end(test::kLevels)) return;
  EXPECT_EQ(test::brute_force_level(history, level), kind == checkers::VerdictKind::kept)
      << "by brute force";
}

void compare_routes(const Fixture& fixture,
                    const history::History& history,
                    checkers::VerdictKind kind) {
  EXPECT_EQ(judge(fixture, build(fixture, 1000)).kind, kind) << "with renamed processes";
  if (kind != checkers::VerdictKind::undetermined) {
    compare_with_list_oracle(fixture.checker, history, kind);
    compare_with_level_oracle(fixture.checker, history, fixture.parameters, kind);
  }
  if (history.operations().size() <= 16 && fixture.parameters.empty()) {
    const auto holds = test::collection_oracle(history, fixture.checker);
    const bool told = kind == checkers::VerdictKind::kept || kind == checkers::VerdictKind::broken;
    if (holds && told) {
      EXPECT_EQ(*holds, kind == checkers::VerdictKind::kept) << "by brute force";
    }
  }
  const bool decided = kind != checkers::VerdictKind::undetermined;
  constexpr std::string_view kTransactions = "txn-rw/";
  if (fixture.checker.starts_with(kTransactions) && decided && history.operations().size() <= 6) {
    const auto level = std::string_view(fixture.checker).substr(kTransactions.size());
    EXPECT_EQ(test::brute_force_isolation(history, level), kind == checkers::VerdictKind::kept)
        << "by brute force";
  }
  if (fixture.checker != "linearizable" || !decided) return;
  const std::string model = fixture.model.empty() ? "register" : fixture.model;
  checkers::CheckOptions options;
  options.parameters = fixture.parameters;
  const checkers::Verdict searched = checkers::check_linearizability(
      history, *checkers::find_search_model(model), options, {}, {.closed_form = false});
  EXPECT_EQ(searched.kind, kind) << "by the search alone";
  if (history.operations().size() > 8 || !has_one_key(history)) return;
  const bool linearizable = test::brute_force_linearizable(history, model);
  EXPECT_EQ(linearizable, kind == checkers::VerdictKind::kept) << "by brute force";
}

class Fixtures : public testing::TestWithParam<std::string> {};

TEST_P(Fixtures, GetTheirVerdicts) {
  const fs::path path = test::fixture_folder() / GetParam();
  ASSERT_EQ(path.extension(), ".txt") << "no fixture: " << path;
  const auto text = base::read_file(path);
  ASSERT_TRUE(text.has_value());
  const Fixture fixture = test::parse_fixture(*text);
  const history::History history = build(fixture);
  const checkers::Verdict verdict = judge(fixture, history);
  const std::string actual = describe(verdict, history);
  if (std::getenv("REWRITE") != nullptr) {
    ASSERT_TRUE(base::write_file(path, fixture.head + actual).has_value());
  } else {
    EXPECT_EQ(actual, fixture.expected);
  }
  compare_routes(fixture, history, verdict.kind);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tree, Fixtures, testing::ValuesIn(test::fixture_files()), test_name);

}  // namespace
}  // namespace sunder
