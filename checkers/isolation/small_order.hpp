// SmallOrder: what must come before what among a few transactions, with every reason.
//
// It derives the order that a level forces until nothing more follows or a cycle appears: an option
// of a demand (Axioms) that contradicts the order leaves the other one. Cubic in the number of
// transactions, which are few.
//
// Threading: one thread. Deterministic.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/isolation/axioms.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

enum class EdgeKind : std::uint8_t {
  same,       // a transaction starts before it commits
  session,    // both of one session
  real_time,  // the first was over when the second began
  wr,         // the second read what the first wrote
  ww,         // the second replaced what the first wrote
  rw,         // the second replaced what the first read
};

// Between transactions, which are indices of the history's Transactions.
struct Dependency {
  EdgeKind kind = EdgeKind::same;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t key = kNone;
  std::uint32_t reader = kNone;     // ww, rw: whose read it follows from
  std::uint32_t read_from = kNone;  // and whom that read saw; kNone: the initial value
  // Why it is so, when it follows from the order of others: the transactions that led there.
  std::vector<std::uint32_t> because = {};
  bool assumed = false;  // one side of a case distinction
};

using Cycle = std::vector<Dependency>;

class SmallOrder {
 public:
  SmallOrder(const Transactions& transactions,
             const history::History& history,
             const Rules& rules,
             std::span<const std::uint32_t> core);

  // Empty: nothing follows; otherwise one cycle, or two for the two cases of one distinction.
  [[nodiscard]] std::vector<Cycle> contradictions();

 private:
  struct Edge {
    std::uint32_t from = 0;  // events
    std::uint32_t to = 0;
    Dependency dependency;
  };

  struct Option {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Dependency dependency;
  };

  struct Choice {
    std::vector<Option> options;  // one or two
    bool needs_seen = false;      // only when the other happened before the reader
    std::uint32_t other = 0;      // nodes
    std::uint32_t reader = 0;
    bool settled = false;
  };

  [[nodiscard]] std::uint32_t start(std::uint32_t node) const noexcept;
  [[nodiscard]] std::uint32_t commit(std::uint32_t node) const noexcept;
  [[nodiscard]] std::uint32_t node_of(std::uint32_t event) const noexcept;
  [[nodiscard]] bool reaches(std::uint32_t from, std::uint32_t to) const noexcept;
  void add_edge(std::uint32_t from, std::uint32_t to, Dependency dependency);
  void add_known();
  void add_choices();
  void add_choices_of_read(std::uint32_t reader, std::uint32_t read);
  void add_overlap(std::uint32_t first, std::uint32_t second, std::uint32_t key);
  [[nodiscard]] bool sees(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const;
  // Derives what follows. True: there is a cycle.
  bool saturate();
  bool settle(Choice& choice);
  [[nodiscard]] std::vector<std::uint32_t> path(std::uint32_t from, std::uint32_t to) const;
  [[nodiscard]] std::vector<std::uint32_t> transactions_of(
      std::span<const std::uint32_t> events) const;
  [[nodiscard]] Cycle shortest() const;
  // The same contradiction through what the reader missed, when that is all there is to it.
  [[nodiscard]] Cycle through_reader(const Cycle& cycle) const;
  [[nodiscard]] Cycle cycle_of(std::span<const std::uint32_t> edges) const;

  const Transactions* data_;
  const history::History* history_;
  Rules rules_;
  std::vector<std::uint32_t> core_;  // transactions by node
  bool split_;
  std::uint32_t events_;
  std::size_t words_;                 // of a row of reach_
  std::vector<std::uint64_t> reach_;  // by event: a bit for each event that comes after it
  std::vector<std::uint64_t> known_;  // the same without what was derived
  std::vector<Edge> edges_;
  std::vector<Choice> choices_;
  bool cyclic_ = false;
};

}  // namespace sunder::checkers::isolation
