#include "harness/history/unordered.hpp"

#include <algorithm>

namespace sunder::history {

// Any order will do that depends on the values alone. Equal values of a pool have equal numbers;
// those of texts and lists say in which order the pool met them.

Value set_of(ValuePool& pool, std::vector<Value>& items) {
  if (!std::ranges::is_sorted(items)) std::ranges::sort(items);
  return pool.list(items);
}

Value map_of(ValuePool& pool, std::vector<Value>& pairs) {
  const auto before = [&pool](Value a, Value b) {
    const Value a_key = pool.items_of(a).front();
    const Value b_key = pool.items_of(b).front();
    return a_key != b_key ? a_key < b_key : a < b;
  };
  if (!std::ranges::is_sorted(pairs, before)) std::ranges::sort(pairs, before);
  return pool.list(pairs);
}

}  // namespace sunder::history
