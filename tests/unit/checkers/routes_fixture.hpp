// The two routes to a verdict about linearizability, the closed form and the search, for tests that
// compare them with brute force and with each other.

#pragma once

#include <string>
#include <string_view>

#include "checkers/linearizability.hpp"
#include "tests/histories/support/object_oracle.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {

inline std::string_view answer(const history::History& history,
                               std::string_view model,
                               Routes routes) {
  CheckOptions options;
  options.threads = 1;
  options.parameters["permits"] = test::kOracle_permits;   // of a semaphore
  options.parameters["acquires"] = test::kOracle_permits;  // of a mutex that its holder may take
  const Verdict verdict =
      check_linearizability(history, *find_search_model(model), options, {}, routes);
  // All-unknown histories have nothing to contradict: brute force calls them linearizable.
  const bool nothing =
      verdict.kind == VerdictKind::undetermined && verdict.summary.starts_with("nothing observed");
  return nothing ? "kept" : name_of(verdict.kind);
}

// What is wrong with the answer of either route; nothing is expected: that they agree.
inline std::string compare_routes(const history::History& history,
                                  std::string_view model,
                                  std::string_view expected) {
  const std::string_view closed = answer(history, model, {});
  if (expected.empty()) expected = closed;
  std::string wrong = test::disagreement(expected, closed, "by the closed form: ");
  if (!wrong.empty()) return wrong;
  return test::disagreement(
      expected, answer(history, model, {.closed_form = false}), "by the search: ");
}

}  // namespace sunder::checkers
