// The clients of a generated history: whose turn is next, and under which process' name.
//
// A client's place is kept when its process ends: after an operation of unknown outcome its
// successor goes on under a fresh name.

#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

#include "tests/histories/support/draws.hpp"

namespace sunder::test {

class ClientSlots {
 public:
  struct Turn {
    std::uint64_t time = 0;
    std::uint64_t client = 0;
    std::int64_t process = 0;
  };

  // Every client starts at a drawn time below `mean`.
  ClientSlots(std::uint64_t clients, std::uint64_t mean, Draws& draws)
      : processes_(clients), fresh_(static_cast<std::int64_t>(clients)) {
    std::iota(processes_.begin(), processes_.end(), 0);
    for (std::uint64_t client = 0; client < clients; ++client) {
      slots_.emplace(draws.below(mean), client);
    }
  }

  // Who is free first; of several the one with the least number. It is busy until again().
  Turn next() {
    const auto [time, client] = slots_.top();
    slots_.pop();
    return {time, client, processes_[client]};
  }

  void again(std::uint64_t client, std::uint64_t time) { slots_.emplace(time, client); }

  // The client's process has ended.
  void retire(std::uint64_t client) { processes_[client] = fresh_++; }

 private:
  using Slot = std::pair<std::uint64_t, std::uint64_t>;  // next time, client
  std::priority_queue<Slot, std::vector<Slot>, std::greater<>> slots_;
  std::vector<std::int64_t> processes_;  // by client
  std::int64_t fresh_;
};

}  // namespace sunder::test
