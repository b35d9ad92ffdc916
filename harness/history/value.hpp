// Value and ValuePool: what operations carry, in eight bytes, compared without following a pointer.
//
// Text and lists are interned in the history's pool (lists by content: hash-consed), so two values
// of one pool are equal exactly when their bytes are. Symbols name keys, functions, nodes and
// errors the same way. Nothing is ever removed.
//
// The exception are the lists that transactions consist of, which nobody compares and which hardly
// repeat: they are recorded one behind the other, as they come. What their items hold is interned.
// Whoever builds a history may replace the items of these.
//
// A pool numbers its names and the places of its lists' items in 32 bits; a list is the place of
// its first item and their count. What would go beyond throws std::length_error, as a standard
// container does that cannot grow: read_history() makes an error of it.
//
// `none` is "not known / not given" and differs from `nil`, the value of an absent key.
//
// Threading: a pool that nobody adds to may be read from any number of threads. Values must not
// outlive their pool. What a pool gave out stays where it is.

#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/assert.hpp"
#include "harness/history/large_integers.hpp"

namespace sunder::history {

enum class ValueKind : std::uint8_t { none, nil, boolean, integer, text, list };

class Value {
 public:
  constexpr Value() noexcept = default;

  static constexpr Value nil() noexcept { return {ValueKind::nil, 0}; }

  static constexpr Value boolean(bool value) noexcept {
    return {ValueKind::boolean, value ? 1U : 0U};
  }

  static constexpr Value integer(std::int64_t value) {
    const auto word = static_cast<std::uint64_t>(value) << 1;
    if (static_cast<std::int64_t>(word) >> 1 == value) return Value(word | 1);
    return {ValueKind::integer, number_of_large(value)};
  }

  [[nodiscard]] constexpr ValueKind kind() const noexcept {
    return (word_ & 1) != 0 ? ValueKind::integer : static_cast<ValueKind>(word_ >> 1 & 7);
  }

  [[nodiscard]] constexpr bool is_none() const noexcept { return word_ == 0; }

  [[nodiscard]] constexpr bool is_nil() const noexcept { return kind() == ValueKind::nil; }

  [[nodiscard]] constexpr bool is_integer() const noexcept { return kind() == ValueKind::integer; }

  [[nodiscard]] constexpr bool is_text() const noexcept { return kind() == ValueKind::text; }

  [[nodiscard]] constexpr bool is_list() const noexcept { return kind() == ValueKind::list; }

  // The integer, the boolean as 0 or 1, or the pool's id of a text or list.
  [[nodiscard]] constexpr std::int64_t raw() const noexcept {
    if ((word_ & 1) != 0) return static_cast<std::int64_t>(word_) >> 1;
    if (is_integer()) return large_integer(content());
    return static_cast<std::int64_t>(content());
  }

  friend constexpr bool operator==(const Value& one, const Value& other) noexcept = default;

  friend constexpr std::strong_ordering operator<=>(const Value& one, const Value& other) noexcept {
    if (one.kind() != other.kind()) return one.kind() <=> other.kind();
    return one.raw() <=> other.raw();
  }

 private:
  friend class ValuePool;
  friend struct ValueHash;

  constexpr explicit Value(std::uint64_t word) noexcept : word_(word) {}

  constexpr Value(ValueKind kind, std::uint64_t content) noexcept
      : word_(content << 4 | static_cast<std::uint64_t>(kind) << 1) {}

  [[nodiscard]] constexpr std::uint64_t content() const noexcept { return word_ >> 4; }

