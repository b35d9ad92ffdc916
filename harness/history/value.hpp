// Value and ValuePool: what operations carry, in 16 bytes, compared without following a pointer.
//
// Text and lists are interned in the history's pool (lists by content: hash-consed), so two values
// of one pool are equal exactly when their 16 bytes are. Symbols name keys, functions, nodes and
// errors the same way. Nothing is ever removed.
//
// `none` is "not known / not given" and differs from `nil`, the value of an absent key.
//
// Threading: a pool that nobody adds to may be read from any number of threads. Values must not
// outlive their pool.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
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
  [[nodiscard]] constexpr std::int64_t raw() const noexcept { return raw_; }

  friend constexpr bool operator==(const Value&, const Value&) noexcept = default;
  friend constexpr auto operator<=>(const Value&, const Value&) noexcept = default;

 private:
  friend class ValuePool;

  constexpr Value(ValueKind kind, std::int64_t raw) noexcept : kind_(kind), raw_(raw) {}

  ValueKind kind_ = ValueKind::none;
  std::int64_t raw_ = 0;
};

static_assert(sizeof(Value) == 16);

struct ValueHash {
  [[nodiscard]] std::size_t operator()(const Value& value) const noexcept {
    std::uint64_t h = static_cast<std::uint64_t>(value.raw()) * 0x9e3779b97f4a7c15ULL;
    h ^= static_cast<std::uint64_t>(value.kind()) + 0x94d049bb133111ebULL + (h >> 29);
    return static_cast<std::size_t>(h * 0xbf58476d1ce4e5b9ULL);
  }
};

// An interned name: 0 is "none" (the empty text).
using Symbol = std::uint32_t;

class ValuePool {
 public:
  ValuePool();
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

  // Looking up without adding: 0 when the name was never interned.
  [[nodiscard]] Symbol find_symbol(std::string_view name) const noexcept;

  [[nodiscard]] std::string_view name(Symbol symbol) const noexcept;
  // Precondition: value.is_text().
  [[nodiscard]] std::string_view text_of(Value value) const noexcept;
  // Precondition: value.is_list(). Valid until the next list() call.
  [[nodiscard]] std::span<const Value> items_of(Value value) const noexcept;

  // As a reader writes it: nil, true, 7, "text", [1 nil].  none is "?".
  [[nodiscard]] std::string describe(Value value) const;

  // Bytes held, for the memory figures of the benchmarks.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  struct ListSpan {
    std::uint64_t offset;
    std::uint32_t size;
  };

  [[nodiscard]] static std::uint64_t hash_items(std::span<const Value> items) noexcept;

  std::deque<std::string> names_;  // a deque: views into it stay valid
  std::unordered_map<std::string_view, Symbol> symbols_;
  std::vector<ListSpan> lists_;
  std::vector<Value> items_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> list_ids_;
};

}  // namespace sunder::history
