// Sets and maps as lists: those that are equal become equal lists, whatever order they are written
// in.
//
// Threading: one owner of the pool.

#pragma once

#include <vector>

#include "harness/history/value.hpp"

namespace sunder::history {

// The elements of a set; it sorts them.
[[nodiscard]] Value set_of(ValuePool& pool, std::vector<Value>& items);

// The [key value] of a map, in the order of its keys; it sorts them.
[[nodiscard]] Value map_of(ValuePool& pool, std::vector<Value>& pairs);

}  // namespace sunder::history
