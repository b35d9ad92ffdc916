// The general search for a linearization of one object's history, for any model.
//
// Both of its strategies walk the same graph (Lowe, "Testing for linearizability", 2017): at the
// return of an operation, pending ones take effect until that operation has. A depth-first walk
// (depth_first.hpp) finds the witness of an easy history; when it has spent its share, the frontier
// (frontier.hpp) visits everything, breadth first.
//
// What keeps the graph small: a configuration names the pending operations only, not the history's;
// a pending observer is taken the moment the state allows it; of equal pending operations the one
// that ends first is taken first, and unknown ones come last; equal unknown operations are a
// counter; of configurations in the same state the one with more observers taken and fewer unknown
// operations used stands for the other.
//
// Threading: one search in one thread; polls its stop token and deadline. Errors: a spent budget is
// `undetermined` with a sentence that says which one and how far the search came.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

enum class SearchStrategy : std::uint8_t {
  automatic,    // depth first for a while, then the frontier
  depth_first,  // alone: says no more of a violation than that there is one
  frontier,     // alone
};

struct SearchLimits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t memory = std::size_t{1} << 30;
  // Visited by one strategy; a search that needs more ends as `undetermined`. 0: no limit.
  std::size_t configurations = 0;
  SearchStrategy strategy = SearchStrategy::automatic;
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
  // Of a violation that the frontier found: the operation (index into the problem's) at whose
  // return nothing was left, the states that were possible then, and the last moment at which
  // nothing was pending, with the states that were possible there.
  std::size_t failed = 0;
  std::vector<State> possible;
  std::int64_t quiescent = 0;
  std::vector<State> quiescent_states;
  std::size_t configurations = 0;  // visited in all
  std::size_t returns = 0;         // that were explained, at the most
};

[[nodiscard]] SearchResult search(Model& model,
                                  const SearchProblem& problem,
                                  const SearchLimits& limits);

}  // namespace sunder::checkers
