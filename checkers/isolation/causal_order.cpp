#include "checkers/isolation/causal_order.hpp"

#include <chrono>
#include <vector>

#include "checkers/isolation/live_clocks.hpp"

namespace sunder::checkers::isolation {
namespace {

// Goes along the order with each key's writes so far, the latest first.
class Walk {
 public:
  Walk(const Transactions& data, const SolverLimits& limits)
      : data_(&data),
        limits_(&limits),
        clocks_(data, limits.memory / 2),
        latest_(data.key_count(), kNone),
        before_(data.write_key.size(), kNone),
        looks_left_(kLooks_base + kLooks_per_read * data.read_key.size()) {}

  [[nodiscard]] bool passes(std::span<const std::uint32_t> order) {
    constexpr std::size_t kTurns = 1024;  // between two looks at the time
    std::size_t turn = 0;
    for (const std::uint32_t transaction : order) {
      if (!clocks_.advance(transaction) || misses_anything(transaction)) return false;
      clocks_.release(transaction);
      for (std::uint32_t write = data_->write_begin[transaction];
           write < data_->write_begin[transaction + 1];
           ++write) {
        std::uint32_t& latest = latest_[data_->write_key[write]];
        before_[write] = latest;
        latest = write;
      }
      if (++turn % kTurns == 0 && is_over()) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kLooks_base = 100'000;
  static constexpr std::size_t kLooks_per_read = 64;

  [[nodiscard]] bool is_over() const {
    return limits_->stop.stop_requested() || std::chrono::steady_clock::now() >= limits_->deadline;
  }

  // Whether it had seen a write behind one that it read, or nobody can say.
  [[nodiscard]] bool misses_anything(std::uint32_t reader) {
    for (std::uint32_t read = data_->read_begin[reader]; read < data_->read_begin[reader + 1];
         ++read) {
      const std::uint32_t seen = data_->read_write[read];
      for (std::uint32_t write = latest_[data_->read_key[read]]; write != seen;
           write = before_[write]) {
        if (looks_left_-- == 0) return true;
        if (clocks_.precedes(data_->write_transaction[write], reader)) return true;
      }
    }
    return false;
  }

  const Transactions* data_;
  const SolverLimits* limits_;
  LiveClocks clocks_;
  std::vector<std::uint32_t> latest_;  // by key: its latest write so far
  std::vector<std::uint32_t> before_;  // by write: the same key's write before it
  std::size_t looks_left_;
};

}  // namespace

bool explains_causally(const Transactions& transactions,
                       std::span<const std::uint32_t> order,
                       const SolverLimits& limits) {
  return Walk(transactions, limits).passes(order);
}

}  // namespace sunder::checkers::isolation
