#include "harness/history/large_integers.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace sunder::history {
namespace {

// Chunk c holds the numbers from 2^c - 1 on, 2^c of them: none ever moves.
struct Place {
  std::size_t chunk = 0;
  std::size_t offset = 0;
};

Place place_of(std::uint64_t number) noexcept {
  const auto chunk = static_cast<std::size_t>(std::bit_width(number + 1) - 1);
  return {chunk, static_cast<std::size_t>(number + 1 - (std::uint64_t{1} << chunk))};
}

class LargeIntegers {
 public:
  [[nodiscard]] std::uint64_t number_of(std::int64_t integer) {
    const std::scoped_lock lock(mutex_);
    const auto [known, added] = numbers_.try_emplace(integer, numbers_.size());
    if (!added) return known->second;
    const Place place = place_of(known->second);
    auto& chunk = chunks_.at(place.chunk);
    if (place.offset == 0) {
      chunk = std::make_unique_for_overwrite<std::int64_t[]>(std::size_t{1} << place.chunk);
    }
    chunk[place.offset] = integer;
    return known->second;
  }

  [[nodiscard]] std::int64_t at(std::uint64_t number) const noexcept {
    const Place place = place_of(number);
    return chunks_[place.chunk][place.offset];
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::int64_t, std::uint64_t> numbers_;
  std::array<std::unique_ptr<std::int64_t[]>, 60> chunks_;
};

LargeIntegers& all() {
  static LargeIntegers integers;
  return integers;
}

}  // namespace

std::uint64_t number_of_large(std::int64_t integer) {
  return all().number_of(integer);
}

std::int64_t large_integer(std::uint64_t number) noexcept {
  return all().at(number);
}

}  // namespace sunder::history
