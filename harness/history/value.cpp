#include "harness/history/value.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/large_pages.hpp"

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

static_assert(std::is_trivially_copyable_v<Value>);

[[noreturn]] void refuse_more(std::string_view what, std::uint32_t limit) {
  throw std::length_error(fmt::format("expected at most {} {} in a history", limit, what));
}

}  // namespace

template <typename Slot>
void ValuePool::Index<Slot>::grow() {
  constexpr std::size_t kLeast = 16;
  const std::size_t size = std::max(slots_.size() * 2, kLeast);
  const std::vector<Slot> old = std::exchange(slots_, {});
  slots_.reserve(size);
  base::use_large_pages(slots_);
  slots_.resize(size);
  for (const Slot& slot : old) {
    if (slot.id == kEmpty) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].id != kEmpty) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

ValuePool::ValuePool(const PoolLimits& limits) : limits_(limits) {
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
  const auto same = [&](const NameSlot& known) { return names_[known.id] == name; };
  NameSlot& slot = symbols_.find(hash, same);
  if (slot.id != kEmpty) return slot.id;
  if (names_.size() >= limits_.names_max) refuse_more("names", limits_.names_max);
  const auto id = static_cast<Symbol>(names_.size());
  names_.push_back(keep(name));
  symbols_.put(slot, {hash, id});
  return id;
}

Symbol ValuePool::find_symbol(std::string_view name) const noexcept {
  const auto same = [&](const NameSlot& known) { return names_[known.id] == name; };
  const NameSlot found = symbols_.find_known(hash_name(name), same);
  return found.id == kEmpty ? 0 : found.id;
}

Value ValuePool::text(std::string_view content) {
  return {ValueKind::text, symbol(content)};
}

// Two hashes side by side: a processor does not wait for the one to go on with the other.
std::uint32_t ValuePool::hash_items(std::span<const Value> items) noexcept {
  std::uint64_t even = kOdd + items.size();
  std::uint64_t odd = kOther;
  std::size_t i = 0;
  for (; i + 1 < items.size(); i += 2) {
    even = mix(even ^ items[i].word_, kOther);
    odd = mix(odd ^ items[i + 1].word_, kOdd);
  }
  if (i < items.size()) even = mix(even ^ items[i].word_, kOther);
  const std::uint64_t hash = mix(even, odd);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

Value ValuePool::list(std::span<const Value> items) {
  constexpr std::size_t kRecent = std::size_t{1} << 11;  // they stay in a processor's cache
  const std::uint32_t hash = hash_items(items);
  const auto same = [&](const ListSlot& known) {
    return std::ranges::equal(items_at(known.id, known.size), items);
  };
  if (recent_.empty()) recent_.resize(kRecent);
  ListSlot& recent = recent_[hash % kRecent];
  if (recent.hash != hash || recent.id == kEmpty || !same(recent)) {
    ListSlot& slot = lists_.find(hash, same);
    if (slot.id == kEmpty) {
      lists_.put(slot, {hash, append(items), static_cast<std::uint32_t>(items.size())});
    }
    recent = slot;
  }
  return list_at(recent.id, items.size());
}

void ValuePool::refuse(std::size_t items) const {
  if (items > limits_.list_max) refuse_more("items in a list", limits_.list_max);
  refuse_more("items of lists", limits_.items_max);
}

void ValuePool::make_room(std::size_t items) {
  const auto blocks_for = [](std::size_t count) { return (count + kBlock - 1) / kBlock; };
  const std::size_t room = blocks_.size() * kBlock - next_item_;
  if (items > limits_.items_max - next_item_) refuse(items);
  std::size_t count = blocks_for(items - room);  // of the same arena: they follow the last one
  if (count > arena_left_) {
    if (room > limits_.items_max - next_item_ - items) refuse(items);
    next_item_ += static_cast<std::uint32_t>(room);
    count = blocks_for(items);
    add_arena(count);
  }
  for (std::size_t i = 0; i < count; ++i, --arena_left_) {
    // Bytes that Values may be copied to: they need no constructor.
    std::byte* block = arenas_.back().get() + arena_size_ - arena_left_ * kBlock * sizeof(Value);
    blocks_.push_back(reinterpret_cast<Value*>(block));
  }
}

void ValuePool::add_arena(std::size_t blocks) {
  constexpr std::size_t kShare = 16;        // of what there is, to grow by
  constexpr std::size_t kArena_max = 1024;  // 8 MB
  arena_left_ = std::max(blocks, std::min(blocks_.size() / kShare, kArena_max));
  arena_size_ = arena_left_ * kBlock * sizeof(Value);
  arenas_.push_back(std::make_unique_for_overwrite<std::byte[]>(arena_size_));
  base::use_large_pages(arenas_.back().get(), arena_size_);
  arena_bytes_ += arena_size_;
}

std::string_view ValuePool::name(Symbol symbol) const noexcept {
  SUNDER_ASSERT(symbol < names_.size());
  return names_[symbol];
}

std::string_view ValuePool::text_of(Value value) const noexcept {
  SUNDER_ASSERT(value.is_text());
  return name(static_cast<Symbol>(value.raw()));
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
         arena_bytes_ + blocks_.capacity() * sizeof(Value*) + lists_.memory() +
         recent_.capacity() * sizeof(ListSlot);
}

}  // namespace sunder::history
