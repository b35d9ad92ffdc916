// Value and ValuePool: what operations carry, in 12 bytes, compared without following a pointer.
//
// Text and lists are interned in the history's pool (lists by content: hash-consed), so two values
// of one pool are equal exactly when their bytes are. Symbols name keys, functions, nodes and
// errors the same way. Nothing is ever removed.
//
// The exception are the lists that transactions consist of, which nobody compares and which hardly
// repeat: they are recorded one behind the other, as they come. What their items hold is interned.
//
// A pool numbers its names and the places of its lists' items in 32 bits. What would go beyond
// throws std::length_error, as a standard container does that cannot grow: read_history() makes an
// error of it.
//
// `none` is "not known / not given" and differs from `nil`, the value of an absent key.
//
// Threading: a pool that nobody adds to may be read from any number of threads. Values must not
// outlive their pool. What a pool gave out stays where it is.

#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sunder::history {

enum class ValueKind : std::uint8_t { none, nil, boolean, integer, text, list };

class Value {
 public:
  constexpr Value() noexcept = default;

  static constexpr Value nil() noexcept { return {ValueKind::nil, 0}; }

  static constexpr Value boolean(bool value) noexcept {
    return {ValueKind::boolean, value ? 1 : 0};
  }

  static constexpr Value integer(std::int64_t value) noexcept {
    return {ValueKind::integer, value};
  }

  [[nodiscard]] constexpr ValueKind kind() const noexcept { return kind_; }

  [[nodiscard]] constexpr bool is_none() const noexcept { return kind_ == ValueKind::none; }

  [[nodiscard]] constexpr bool is_nil() const noexcept { return kind_ == ValueKind::nil; }

  [[nodiscard]] constexpr bool is_integer() const noexcept { return kind_ == ValueKind::integer; }

  [[nodiscard]] constexpr bool is_text() const noexcept { return kind_ == ValueKind::text; }

  [[nodiscard]] constexpr bool is_list() const noexcept { return kind_ == ValueKind::list; }

  // The integer, the boolean as 0 or 1, or the pool's id of a text or list.
  [[nodiscard]] constexpr std::int64_t raw() const noexcept {
    return std::bit_cast<std::int64_t>(raw_);
  }

  friend constexpr bool operator==(const Value& one, const Value& other) noexcept {
    return one.kind_ == other.kind_ && one.raw() == other.raw();
  }

  friend constexpr std::strong_ordering operator<=>(const Value& one, const Value& other) noexcept {
    if (one.kind_ != other.kind_) return one.kind_ <=> other.kind_;
    return one.raw() <=> other.raw();
  }

 private:
  friend class ValuePool;

  // Halves need no more than four bytes' alignment: a quarter of all memory would be padding.
  using Halves = std::array<std::uint32_t, 2>;

  constexpr Value(ValueKind kind, std::int64_t raw) noexcept
      : raw_(std::bit_cast<Halves>(raw)), kind_(kind) {}

  Halves raw_{};
  ValueKind kind_ = ValueKind::none;
};

static_assert(sizeof(Value) == 12);

struct ValueHash {
  [[nodiscard]] std::size_t operator()(const Value& value) const noexcept {
    std::uint64_t h = static_cast<std::uint64_t>(value.raw()) * 0x9e3779b97f4a7c15ULL;
    h ^= static_cast<std::uint64_t>(value.kind()) + 0x94d049bb133111ebULL + (h >> 29);
    return static_cast<std::size_t>(h * 0xbf58476d1ce4e5b9ULL);
  }
};

// An interned name: 0 is "none" (the empty text).
using Symbol = std::uint32_t;

// How much a pool may hold, for tests of what happens beyond: there is no other reason for less.
struct PoolLimits {
  std::uint32_t names_max = 0xffff'fffe;
  std::uint32_t lists_max = 0xffff'fffe;
  std::uint32_t items_max = 0xffff'fffe;  // of all lists together
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
  [[nodiscard]] Value record(std::span<const Value> items);

  // So many times as many lists as there are now are to be expected in all.
  void expect(double times);

  // Looking up without adding: 0 when the name was never interned.
  [[nodiscard]] Symbol find_symbol(std::string_view name) const noexcept;

