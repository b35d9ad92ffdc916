// Clocks: for each transaction, how many of each session's transactions it had seen, directly or
// through others.
//
// A vector clock a transaction, in one flat array of transactions × sessions numbers. What precedes
// a transaction is what it follows in session order or by reading from it, transitively.
//
// Threading: built by one thread, then read by any number.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

class Clocks {
 public:
  // `order` is a topological order of session order and reads-from.
  Clocks(const Transactions& transactions, std::span<const std::uint32_t> order);

  // Bytes that the clocks of a history need.
  [[nodiscard]] static std::size_t bytes(const Transactions& transactions) noexcept {
    return std::size_t{transactions.size()} * transactions.sessions * sizeof(std::uint32_t);
  }

  // How many of each session's transactions precede it, itself not counted.
  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t transaction) const noexcept {
    return std::span(entries_).subspan(std::size_t{transaction} * width_, width_);
  }

  [[nodiscard]] bool precedes(const Transactions& transactions,
                              std::uint32_t earlier,
                              std::uint32_t later) const noexcept {
    return transactions.place[earlier] <
           entries_[std::size_t{later} * width_ + transactions.session[earlier]];
  }

  // Takes over what another had seen, and the other itself.
  void join(const Transactions& transactions, std::uint32_t into, std::uint32_t seen);

 private:
  std::size_t width_;
  std::vector<std::uint32_t> entries_;
};

// All transactions, session by session, each session in its order.
[[nodiscard]] std::vector<std::uint32_t> by_session(const Transactions& transactions);

}  // namespace sunder::checkers::isolation
