// Writes: which micro-operation wrote or appended a value to a key.
//
// An open hash table of 4-byte entries into the transactions, at most half full.
//
// Threading: one owner.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "checkers/elle/transactions.hpp"

namespace sunder::checkers::elle {

// "No transaction", "no micro-operation".
constexpr std::uint32_t kNone = 0xffffffff;

class Writes {
 public:
  // Room for all micro-operations of that kind.
  Writes(const Transactions& transactions, MicroKind kind) : transactions_(&transactions) {
    const auto count = static_cast<std::size_t>(
        std::ranges::count(transactions.micro, kind, &MicroOperation::kind));
    table_.assign(std::bit_ceil(2 * count + 2), kNone);
  }

  // The entry of that value: a micro-operation, or kNone, to be replaced by the first one.
  [[nodiscard]] std::uint32_t& at(std::uint32_t key, history::Value value) {
    std::size_t place = hash(key, value) & (table_.size() - 1);
    while (table_[place] != kNone) {
      const MicroOperation& micro = transactions_->micro[table_[place]];
      if (micro.key == key && micro.value == value) break;
      place = (place + 1) & (table_.size() - 1);
    }
    return table_[place];
  }

 private:
  [[nodiscard]] static std::size_t hash(std::uint32_t key, history::Value value) noexcept {
    std::uint64_t h = history::ValueHash{}(value) + key * 0x9e3779b97f4a7c15ULL;
    h = (h ^ (h >> 32)) * 0xbf58476d1ce4e5b9ULL;
    return static_cast<std::size_t>(h ^ (h >> 29));
  }

  const Transactions* transactions_;
  std::vector<std::uint32_t> table_;
};

}  // namespace sunder::checkers::elle
