// The general linearizability search: just-in-time linearization (Lowe, "Testing for
// linearizability", 2017).
//
// It walks the events of one key and keeps the frontier: every configuration (state, which pending
// operations have taken effect, which unknown ones were used) that explains all that returned so
// far. At the return of an operation each configuration is extended only until that operation has
// taken effect. Memory follows concurrency, not length.
//
// What keeps the frontier small: a pending observer is taken the moment the state allows it (that
// never hurts); equal unknown operations are a counter; of configurations that differ only in the
// unknown operations they used, the minimal ones stay. Easy histories are decided by a narrow beam
// of configurations first; only when the beam dies having dropped some is the search repeated
// wider, up to everything.
//
// Threading: one search in one thread; polls its stop token and deadline.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

struct SearchLimits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t memory = std::size_t{1} << 30;
  // Visited in one pass; a search that needs more ends as `undetermined`. 0: no limit.
  std::size_t configurations = 0;
  std::stop_token stop = {};
};

struct SearchProblem {
  std::vector<SearchOperation> operations;  // sorted by invoke
  std::vector<State> initial;               // any of these
  // Calls that may take effect at any time, any number of times: what minimising leaves of an
  // operation's effect.
  std::vector<Call> free_calls;
};

struct SearchResult {
  enum class Kind : std::uint8_t { linearizable, violation, undetermined };
  Kind kind = Kind::undetermined;
  std::string reason;  // of undetermined
  // Of a violation: the operation (index into the problem's) at whose return nothing was left, the
  // states that were possible then, and the last moment at which nothing was pending, with the
  // states that were possible there.
  std::size_t failed = 0;
  std::vector<State> possible;
  std::int64_t quiescent = 0;
  std::vector<State> quiescent_states;
  std::size_t configurations = 0;  // visited in all
};

[[nodiscard]] SearchResult search(Model& model,
                                  const SearchProblem& problem,
                                  const SearchLimits& limits);

}  // namespace sunder::checkers
