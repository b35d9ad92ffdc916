// Walks tests/histories/<checker>/<case>.txt: history and expected verdict with its minimal
// evidence, as text.
//
//   # comment
//   check linearizable model=register
//   0  p0 invoke write 1
//   5  p0 ok     write 1
//   ----
//   kept
//
// What a promise of a run must know stands between:
//   nodes 3                            n1 to n3
//   fault kill n1,n2 from 40 until 60  it bit, and these nodes were down
//   event n1 70 saga-ended took_us=9 outcome=done   a node told it; "_" in a text is a space
//
// `check` names a checker, or a model and its level (check bank/any-balance). Words with "=" behind
// it other than model=… are parameters (permits=2). A line is time, process, type, function, then
// `@key` and a value in EDN when there is one, then for a failed cas `actual VALUE`, for an answer
// beside a repeated input `output VALUE`, and for a failure `error TEXT`. REWRITE=1 writes what the
// checker says. The verdict is also found by other routes, which speak only when they disagree:
// brute force for small histories, the search without the closed forms, renamed processes.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/linearizability.hpp"
#include "harness/base/file.hpp"
#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/collection_oracle.hpp"
#include "tests/histories/support/isolation_brute_force.hpp"
#include "tests/histories/support/level_oracle.hpp"
#include "tests/histories/support/list_oracle.hpp"

namespace sunder {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(SUNDER_SOURCE_DIR) / "tests/histories";

std::vector<std::string> fixture_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
    const std::string path = fs::relative(entry.path(), kFolder).string();
    const bool elsewhere = path.starts_with("published") || path.starts_with("support");
    const bool inside = path.find('/') != std::string::npos;
    if (entry.is_regular_file() && inside && !elsewhere) files.push_back(path);
  }
  std::ranges::sort(files);
  return files;
}

struct Fixture {
  std::string checker;
  std::string model;
  checkers::Parameters parameters;
  std::optional<history::RunContext> context;
  std::vector<std::string> events;
  std::string head;      // everything up to and with "----"
  std::string expected;  // everything after it
};

// One line about the run; false: it is none.
bool parse_context(const std::string& line, std::optional<history::RunContext>& context) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  if (kind != "nodes" && kind != "fault" && kind != "event") return false;
  if (!context) context.emplace();
  if (kind == "nodes") {
    std::size_t count = 0;
    words >> count;
    for (std::size_t i = 1; i <= count; ++i) context->nodes.push_back(fmt::format("n{}", i));
  } else if (kind == "fault") {
    history::FaultRecord& fault = context->faults.emplace_back();
    std::string nodes;
    std::string from;
    std::string until;
    words >> fault.family >> nodes >> from >> fault.active.begin >> until >> fault.active.end;
    EXPECT_TRUE(from == "from" && until == "until") << line;
    std::istringstream names(nodes);
    for (std::string name; std::getline(names, name, ',');) fault.disabled_nodes.push_back(name);
    fault.applying = {fault.active.begin, fault.active.begin};
    fault.healed = fault.active.end;
    fault.exercised = true;
  } else {
    history::NodeEvent event;
    words >> event.node >> event.time >> event.event;
    EXPECT_TRUE(words) << line;
    for (std::string field; words >> field;) {
      const auto equals = std::min(field.find('='), field.size() - 1);
      const std::string name = field.substr(0, equals);
      std::string value = field.substr(equals + 1);
      if (value.find_first_not_of("0123456789") == std::string::npos) {
        event.numbers.emplace_back(name, std::stoll(value));
      } else {
        std::ranges::replace(value, '_', ' ');
        event.texts.emplace_back(name, value);
      }
    }
    context->events.push_back(event);
  }
  EXPECT_TRUE(kind == "event" || words) << line;
  return true;
}

