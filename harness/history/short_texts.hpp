// ShortTexts: the texts that a file repeats, as the functions of transactions and most keys are,
// each found by one look at one place, or at its neighbour.
//
// A text has two places, and the last two that came there are known; others are looked up in the
// pool. There are more places when many miss.
//
// Threading: one owner.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/history/eight_bytes.hpp"
#include "harness/history/value.hpp"

namespace sunder::history {

class ShortTexts {
 public:
  explicit ShortTexts(ValuePool& pool) : pool_(&pool), places_(kLeast) {}

  // As ValuePool::text. `text` is `content` packed, or kNotPacked.
  [[nodiscard]] Value text(PackedText text, std::string_view content) {
    if (text == kNotPacked) return pool_->text(content);
    const Value known = find(text);
    return known.is_none() ? remember(text, content) : known;
  }

  // None when the text was not given lately. Precondition: `text` is packed.
  [[nodiscard]] Value find(PackedText text) const noexcept {
    const std::size_t number = number_of(text);
    if (places_[number].text == text) return places_[number].value;
    if (places_[number ^ 1].text == text) return places_[number ^ 1].value;
    return {};
  }

 private:
  static constexpr std::size_t kLeast = 64;
  static constexpr std::size_t kMost = std::size_t{1} << 14;

  struct Place {
    PackedText text = kNotPacked;
    Value value;
  };

  [[nodiscard]] std::size_t number_of(PackedText text) const noexcept {
    const std::uint64_t hash = (text ^ (text >> 29)) * 0x9e37'79b9'7f4a'7c15ULL;
    return static_cast<std::size_t>(hash >> 40) & (places_.size() - 1);
  }

  [[nodiscard]] Value remember(PackedText text, std::string_view content) {
    if (++missed_ > 2 * places_.size() && places_.size() < kMost) {
      places_.assign(places_.size() * 4, Place());
      missed_ = 0;
    }
    const Value value = pool_->text(content);
    const std::size_t number = number_of(text);
    places_[number ^ 1] = places_[number];
    places_[number] = {text, value};
    return value;
  }

  ValuePool* pool_;
  std::vector<Place> places_;  // a power of two
  std::size_t missed_ = 0;
};

}  // namespace sunder::history
