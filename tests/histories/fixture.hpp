// Fixtures: small histories as text, tests/histories/<checker>/<case>.txt, with the verdict and the
// minimal evidence that are expected.
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
// beside a repeated input `output VALUE`, and for a failure `error TEXT`.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "checkers/checker.hpp"
#include "checkers/closed_form.hpp"

namespace sunder::test {

[[nodiscard]] const std::filesystem::path& fixture_folder();
// All of them, relative to the folder, sorted.
[[nodiscard]] std::vector<std::string> fixture_files();

struct Fixture {
  std::string checker;
  std::string model;
  checkers::Parameters parameters;
  std::optional<history::RunContext> context;
  std::vector<std::string> events;
  std::string comment;   // what the lines with # in front of the first other say
  std::string head;      // everything up to and with "----"
  std::string expected;  // everything after it
};

// What is wrong with a fixture fails the test.
[[nodiscard]] Fixture parse_fixture(const std::string& text);
// Builds the history; `renamed` moves every process' number.
[[nodiscard]] history::History build(const Fixture& fixture, std::int64_t renamed = 0);
[[nodiscard]] checkers::Verdict judge(const Fixture& fixture, const history::History& history);

}  // namespace sunder::test
