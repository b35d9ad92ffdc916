// Instants: numbers the stamps that matter to a test 0, 1, 2, … in order of time; and sorting by
// stamps.
//
// Recorded histories are stamped with positions, so their stamps are dense: a bit for each possible
// one, and counts of the bits before, number them without sorting. Other stamps are sorted.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sunder::checkers {

// From one stamp to another, both included.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

class Instants {
 public:
  // Stamps from `low` to `high`, about so many of them.
  Instants(std::int64_t low, std::int64_t high, std::size_t expected) : low_(low), high_(high) {
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    if (range < 16 * static_cast<std::uint64_t>(expected) + 1024) bits_.resize(range / 64 + 1);
  }

  // Precondition: low ≤ stamp ≤ high, and number() was not called.
  void add(std::int64_t stamp) {
    if (bits_.empty()) {
      sorted_.push_back(stamp);
    } else {
      bits_[offset(stamp) / 64] |= std::uint64_t{1} << (offset(stamp) % 64);
    }
  }

  // After all were added.
  void number() {
    std::ranges::sort(sorted_);
    const auto same = std::ranges::unique(sorted_);
    sorted_.erase(same.begin(), same.end());
    size_ = static_cast<std::uint32_t>(sorted_.size());
    before_.reserve(bits_.size());
    for (const std::uint64_t word : bits_) {
      before_.push_back(size_);
      size_ += static_cast<std::uint32_t>(std::popcount(word));
    }
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  // How many instants lie before the stamp: its own number when it is one.
  [[nodiscard]] std::uint32_t rank(std::int64_t stamp) const {
    if (stamp <= low_) return 0;
    if (stamp > high_) return size_;
    if (bits_.empty()) {
      return static_cast<std::uint32_t>(std::ranges::lower_bound(sorted_, stamp) - sorted_.begin());
    }
    const std::uint64_t below = (std::uint64_t{1} << (offset(stamp) % 64)) - 1;
    const std::uint64_t word = bits_[offset(stamp) / 64] & below;
    return before_[offset(stamp) / 64] + static_cast<std::uint32_t>(std::popcount(word));
  }

  // How many lie before it or are it.
  [[nodiscard]] std::uint32_t rank_after(std::int64_t stamp) const {
    return stamp >= high_ ? size_ : rank(stamp + 1);
  }

 private:
  [[nodiscard]] std::uint64_t offset(std::int64_t stamp) const noexcept {
    return static_cast<std::uint64_t>(stamp) - static_cast<std::uint64_t>(low_);
  }

  std::int64_t low_;
  std::int64_t high_;
  std::uint32_t size_ = 0;
  std::vector<std::uint64_t> bits_;    // by stamp − low_; empty: the stamps are not dense
  std::vector<std::uint32_t> before_;  // how many bits before each word
  std::vector<std::int64_t> sorted_;
};

// When the item at a position ends.
struct End {
  std::int64_t stamp = 0;
  std::uint32_t position = 0;
  friend constexpr auto operator<=>(const End&, const End&) noexcept = default;
};

// Sorts by `stamp`, least first; equal ones keep their order. Linear when stamps are dense.
template <typename Item>
void sort_by_stamp(std::vector<Item>& items) {
  constexpr std::size_t kFew = 512;
  constexpr unsigned kDigit = 11;  // bits; a count of each value fits the fastest cache
  if (std::ranges::is_sorted(items, {}, &Item::stamp)) return;
  if (items.size() < kFew) {
    std::ranges::stable_sort(items, {}, &Item::stamp);
    return;
  }
  const auto [least, greatest] = std::ranges::minmax(items, {}, &Item::stamp);
  const auto key_of = [low = least.stamp](const Item& item) {
    return static_cast<std::uint64_t>(item.stamp) - static_cast<std::uint64_t>(low);
  };
  const auto bits = static_cast<unsigned>(std::bit_width(key_of(greatest)));
  std::vector<Item> other(items.size());
  for (unsigned shift = 0; shift < bits; shift += kDigit) {
    constexpr std::uint64_t kMask = (std::uint64_t{1} << kDigit) - 1;
    std::array<std::uint32_t, kMask + 1> next{};
    for (const Item& item : items) ++next[(key_of(item) >> shift) & kMask];
    std::uint32_t sum = 0;
    for (std::uint32_t& count : next) sum += std::exchange(count, sum);
    for (const Item& item : items) other[next[(key_of(item) >> shift) & kMask]++] = item;
    items.swap(other);
  }
}

}  // namespace sunder::checkers
