// Sightings: anomalies that a look at single reads and writes shows, without a cycle.
//
// Threading: one owner.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "checkers/elle/anomalies.hpp"

namespace sunder::checkers::elle {

struct Sighting {
  Anomaly anomaly = Anomaly::internal;
  std::string why;  // one sentence
  std::vector<std::uint32_t> transactions;
  std::uint32_t key = 0;
};

class Sightings {
 public:
  // How many of each anomaly are told; the others are counted.
  static constexpr std::size_t kTold_max = 3;

  // `make` gives the sentence; called only when it will be told.
  template <typename Make>
  void add(Anomaly anomaly,
           std::uint32_t key,
           std::initializer_list<std::uint32_t> transactions,
           Make make) {
    if (counts_[static_cast<std::size_t>(anomaly)]++ >= kTold_max) return;
    told_.push_back({anomaly, make(), transactions, key});
  }

  [[nodiscard]] std::size_t count(Anomaly anomaly) const noexcept {
    return counts_[static_cast<std::size_t>(anomaly)];
  }

  [[nodiscard]] const std::vector<Sighting>& told() const noexcept { return told_; }

 private:
  std::array<std::size_t, kAnomaly_count> counts_{};
  std::vector<Sighting> told_;
};

}  // namespace sunder::checkers::elle
