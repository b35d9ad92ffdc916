#include "harness/base/random.hpp"

#include <bit>
#include <cmath>

#include "harness/base/assert.hpp"

namespace sunder::base {

std::uint64_t splitmix64(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t stable_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

Random::Random(std::uint64_t seed) noexcept : seed_(seed), state_{} {
  std::uint64_t mixer = seed;
  for (std::uint64_t& word : state_) word = splitmix64(mixer);
}

Random Random::fork(std::string_view name) const noexcept {
  return fork(name, 0);
}

Random Random::fork(std::string_view name, std::uint64_t index) const noexcept {
  std::uint64_t mixer = seed_ ^ stable_hash(name);
  const std::uint64_t first = splitmix64(mixer);
  mixer ^= index * 0x9e3779b97f4a7c15ULL;
  return Random(first ^ splitmix64(mixer));
}

std::uint64_t Random::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) noexcept {
  SUNDER_ASSERT(bound > 0);
  // Lemire's method with rejection: exactly uniform.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(next()) * bound;
    if (static_cast<std::uint64_t>(product) >= threshold) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

std::int64_t Random::between(std::int64_t low, std::int64_t high) noexcept {
  SUNDER_ASSERT(low <= high);
  const std::uint64_t width =
      static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + below(width));
}

double Random::unit() noexcept {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

bool Random::chance(double p) noexcept {
  return unit() < p;
}

double Random::exponential(double mean) noexcept {
  return -mean * std::log1p(-unit());
}

std::size_t Random::weighted(std::span<const double> weights) noexcept {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  SUNDER_ASSERT(sum > 0);
  double point = unit() * sum;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    point -= weights[i];
    if (point < 0 && weights[i] > 0) return i;
  }
  for (std::size_t i = weights.size(); i > 0; --i) {
    if (weights[i - 1] > 0) return i - 1;
  }
  return 0;
}

}  // namespace sunder::base
