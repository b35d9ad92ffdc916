// Closed form: what a test without search says of one object's history.
//
// Each has a file of its own (zones.cpp, queue.cpp, …) and is named in its model's row
// (models/model.hpp). Pure functions of one thread.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkers/parameters.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

struct ClosedForm {
  bool linearizable = true;
  bool exact = true;  // false: "linearizable" still has to be confirmed by the search
  Counterexample counterexample;
};

// Judges the operations (indices into the history, in order of invocation) of one object. Nothing
// when the test does not apply: a value occurs twice, say.
using ClosedFormTest = std::optional<ClosedForm> (*)(const history::History& history,
                                                     std::span<const std::uint32_t> operations,
                                                     const Parameters& parameters);

// The answer "not linearizable".
[[nodiscard]] ClosedForm violation(Counterexample counterexample);

// A counter-example of these operations, each once, in order of invocation.
[[nodiscard]] Counterexample story(std::string title, std::vector<std::uint32_t> members);

// "No operation" among indices of operations.
constexpr std::uint32_t kNo_operation = 0xffffffff;

}  // namespace sunder::checkers
