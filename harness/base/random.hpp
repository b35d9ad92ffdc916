// Random: the only source of chance in sunder, seeded, the same on every machine.
//
// xoshiro256** (Blackman & Vigna, 2018) seeded by splitmix64. Nothing from <random>'s
// distributions, whose results differ between standard libraries. fork("nemesis") gives an
// independent stream that does not depend on how much was drawn before, so that adding a draw in
// one part does not change another part's choices.
//
// Threading: one owner; not shared between threads.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sunder::base {

// One step of splitmix64: advances `state` and returns the next value. CHECKERS.md §4 builds its
// histories on it.
[[nodiscard]] std::uint64_t splitmix64(std::uint64_t& state) noexcept;

// FNV-1a, 64 bits; stable across machines and runs.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text) noexcept;

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;

  // A stream of its own for one purpose, derived from the seed and the name alone.
  [[nodiscard]] Random fork(std::string_view name) const noexcept;
  [[nodiscard]] Random fork(std::string_view name, std::uint64_t index) const noexcept;

  [[nodiscard]] std::uint64_t next() noexcept;
  // Uniform in [0, bound). bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;
  // Uniform in [low, high], both included.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) noexcept;
  // Uniform in [0, 1).
  [[nodiscard]] double unit() noexcept;
  // True with probability p.
  [[nodiscard]] bool chance(double p) noexcept;
  // Exponentially distributed with the given mean: the gaps of a Poisson process.
  [[nodiscard]] double exponential(double mean) noexcept;
  // Index drawn by weight; weights must have a positive sum.
  [[nodiscard]] std::size_t weighted(std::span<const double> weights) noexcept;

  template <typename T>
  [[nodiscard]] const T& pick(const std::vector<T>& items) noexcept {
    return items[static_cast<std::size_t>(below(items.size()))];
  }

  template <typename T>
  void shuffle(std::vector<T>& items) noexcept {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

 private:
  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_;
};

}  // namespace sunder::base
