// A checker: a pure function from a history (and what happened around it) to a verdict.
//
// No sockets, no files, no clocks but the budget's. Same inputs, same verdict, whatever the number
// of threads.

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

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
  std::map<std::string, double> parameters;  // a promise's numbers: {"recover_within_ms", 5000}
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

// `sunder check --model M`: runs what decides that model ("register", "cas-register", "kv-append",
// …). An exception inside a checker becomes `undetermined` with its text. Errc::usage: no such
// model (the error lists the known ones).
[[nodiscard]] Result<Verdict> check_model(const history::History& history,
                                          std::string_view model,
                                          const CheckOptions& options,
                                          std::stop_token stop);

struct ModelInfo {
  std::string_view name;
  std::string_view summary;
};

// All models, sorted by name.
[[nodiscard]] std::span<const ModelInfo> all_models();

}  // namespace sunder::checkers
