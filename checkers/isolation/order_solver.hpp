// OrderSolver: finds a total order of events that satisfies clauses "this before that, or …".
//
// Conflict-driven clause learning (Marques-Silva & Sakallah 1999) over the order of pairs of
// events; the theory is EventOrder, whose cycles become learned clauses. Clauses that hold in the
// order at hand need no decision, so that a history which is nearly in order costs nearly nothing;
// they are looked at again only when their events have moved.
//
// Threading: one thread. Deterministic.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "checkers/isolation/event_order.hpp"

namespace sunder::checkers::isolation {

struct SolverLimits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t memory = std::size_t{4} << 30;
  std::stop_token stop;
};

class OrderSolver {
 public:
  enum class Outcome : std::uint8_t { satisfied, contradiction, out_of_time, out_of_memory };

  // As EventOrder.
  OrderSolver(std::vector<std::uint32_t> order, std::span<const Before> fixed);

  // At least one of these must hold; clauses are numbered 0, 1, … Precondition: not empty, and no
  // two sides of one are equal.
  void require(std::span<const Before> clause);

  // Satisfied: every clause holds in order(). After a contradiction there is nothing more to ask
  // but core().
  [[nodiscard]] Outcome solve(const SolverLimits& limits);

  [[nodiscard]] const EventOrder& order() const noexcept { return order_; }

  // What a contradiction rests on.
  struct Core {
    std::vector<std::uint32_t> clauses;  // numbers of required clauses, sorted
    std::vector<std::uint32_t> events;   // of the cycles, sorted
  };

  [[nodiscard]] Core core() const;

 private:
  using Variable = std::uint32_t;
  using Literal = std::uint32_t;  // 2 × variable + 1 when the pair is reversed

  struct Clause {
    std::vector<Literal> literals;
    std::vector<std::uint32_t> from;    // clauses that it was learned from
    std::vector<std::uint32_t> events;  // of the cycle that it forbids
    std::uint32_t required = kNo;       // its number among the required
  };

  struct Pair {
    Before ends;
    std::uint32_t level = 0;
    std::uint32_t reason = kNo;  // a clause
    std::int8_t value = -1;      // 1: as `ends` says, 0: reversed
    bool seen = false;
  };

  static constexpr std::uint32_t kNo = 0xffffffff;

  [[nodiscard]] Literal literal_of(Before edge);
  [[nodiscard]] Before edge_of(Literal literal) const noexcept;
  [[nodiscard]] bool is_true(Literal literal) const noexcept;
  [[nodiscard]] bool is_false(Literal literal) const noexcept;
  [[nodiscard]] std::uint32_t level() const noexcept;

  std::uint32_t add_clause(Clause clause);
  // Remembers which events a clause is about, and that it is to be looked at.
  void attend(std::uint32_t clause);
  // Clauses about these may not hold any more.
  void look_again(std::span<const std::uint32_t> moved);
  void assign(Literal literal, std::uint32_t reason);
  // The clause that cannot hold, or kNo.
  [[nodiscard]] std::uint32_t propagate();
  [[nodiscard]] std::uint32_t propagate_clauses(Literal falsified);
  [[nodiscard]] std::uint32_t add_edge(Literal literal);
  // False: the contradiction does not depend on any decision.
  [[nodiscard]] bool learn(std::uint32_t conflict);
  void backtrack(std::uint32_t level);
  [[nodiscard]] bool holds(const Clause& clause) const noexcept;
  // The literal to decide next, or kNo: everything holds.
  [[nodiscard]] Literal next_decision();
  [[nodiscard]] bool assign_units();

  EventOrder order_;
  std::unordered_map<std::uint64_t, Variable> numbers_;
  std::vector<Pair> pairs_;
  std::vector<Clause> clauses_;
  std::vector<std::vector<std::uint32_t>> watches_;  // by literal that must not become false
  std::vector<std::uint32_t> units_;                 // clauses of one literal
  std::vector<Literal> trail_;
  std::vector<std::uint32_t> level_begin_;
  std::size_t propagated_ = 0;

  struct Mention {
    std::uint32_t clause = 0;
    std::uint32_t next = 0;  // of the same event
  };

  std::vector<Mention> mentions_;
  std::vector<std::uint32_t> first_mention_;  // by event
  // Clauses that may not hold: all others do, for none of their events has moved since.
  std::deque<std::uint32_t> doubtful_;
  std::vector<bool> is_doubtful_;  // by clause
  std::uint32_t required_ = 0;
  std::uint32_t contradiction_ = kNo;
  std::size_t bytes_ = 0;
};

}  // namespace sunder::checkers::isolation
