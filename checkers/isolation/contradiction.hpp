// Contradiction: turns the few transactions that cannot be ordered into a counter-example that a
// reader can follow.
//
// Among them every edge is derived again, with its reason, until a cycle appears; the shortest one
// is told, by Adya's name for it ("Weak consistency", 1999; Elle, VLDB 2020). Where it takes a case
// distinction, both cases are told.
//
// Threading: one call in one thread. Deterministic.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/isolation/axioms.hpp"
#include "checkers/isolation/transactions.hpp"
#include "checkers/verdict.hpp"

namespace sunder::checkers::isolation {

class Contradiction {
 public:
  Contradiction(const Transactions& transactions,
                const history::History& history,
                const Rules& rules,
                std::string_view level)
      : data_(&transactions), history_(&history), rules_(rules), level_(level) {}

  [[nodiscard]] Counterexample of_read(const BadRead& bad) const;
  // `core`: sorted transactions that together cannot satisfy the level.
  [[nodiscard]] Counterexample of_transactions(std::span<const std::uint32_t> core) const;

 private:
  [[nodiscard]] std::optional<Counterexample> lost_update(
      std::span<const std::uint32_t> core) const;
  [[nodiscard]] Counterexample lost_update(std::uint32_t key,
                                           std::uint32_t version,
                                           std::uint32_t one,
                                           std::uint32_t two) const;

  const Transactions* data_;
  const history::History* history_;
  Rules rules_;
  std::string_view level_;
};

// The transactions on a shortest way from one to another by session order and reads-from, both ends
// included; a session's order counts as one step. Empty: there is no way.
[[nodiscard]] std::vector<std::uint32_t> shortest_path(const Transactions& transactions,
                                                       std::uint32_t from,
                                                       std::uint32_t to);

// Events of a short cycle of the edges. Precondition: they have one.
[[nodiscard]] std::vector<std::uint32_t> shortest_cycle(std::uint32_t events,
                                                        std::span<const Before> edges);

}  // namespace sunder::checkers::isolation
