// Splits a history by key, for checkers that judge each object alone.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <vector>

#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

struct KeyOperations {
  history::Symbol key = 0;
  std::vector<std::uint32_t> operations;  // indices into History::operations(), ascending
};

// Keys in the order in which they are first used. With `part`, the parts of each key's object that
// it tells apart (the elements of a set, say) come one by one.
[[nodiscard]] std::vector<KeyOperations> split_by_key(
    const history::History& history,
    history::Value (*part)(const history::Operation& operation) = nullptr);

// Names the key in the sentence and puts a few neighbours of the core, for the picture.
void add_context(Counterexample& example,
                 const history::History& history,
                 const KeyOperations& operations);

}  // namespace sunder::checkers