  // The lowest bit: an integer of 63 bits in the others. Else three bits of kind, and 60 of
  // content: nothing, a boolean, an id, or the number of a large integer.
  std::uint64_t word_ = 0;
};

static_assert(sizeof(Value) == 8 && static_cast<int>(ValueKind::none) == 0);

struct ValueHash {
  [[nodiscard]] std::size_t operator()(const Value& value) const noexcept {
    std::uint64_t h = value.word_ * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
    return static_cast<std::size_t>(h * 0xbf58476d1ce4e5b9ULL);
  }
};

// An interned name: 0 is "none" (the empty text).
using Symbol = std::uint32_t;

// How much a pool may hold, for tests of what happens beyond: there is no other reason for less.
struct PoolLimits {
  std::uint32_t names_max = 0xffff'fffe;
  std::uint32_t items_max = 0xffff'fffe;  // of all lists together
  std::uint32_t list_max = 0x07ff'ffff;   // items of one list
};

class ValuePool {
 public:
  explicit ValuePool(const PoolLimits& limits = {});
  // Names are looked up by views into the pool itself: it moves, and is never copied.
  ValuePool(ValuePool&&) = default;
  ValuePool& operator=(ValuePool&&) = default;
  ValuePool(const ValuePool&) = delete;
  ValuePool& operator=(const ValuePool&) = delete;
  ~ValuePool() = default;

  // Interning; the views given need not outlive the call.
  [[nodiscard]] Symbol symbol(std::string_view name);
  [[nodiscard]] Value text(std::string_view content);
  [[nodiscard]] Value list(std::span<const Value> items);

  [[nodiscard]] Value list(std::initializer_list<Value> items) {
    return list(std::span<const Value>(items.begin(), items.size()));
  }

  // A list that a transaction is, or that one of its items is: not comparable with others, cheap.
  [[nodiscard]] Value record(std::span<const Value> items) {
    return list_at(append(items), items.size(), kRecorded);
  }

  // Whether record() returned it.
  [[nodiscard]] static constexpr bool is_recorded(Value value) noexcept {
    return value.is_list() && (value.content() & kRecorded) != 0;
  }

  // Preconditions: is_recorded(list), which has an item with this number. Not while others read.
  void replace_item(Value list, std::size_t number, Value item) noexcept {
    SUNDER_ASSERT(is_recorded(list) && number < items_of(list).size());
    item_at(static_cast<std::uint32_t>(list.content()))[number] = item;
  }

  // Looking up without adding: 0 when the name was never interned.
  [[nodiscard]] Symbol find_symbol(std::string_view name) const noexcept;

  [[nodiscard]] std::string_view name(Symbol symbol) const noexcept;
  // Precondition: value.is_text().
  [[nodiscard]] std::string_view text_of(Value value) const noexcept;

  // Precondition: value.is_list(). Valid as long as the pool.
  [[nodiscard]] std::span<const Value> items_of(Value value) const noexcept {
    SUNDER_ASSERT(value.is_list());
    return items_at(static_cast<std::uint32_t>(value.content()),
                    (value.content() & ~kRecorded) >> 32);
  }

  // As a reader writes it: nil, true, 7, "text", [1 nil].  none is "?".
  [[nodiscard]] std::string describe(Value value) const;

  // Bytes held, for the memory figures of the benchmarks.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  static constexpr std::uint32_t kEmpty = 0xffff'ffff;
  // Of a list's content: 32 bits are its place, 27 the number of its items.
  static constexpr std::uint64_t kRecorded = std::uint64_t{1} << 59;

  struct NameSlot {
    std::uint32_t hash = 0;
    std::uint32_t id = kEmpty;
  };

  struct ListSlot {
    std::uint32_t hash = 0;
    std::uint32_t id = kEmpty;  // the place of the first item
    std::uint32_t size = 0;
  };

  // Slots by the hash of what they stand for: open addressing, at most three quarters full.
  template <typename Slot>
  class Index {
   public:
    // The slot of the entry that has this hash and that `same` says yes to, or the empty one where
    // it belongs. Grows before that: the slot is good until the next call.
    template <typename Same>
    [[nodiscard]] Slot& find(std::uint32_t hash, const Same& same) {
      if ((size_ + 1) * 4 > slots_.size() * 3) grow();
      return slots_[place_of(hash, same)];
    }

