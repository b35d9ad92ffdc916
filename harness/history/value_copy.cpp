#include "harness/history/value_copy.hpp"

#include <vector>

namespace sunder::history {

Value copy_value(ValuePool& pool, const ValuePool& from, Value value) {
  if (value.is_text()) return pool.text(from.text_of(value));
  if (!value.is_list()) return value;
  std::vector<Value> items;
  for (const Value item : from.items_of(value)) items.push_back(copy_value(pool, from, item));
  return pool.list(items);
}

}  // namespace sunder::history