  [[nodiscard]] std::string_view name(Symbol symbol) const noexcept;
  // Precondition: value.is_text().
  [[nodiscard]] std::string_view text_of(Value value) const noexcept;
  // Precondition: value.is_list(). Valid as long as the pool.
  [[nodiscard]] std::span<const Value> items_of(Value value) const noexcept;

  // As a reader writes it: nil, true, 7, "text", [1 nil].  none is "?".
  [[nodiscard]] std::string describe(Value value) const;

  // Bytes held, for the memory figures of the benchmarks.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  // Numbers by the hash of what they stand for: open addressing, at most three quarters full.
  class Index {
   public:
    struct Slot {
      std::uint32_t hash = 0;
      std::uint32_t id = kEmpty;
    };

    static constexpr std::uint32_t kEmpty = 0xffff'ffff;

    // The slot of the entry that has this hash and that `same` says yes to, or the empty one where
    // it belongs. Grows before that: the slot is good until the next call.
    template <typename Same>
    [[nodiscard]] Slot& find(std::uint32_t hash, const Same& same) {
      if ((size_ + 1) * 4 > slots_.size() * 3) grow();
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at].id != kEmpty && !(slots_[at].hash == hash && same(slots_[at].id))) {
        at = (at + 1) & (slots_.size() - 1);
      }
      return slots_[at];
    }

    template <typename Same>
    [[nodiscard]] std::uint32_t find_known(std::uint32_t hash, const Same& same) const noexcept {
      if (slots_.empty()) return kEmpty;
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at].id != kEmpty && !(slots_[at].hash == hash && same(slots_[at].id))) {
        at = (at + 1) & (slots_.size() - 1);
      }
      return slots_[at].id;
    }

    void put(Slot& slot, std::uint32_t hash, std::uint32_t id) noexcept {
      slot = {hash, id};
      ++size_;
    }

    [[nodiscard]] std::size_t memory() const noexcept { return slots_.capacity() * sizeof(Slot); }

   private:
    void grow();

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
  };

  static constexpr std::uint32_t kBlock = 1024;  // items

  [[nodiscard]] static std::uint32_t hash_items(std::span<const Value> items) noexcept;
  [[nodiscard]] static std::uint32_t hash_name(std::string_view name) noexcept;
  // A copy that stays where it is.
  [[nodiscard]] std::string_view keep(std::string_view name);

  // Adds a list behind the others; returns its number.
  std::uint32_t append(std::span<const Value> items);
  // Room for so many items that lie together; begins a new block where the last one is too full.
  void make_room(std::size_t items);
  void add_arena(std::size_t blocks);

  [[nodiscard]] std::span<const Value> items_at(std::size_t id) const noexcept {
    const std::uint32_t begin = list_ends_[id];
    const std::uint32_t end = list_ends_[id + 1];
    if (begin == end) return {};
    return {blocks_[begin / kBlock] + begin % kBlock, end - begin};
  }

  PoolLimits limits_;
  std::vector<std::string_view> names_;          // by symbol; views into chunks_
  std::vector<std::unique_ptr<char[]>> chunks_;  // never move, never shrink
  std::size_t chunk_left_ = 0;                   // free bytes at the end of the last chunk
  std::size_t chunk_size_ = 0;                   // of the last chunk
  std::size_t chunk_bytes_ = 0;                  // of all chunks
  Index symbols_;
  // Items are numbered through all blocks; a list of more than a block has several that lie
  // together. List i is [list_ends_[i], list_ends_[i + 1]); what was left of a block when the next
  // list did not fit is a list that nobody knows.
  std::vector<std::uint32_t> list_ends_;
  std::vector<Value*> blocks_;
  std::vector<std::unique_ptr<std::byte[]>> arenas_;  // blocks that lie together
  std::size_t arena_left_ = 0;   // blocks of the last one that are not used yet
  std::size_t arena_size_ = 0;   // bytes of the last one
  std::size_t arena_bytes_ = 0;  // of all
  Index list_ids_;
  std::vector<Index::Slot> recent_;  // short lists recorded lately, by their hashes
};

}  // namespace sunder::history
