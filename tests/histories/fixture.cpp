#include "tests/histories/fixture.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"

namespace sunder::test {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

const fs::path& fixture_folder() {
  static const fs::path folder = fs::path(SUNDER_SOURCE_DIR) / "tests/histories";
  return folder;
}

std::vector<std::string> fixture_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(fixture_folder())) {
    const std::string path = fs::relative(entry.path(), fixture_folder()).string();
    const bool elsewhere = path.starts_with("published") || path.starts_with("support");
    const bool inside = path.find('/') != std::string::npos;
    if (entry.is_regular_file() && inside && !elsewhere) files.push_back(path);
  }
  std::ranges::sort(files);
  return files;
}

Fixture parse_fixture(const std::string& text) {
  Fixture fixture;
  std::istringstream lines(text);
  std::string line;
  bool expected = false;
  while (std::getline(lines, line)) {
    (expected ? fixture.expected : fixture.head) += line + "\n";
    if (line.starts_with("# ") && fixture.checker.empty()) {
      fixture.comment += (fixture.comment.empty() ? "" : " ") + line.substr(2);
    }
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

history::History build(const Fixture& fixture, std::int64_t renamed) {
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

}  // namespace sunder::test
