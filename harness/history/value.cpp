#include "harness/history/value.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::history {

namespace {

constexpr std::size_t kChunkFirst = 4096;
constexpr std::size_t kChunkLast = std::size_t{1} << 20;

// A multiplication folded onto itself: every bit of both numbers reaches every bit of the result.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t kOther = 0xbf58476d1ce4e5b9ULL;

}  // namespace

void ValuePool::Index::grow() {
  constexpr std::size_t kLeast = 16;
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(std::max(slots_.size() * 2, kLeast)));
  for (const Slot& slot : old) {
    if (slot.id == kEmpty) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].id != kEmpty) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

ValuePool::ValuePool() : list_ends_{0} {
  const Symbol none = symbol({});
  SUNDER_ASSERT(none == 0);
}

std::uint32_t ValuePool::hash_name(std::string_view name) noexcept {
  std::uint64_t hash = kOdd ^ name.size();
  while (name.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data(), 8);
    hash = mix(hash ^ word, kOther);
    name.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  if (!name.empty()) std::memcpy(&rest, name.data(), name.size());
  hash = mix(hash ^ rest, kOther);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::string_view ValuePool::keep(std::string_view name) {
  if (name.size() > chunk_left_) {
    const std::size_t wanted = std::clamp(chunk_size_ * 2, kChunkFirst, kChunkLast);
    chunk_size_ = std::max(wanted, name.size());
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_size_));
    chunk_left_ = chunk_size_;
    chunk_bytes_ += chunk_size_;
  }
  char* place = chunks_.empty() ? nullptr : chunks_.back().get() + (chunk_size_ - chunk_left_);
  std::ranges::copy(name, place);
  chunk_left_ -= name.size();
  return {place, name.size()};
}

Symbol ValuePool::symbol(std::string_view name) {
  const std::uint32_t hash = hash_name(name);
  Index::Slot& slot = symbols_.find(hash, [&](std::uint32_t id) { return names_[id] == name; });
  if (slot.id != Index::kEmpty) return slot.id;
  const auto id = static_cast<Symbol>(names_.size());
  names_.push_back(keep(name));
  symbols_.put(slot, hash, id);
  return id;
}

Symbol ValuePool::find_symbol(std::string_view name) const noexcept {
  const std::uint32_t id = symbols_.find_known(
      hash_name(name), [&](std::uint32_t known) { return names_[known] == name; });
  return id == Index::kEmpty ? 0 : id;
}

Value ValuePool::text(std::string_view content) {
  return {ValueKind::text, static_cast<std::int64_t>(symbol(content))};
}

std::uint32_t ValuePool::hash_items(std::span<const Value> items) noexcept {
  std::uint64_t hash = kOdd + items.size();
  for (const Value item : items) {
    const auto kind = static_cast<std::uint64_t>(item.kind());
    hash = mix(hash ^ static_cast<std::uint64_t>(item.raw()), kOther + kind);
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

Value ValuePool::list(std::span<const Value> items) {
  const std::uint32_t hash = hash_items(items);
  const auto same = [&](std::uint32_t id) { return std::ranges::equal(items_at(id), items); };
  Index::Slot& slot = list_ids_.find(hash, same);
  if (slot.id != Index::kEmpty) return {ValueKind::list, slot.id};
  const auto id = static_cast<std::uint32_t>(list_ends_.size() - 1);
  const bool inside = !items_.empty() && std::less_equal<>{}(items_.data(), items.data()) &&
                      std::less<>{}(items.data(), items_.data() + items_.size());
  if (inside) {
    // Growing would move them away.
    const std::vector<Value> copy(items.begin(), items.end());
    items_.insert(items_.end(), copy.begin(), copy.end());
  } else {
    items_.insert(items_.end(), items.begin(), items.end());
  }
  list_ends_.push_back(items_.size());
  list_ids_.put(slot, hash, id);
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
  return items_at(static_cast<std::size_t>(value.raw()));
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
  return names_.capacity() * sizeof(std::string_view) + chunk_bytes_ + symbols_.memory() +
         items_.capacity() * sizeof(Value) + list_ends_.capacity() * sizeof(std::uint64_t) +
         list_ids_.memory();
}

}  // namespace sunder::history
