// A guess of the order in which transactions committed, and whether it explains every read.
//
// A real database commits in nearly the order in which clients hear of it. If that order, repaired
// so that nobody reads from a later transaction, explains every read, then the history is
// serializable (or a snapshot-isolated one) and nothing needs to be searched: one pass, O(n).
//
// Threading: one call in one thread.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

// By completion, but each after its session's earlier ones and after those it read from. Shorter
// than the history when session order and reads-from have a cycle.
[[nodiscard]] std::vector<std::uint32_t> guess_commit_order(const Transactions& transactions,
                                                            const history::History& history);

// What an order of commits explains. The arguments outlive it.
class Witness {
 public:
  // The order holds every transaction.
  Witness(const Transactions& transactions, std::span<const std::uint32_t> order);

  // Whether every read sees the latest write before it in that order.
  [[nodiscard]] bool explains_serially() const;

  // Whether every transaction can have read from a snapshot taken after what its session did
  // before, and no two writers of a key overlap, if they commit in that order. With `history`,
  // transactions that completed before another began are in its snapshot, too.
  [[nodiscard]] bool explains_by_snapshots(const history::History* history) const;

 private:
  [[nodiscard]] std::uint32_t replacer(std::uint32_t reader, std::uint32_t read) const;
  [[nodiscard]] std::uint32_t earliest_snapshot(std::uint32_t transaction) const;
  [[nodiscard]] std::uint32_t latest_snapshot(std::uint32_t transaction) const;

  const Transactions* data_;
  std::span<const std::uint32_t> order_;
  std::vector<std::uint32_t> position_;  // of each transaction in the order
  std::vector<std::uint32_t> next_;      // by write: the next one of its key; kNone: the last one
  std::vector<std::uint32_t> before_;    // by write: who wrote the key before; kNone: nobody
  std::vector<std::uint32_t> first_;     // by key: its first write
};

// Whether the order contains that of transactions which did not overlap.
[[nodiscard]] bool respects_real_time(const Transactions& transactions,
                                      std::span<const std::uint32_t> order,
                                      const history::History& history);

}  // namespace sunder::checkers::isolation
