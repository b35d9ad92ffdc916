// Axioms: what a level of isolation demands of the order of transactions, as clauses over events.
//
// A history satisfies a level when its transactions, or their starts and commits, can be put in a
// total order that contains session order and reads-from, such that for every read of x from T1 by
// T3, and every other writer T2 of x, one of these holds:
//
//   read committed   T3 read from T2 only later              or T2 before T1
//   read atomic      T2 is not T3's session's past, not read or T2 before T1
//   causal           T2 did not happen before T3             or T2 before T1
//   prefix           T3 starts before T2 commits             or T2 commits before T1 does
//   snapshot         T3 starts before T2 commits             or T2 commits before T1 starts;
//                    besides, two writers of a key do not overlap
//   parallel snapshot as causal, where the order of a key's writers counts as happening before
//   serializable     T3 before T2                            or T2 before T1
//
// (Biswas & Enea, OOPSLA 2019; for snapshots the start-commit order of Adya, 1999, which has a
// cycle exactly when the dependency graph has one without two adjacent anti-dependencies: Cerone &
// Gotsman, "Analysing snapshot isolation", J. ACM 2018.)
//
// Threading: one thread.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "checkers/isolation/clocks.hpp"
#include "checkers/isolation/event_order.hpp"
#include "checkers/isolation/transactions.hpp"
#include "checkers/isolation/weak.hpp"

namespace sunder::checkers::isolation {

enum class Axiom : std::uint8_t {
  read_uncommitted,
  read_committed,
  read_atomic,
  causal,
  prefix,
  parallel_snapshot,
  snapshot,
  serializable,
};

struct Rules {
  Axiom axiom = Axiom::serializable;
  bool sessions = true;    // the order of each session counts
  bool real_time = false;  // so does that of transactions which did not overlap
};

// One thing that the order must satisfy: one of the options.
struct Demand {
  std::vector<Before> options;      // of events
  std::uint32_t key = 0;            // that they are about
  std::uint32_t reader = kNone;     // kNone: two writers must not overlap
  std::uint32_t read_from = kNone;  // kNone: the initial value, or the first of the two writers
  std::uint32_t other = 0;          // the other writer
};

class Axioms {
 public:
  // `history` is asked for time stamps, when they count.
  Axioms(const Transactions& transactions, const history::History& history, Rules rules);

  [[nodiscard]] std::uint32_t events() const noexcept { return events_; }

  [[nodiscard]] std::uint32_t start(std::uint32_t transaction) const noexcept {
    return split_ ? 2 * transaction : transaction;
  }

  [[nodiscard]] std::uint32_t commit(std::uint32_t transaction) const noexcept {
    return split_ ? 2 * transaction + 1 : transaction;
  }

  // The transaction of an event; kNone: an instant of real time.
  [[nodiscard]] std::uint32_t transaction_of(std::uint32_t event) const noexcept {
    const std::uint32_t transaction = split_ ? event / 2 : event;
    return transaction < data_->size() ? transaction : kNone;
  }

  [[nodiscard]] const Rules& rules() const noexcept { return rules_; }

  [[nodiscard]] const Transactions& transactions() const noexcept { return *data_; }

  // Session order, reads-from, real time, and that a transaction starts before it commits.
  [[nodiscard]] std::vector<Before> fixed() const;

  // An order of all events that respects `fixed` and otherwise comes near to that of transactions;
  // shorter when there is none.
  [[nodiscard]] std::vector<std::uint32_t> order_near(std::span<const std::uint32_t> transactions,
                                                      std::span<const Before> fixed) const;

  // A forced edge (weak.hpp) between events: of causal consistency, or of missed writes.
  [[nodiscard]] Before forced_before(const ForcedEdge& edge) const noexcept;
  [[nodiscard]] Before missed_before(const ForcedEdge& edge) const noexcept;

  // What an order of events does not satisfy: some of it, and nothing exactly when all is well.
  [[nodiscard]] std::vector<Demand> violated(std::span<const std::uint32_t> positions);

  // Whether `violated` would need more than so many bytes.
  [[nodiscard]] bool needs_more_than(std::size_t bytes) const noexcept;

 private:
  void sort_writers(std::span<const std::uint32_t> positions);
  void demand_of_read(std::uint32_t reader,
                      std::uint32_t read,
                      std::span<const std::uint32_t> positions,
                      std::vector<Demand>& demands) const;
  void demand_of_overlaps(std::span<const std::uint32_t> positions,
                          std::vector<Demand>& demands) const;
  // Whether the reader had seen the other writer when it read, in the sense of the level.
  [[nodiscard]] bool sees(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const;
  [[nodiscard]] Demand demand(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const;
  void add_version_path(Demand& demand) const;
  void join_version_orders();
  [[nodiscard]] std::uint32_t version_before(std::uint32_t write) const;

  const Transactions* data_;
  const history::History* history_;
  Rules rules_;
  bool split_;  // a transaction's start and commit are two events
  std::uint32_t events_;
  std::vector<std::uint32_t> finished_;  // by completion; the instants of real time
  std::unique_ptr<Clocks> clocks_;
  std::vector<std::uint32_t> order_;  // of transactions, by commit

  std::vector<std::uint32_t> writers_begin_;  // by key
  std::vector<std::uint32_t> writers_;        // of each key, in order: indices of writes
  std::vector<std::uint32_t> slot_;           // of each write in `writers_`
};

}  // namespace sunder::checkers::isolation
