// Draws: the random numbers of the benchmark histories, which other implementations draw alike.

#pragma once

#include <cstdint>

#include "harness/base/random.hpp"

namespace sunder::test {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return base::splitmix64(state_) % bound; }

  bool percent(std::uint64_t chance) { return below(100) < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace sunder::test
