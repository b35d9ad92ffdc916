// A checker: a pure function from a history (and what happened around it) to a verdict.
//
// No sockets, no files, no clocks but the budget's. Same inputs, same verdict, whatever the number
// of threads.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/parameters.hpp"
#include "checkers/verdict.hpp"
#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

struct CheckOptions {
  std::string model;  // "register", "kv-append", …; empty: the checker's own
  std::chrono::nanoseconds time_budget = std::chrono::seconds(60);
  std::size_t memory_budget = std::size_t{4} << 30;  // bytes for search state
  unsigned threads = 0;                              // 0: as many as the machine has
  const history::RunContext* context = nullptr;      // null: a bare history file
  Parameters parameters;  // a model's numbers, or a promise's: {"recover_within_ms", 5000}
};

using CheckFunction = Verdict (*)(const history::History&, const CheckOptions&, std::stop_token);

struct CheckerInfo {
  std::string_view name;     // "linearizable"
  std::string_view summary;  // one sentence
  CheckFunction check = nullptr;
};

// All checkers, sorted by name.
[[nodiscard]] std::span<const CheckerInfo> all_checkers();
[[nodiscard]] const CheckerInfo* find_checker(std::string_view name);

// How strict an ideal system is: a level of a model.
struct LevelInfo {
  std::string_view name;     // "linearizable", "snapshot-isolation"
  std::string_view summary;  // one sentence
};

// What `sunder check --model` takes: a type of object, judged at one of its levels.
struct ModelInfo {
  std::string_view name;  // "register", "list-append"
  std::string_view summary;
  // Never empty; the first is taken when none is named.
  std::span<const LevelInfo> levels;
  // Whether the model can say something about every operation of the history: "auto" asks.
  bool (*fits)(const history::History& history) = nullptr;
  // Judges at one of the levels. `kept`, `broken` or `undetermined`; no exercise rule.
  Verdict (*check)(const history::History& history,
                   std::string_view level,
                   const CheckOptions& options,
                   std::stop_token stop) = nullptr;
  // Of several models that fit a history "auto" takes the one with the greatest: what it asks of a
  // system is more than, or the same as, what the others ask.
  int strength = 1;
  // Whether it will come to a verdict on a history that fits, as far as a look at it tells; null:
  // it will. "auto" prefers models that do, whatever their strength.
  bool (*decides)(const history::History& history) = nullptr;
  std::span<const ParameterInfo> parameters = {};
};

// All models, sorted by name.
[[nodiscard]] std::span<const ModelInfo> all_models();

// A model and one of its levels, as `type` or `type/level` says.
struct ModelChoice {
  const ModelInfo* model = nullptr;
  std::string_view level;  // of the model's table
};

// Errc::usage: no such model or level (the error lists the known ones).
[[nodiscard]] Result<ModelChoice> find_model(std::string_view text);

// Errc::usage: the model takes no parameter of a name, or lacks one that it needs.
[[nodiscard]] Result<void> accept_parameters(const ModelInfo& model, const Parameters& parameters);

// A model for a history, named or found.
struct AutomaticChoice {
  std::optional<ModelChoice> chosen;
  bool automatic = false;                  // found, not named
  std::vector<std::string_view> also_fit;  // models that would do too
};

// Whether any model has such a level, as "serializable".
[[nodiscard]] bool is_level(std::string_view word);

// The strongest model that fits the history and decides it, at its first level, or at the one
// named; none when the history is empty. Errc::usage: none fits, and the error names an operation.
[[nodiscard]] Result<AutomaticChoice> choose_model(const history::History& history,
                                                   std::string_view level = {});

// Runs what decides that choice. An exception inside a checker becomes `undetermined` with its
// text, and so does a history without a known result: "nothing observed".
[[nodiscard]] Verdict check_model(const history::History& history,
                                  const ModelChoice& choice,
                                  const CheckOptions& options,
                                  std::stop_token stop);

// The same by name: "register", "list-append/serializable". Errc::usage as find_model.
[[nodiscard]] Result<Verdict> check_model(const history::History& history,
                                          std::string_view model,
                                          const CheckOptions& options,
                                          std::stop_token stop);

}  // namespace sunder::checkers
