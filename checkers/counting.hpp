// What the operations of counters and of fetch-and-add say, for their model and their closed forms.
//
// Pure functions of one operation.

#pragma once

#include <cstdint>
#include <optional>

#include "harness/history/operation.hpp"

namespace sunder::checkers {

struct Addition {
  std::int64_t delta = 0;
  std::optional<std::int64_t> found;  // the sum before it, when it was told
};

// a + b, or a − b; sums wrap around as machines' do.
[[nodiscard]] constexpr std::int64_t plus(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

[[nodiscard]] constexpr std::int64_t minus(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

// Nothing: it is a read, or it did not happen, or nobody can say by how much.
[[nodiscard]] std::optional<Addition> addition_of(const history::Operation& operation) noexcept;

// What a read saw; nothing when it is no read or tells nothing.
[[nodiscard]] std::optional<std::int64_t> sum_seen(const history::Operation& operation) noexcept;

}  // namespace sunder::checkers