Fixture parse_fixture(const std::string& text) {
  Fixture fixture;
  std::istringstream lines(text);
  std::string line;
  bool expected = false;
  while (std::getline(lines, line)) {
    (expected ? fixture.expected : fixture.head) += line + "\n";
    if (expected || line.empty() || line.starts_with('#')) continue;
    if (line == "----") {
      expected = true;
    } else if (line.starts_with("check ")) {
      std::istringstream words(line);
      std::string word;
      words >> word >> fixture.checker;
      while (words >> word) {
        const auto equals = word.find('=');
        EXPECT_NE(equals, std::string::npos) << "unknown option " << word;
        if (equals == std::string::npos) continue;
        const std::string value = word.substr(equals + 1);
        if (word.starts_with("model=")) {
          fixture.model = value;
        } else {
          fixture.parameters[word.substr(0, equals)] = std::stod(value);
        }
      }
    } else if (!parse_context(line, fixture.context)) {
      fixture.events.push_back(line);
    }
  }
  EXPECT_TRUE(expected) << "no line ----";
  return fixture;
}

// Builds the history; `renamed` moves every process' number.
history::History build(const Fixture& fixture, std::int64_t renamed = 0) {
  history::EventPairing pairing(
      history::Dialect{.nil_read_is_unknown = false, .failed_cas_compared = true});
  for (const std::string& line : fixture.events) {
    std::istringstream words(line);
    std::string time;
    std::string process;
    std::string type;
    std::string function;
    words >> time >> process >> type >> function;
    history::TextEvent event;
    event.time = std::stoll(time);
    EXPECT_TRUE(process.starts_with('p')) << line;
    event.process = std::stoll(process.substr(1)) + renamed;
    EXPECT_TRUE(history::parse_event_type(type, event.type)) << line;
    event.function = function;
    std::string rest;
    std::getline(words, rest);
    std::string key;
    if (const auto at = rest.find('@'); at != std::string::npos) {
      const auto end = std::min(rest.find(' ', at), rest.size());
      key = rest.substr(at + 1, end - at - 1);
      rest.erase(at, end - at);
    }
    event.key = key;
    const auto take_after = [&](std::string_view word) {
      const auto at = rest.find(word);
      if (at == std::string::npos) return std::string();
      const std::string taken = rest.substr(at + word.size());
      rest.erase(at);
      return taken;
    };
    const std::string error = take_after(" error ");
    const std::string actual = take_after("actual");
    const std::string output = take_after("output");
    const auto value_of = [&](const std::string& text) {
      if (text.find_first_not_of(' ') == std::string::npos) return history::Value();
      const auto value = history::EdnParser(text, "fixture", pairing.pool()).value();
      EXPECT_TRUE(value.has_value()) << line;
      return value.has_value() ? *value : history::Value();
    };
    event.error = error;
    event.value = value_of(rest);
    event.actual = value_of(actual);
    event.output = value_of(output);
    const auto applied = pairing.apply(event);
    EXPECT_TRUE(applied.has_value()) << line;
  }
  return pairing.finish();
}

checkers::Verdict judge(const Fixture& fixture, const history::History& history) {
  checkers::CheckOptions options;
  options.model = fixture.model;
  options.parameters = fixture.parameters;
  if (fixture.context) options.context = &*fixture.context;
  const checkers::CheckerInfo* checker = checkers::find_checker(fixture.checker);
  if (checker != nullptr) return checker->check(history, options, {});
  auto verdict = checkers::check_model(history, fixture.checker, options, {});
  EXPECT_TRUE(verdict.has_value()) << "no checker or model " << fixture.checker;
  return verdict.has_value() ? *verdict : checkers::Verdict();
}

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
  const fs::path path = kFolder / GetParam();
  ASSERT_EQ(path.extension(), ".txt") << "no fixture: " << path;
  const auto text = base::read_file(path);
  ASSERT_TRUE(text.has_value());
  const Fixture fixture = parse_fixture(*text);
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

INSTANTIATE_TEST_SUITE_P(Tree, Fixtures, testing::ValuesIn(fixture_files()), test_name);

}  // namespace
}  // namespace sunder
