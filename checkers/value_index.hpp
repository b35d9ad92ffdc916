// ValueIndex: numbers the different values of an object 0, 1, 2, … in the order in which they are
// first met.
//
// An open hash table of 4-byte entries, made once for the most values that can come: it never
// grows and is at most half full. Values that follow each other share a cache line, as most
// histories count theirs.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/base/assert.hpp"
#include "harness/base/large_pages.hpp"
#include "harness/history/value.hpp"

namespace sunder::checkers {

class ValueIndex {
 public:
  static constexpr std::uint32_t kMissing = 0xffffffff;

  explicit ValueIndex(std::size_t values_max) {
    const std::size_t entries = std::bit_ceil(2 * values_max + kLine);
    table_.reserve(entries);
    base::use_large_pages(table_);
    table_.assign(entries, kMissing);
  }

  // The value's number; a new one when it has none.
  std::uint32_t number(history::Value value) {
    std::uint32_t& entry = table_[place_of(value)];
    if (entry == kMissing) {
      SUNDER_ASSERT(2 * values_.size() < table_.size());
      entry = static_cast<std::uint32_t>(values_.size());
      values_.push_back(value);
    }
    return entry;
  }

  // kMissing: no such value.
  [[nodiscard]] std::uint32_t find(history::Value value) const noexcept {
    return table_[place_of(value)];
  }

  [[nodiscard]] history::Value value(std::uint32_t number) const { return values_[number]; }

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

 private:
  static constexpr std::size_t kLine = 16;  // entries

  // Where the value is, or belongs.
  [[nodiscard]] std::size_t place_of(history::Value value) const noexcept {
    const auto raw = static_cast<std::uint64_t>(value.raw());
    std::uint64_t line = (raw / kLine + static_cast<std::uint64_t>(value.kind())) *
                         std::uint64_t{0x9e3779b97f4a7c15};
    line = (line ^ (line >> 32U)) * std::uint64_t{0xbf58476d1ce4e5b9};
    std::size_t place = ((line >> 20U) * kLine + raw % kLine) & (table_.size() - 1);
    while (table_[place] != kMissing && values_[table_[place]] != value) {
      place = (place + 1) & (table_.size() - 1);
    }
    return place;
  }

  std::vector<std::uint32_t> table_;
  std::vector<history::Value> values_;
};

}  // namespace sunder::checkers
