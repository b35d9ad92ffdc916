#include "harness/history/value.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::history {

ValuePool::ValuePool() {
  names_.emplace_back();
  symbols_.emplace(names_.back(), 0);
}

Symbol ValuePool::symbol(std::string_view name) {
  if (const auto found = symbols_.find(name); found != symbols_.end()) return found->second;
  const auto id = static_cast<Symbol>(names_.size());
  names_.emplace_back(name);
  symbols_.emplace(names_.back(), id);
  return id;
}

Symbol ValuePool::find_symbol(std::string_view name) const noexcept {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? 0 : found->second;
}

Value ValuePool::text(std::string_view content) {
  return {ValueKind::text, static_cast<std::int64_t>(symbol(content))};
}

std::uint64_t ValuePool::hash_items(std::span<const Value> items) noexcept {
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL + items.size();
  for (const Value item : items) {
    hash = (hash ^ ValueHash{}(item)) * 0x100000001b3ULL;
    hash ^= hash >> 31;
  }
  return hash;
}

Value ValuePool::list(std::span<const Value> items) {
  const std::uint64_t hash = hash_items(items);
  const auto [first, last] = list_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Value known(ValueKind::list, it->second);
    if (std::ranges::equal(items_of(known), items)) return known;
  }
  const auto id = static_cast<std::uint32_t>(lists_.size());
  lists_.push_back({items_.size(), static_cast<std::uint32_t>(items.size())});
  // `items` may lie inside items_ itself: copy before growing.
  const std::vector<Value> copy(items.begin(), items.end());
  items_.insert(items_.end(), copy.begin(), copy.end());
  list_ids_.emplace(hash, id);
  return {ValueKind::list, id};
}

std::string_view ValuePool::name(Symbol symbol) const noexcept {
  SUNDER_ASSERT(symbol < names_.size());
  return names_[symbol];
}

std::string_view ValuePool::text_of(Value value) const noexcept {
  SUNDER_ASSERT(value.is_text());
  return name(static_cast<Symbol>(value.raw()));
}

std::span<const Value> ValuePool::items_of(Value value) const noexcept {
  SUNDER_ASSERT(value.is_list());
  const ListSpan& span = lists_[static_cast<std::size_t>(value.raw())];
  return {items_.data() + span.offset, span.size};
}

std::string ValuePool::describe(Value value) const {
  switch (value.kind()) {
    case ValueKind::none:
      return "?";
    case ValueKind::nil:
      return "nil";
    case ValueKind::boolean:
      return value.raw() != 0 ? "true" : "false";
    case ValueKind::integer:
      return fmt::format("{}", value.raw());
    case ValueKind::text:
      return fmt::format("\"{}\"", text_of(value));
    case ValueKind::list:
      break;
  }
  std::string text = "[";
  for (const Value item : items_of(value)) {
    if (text.size() > 1) text += ' ';
    text += describe(item);
  }
  return text + "]";
}

std::size_t ValuePool::memory() const noexcept {
  std::size_t bytes = items_.capacity() * sizeof(Value) + lists_.capacity() * sizeof(ListSpan);
  constexpr std::size_t kHashNode = 48;  // node and bucket of libstdc++'s unordered containers
  for (const std::string& name : names_)
    bytes += sizeof name + kHashNode + (name.size() > 15 ? name.size() : 0);
  return bytes + list_ids_.size() * kHashNode;
}

}  // namespace sunder::history