    // An empty slot when there is none.
    template <typename Same>
    [[nodiscard]] Slot find_known(std::uint32_t hash, const Same& same) const noexcept {
      return slots_.empty() ? Slot() : slots_[place_of(hash, same)];
    }

    // `slot` is what find() returned.
    void put(Slot& slot, const Slot& entry) noexcept {
      slot = entry;
      ++size_;
    }

    [[nodiscard]] std::size_t memory() const noexcept { return slots_.capacity() * sizeof(Slot); }

   private:
    template <typename Same>
    [[nodiscard]] std::size_t place_of(std::uint32_t hash, const Same& same) const noexcept {
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at].id != kEmpty && !(slots_[at].hash == hash && same(slots_[at]))) {
        at = (at + 1) & (slots_.size() - 1);
      }
      return at;
    }

    void grow();

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
  };

  static constexpr std::uint32_t kBlock = 1024;  // items

  [[nodiscard]] static std::uint32_t hash_items(std::span<const Value> items) noexcept;
  [[nodiscard]] static std::uint32_t hash_name(std::string_view name) noexcept;
  // A copy that stays where it is.
  [[nodiscard]] std::string_view keep(std::string_view name);

  // Adds items behind the others; returns the place of the first.
  std::uint32_t append(std::span<const Value> items) {
    if (items.size() > blocks_.size() * kBlock - next_item_) make_room(items.size());
    const std::uint32_t begin = next_item_;
    // The last block may reach beyond what can be numbered.
    if (items.size() > std::min(limits_.items_max - begin, limits_.list_max)) refuse(items.size());
    Value* const place = items.empty() ? nullptr : item_at(begin);
    for (std::size_t i = 0; i < items.size(); ++i) place[i] = items[i];
    next_item_ += static_cast<std::uint32_t>(items.size());
    return begin;
  }

  // Room for so many items that lie together: blocks of one arena do, else a new one is begun.
  void make_room(std::size_t items);
  void add_arena(std::size_t blocks);
  [[noreturn]] void refuse(std::size_t items) const;

  [[nodiscard]] std::span<const Value> items_at(std::uint32_t begin,
                                                std::size_t size) const noexcept {
    if (size == 0) return {};
    return {item_at(begin), size};
  }

  // Precondition: there is one at that place.
  [[nodiscard]] Value* item_at(std::uint32_t place) const noexcept {
    return blocks_[place / kBlock] + place % kBlock;
  }

  // `recorded`: 0 or kRecorded.
  static constexpr Value list_at(std::uint32_t begin,
                                 std::size_t size,
                                 std::uint64_t recorded = 0) noexcept {
    return {ValueKind::list, recorded | std::uint64_t{size} << 32 | begin};
  }

  PoolLimits limits_;
  std::vector<std::string_view> names_;          // by symbol; views into chunks_
  std::vector<std::unique_ptr<char[]>> chunks_;  // never move, never shrink
  std::size_t chunk_left_ = 0;                   // free bytes at the end of the last chunk
  std::size_t chunk_size_ = 0;                   // of the last chunk
  std::size_t chunk_bytes_ = 0;                  // of all chunks
  Index<NameSlot> symbols_;
  // Items are numbered through all blocks; a list of more than a block has several that lie
  // together. What was left of an arena when the next list did not fit is unused.
  std::uint32_t next_item_ = 0;
  std::vector<Value*> blocks_;
  std::vector<std::unique_ptr<std::byte[]>> arenas_;  // blocks that lie together
  std::size_t arena_left_ = 0;   // blocks of the last one that are not used yet
  std::size_t arena_size_ = 0;   // bytes of the last one
  std::size_t arena_bytes_ = 0;  // of all
  Index<ListSlot> lists_;
  std::vector<ListSlot> recent_;  // of lists_, by their hashes: what is asked for again soon
};

}  // namespace sunder::history
