// Record: what a run of orders tells: what clients were told, and what the services held at its
// end.
//
// Read from a history of the workload `order` (workloads/order.cpp): orders with their answers,
// then the sagas as the order service logged them, the ledger of every effect that each service
// did, and what is left of goods and credit. The sagas were read before the ledgers: an effect of a
// saga that was begun later is not judged. Steps 0, 1, 2 are reserve, charge, ship, of the services
// inventory, payment, shipment.
//
// Threading: immutable after read(). Views point into the history's pool, which must outlive it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkers/checker.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers::saga {

constexpr std::size_t kSteps = 3;
constexpr std::array<std::string_view, kSteps> kStepNames{"reserve", "charge", "ship"};
constexpr std::array<std::string_view, kSteps> kUndoNames{"release", "refund", "cancel"};
constexpr std::array<std::string_view, kSteps> kServices{"inventory", "payment", "shipment"};

// What a step takes: so much of an object.
struct Take {
  std::string_view object;
  std::int64_t amount = 0;

  friend bool operator==(const Take&, const Take&) = default;
};

using Terms = std::array<Take, kSteps>;

enum class Phase : std::uint8_t { forward, undoing, done, undone };

struct Saga {
  std::uint64_t number = 0;
  std::string_view order;
  Phase phase = Phase::forward;
  Terms terms;
  std::string_view reason;    // "-": none
  std::size_t operation = 0;  // that read it

  [[nodiscard]] bool has_ended() const noexcept {
    return phase == Phase::done || phase == Phase::undone;
  }
};

struct Effect {
  std::uint64_t saga = 0;
  bool undo = false;
  std::string_view order;
  Take take;
  std::size_t operation = 0;  // that read it
};

// One service's effects, in the order in which they happened.
using Ledger = std::vector<Effect>;

// What was done of one order by one service.
struct Done {
  std::size_t steps = 0;
  std::size_t undos = 0;
  bool step_after_undo = false;
  bool other_terms = false;  // an effect with another object or amount than the saga's
  std::size_t last = 0;      // index into the ledger

  [[nodiscard]] bool stands() const noexcept { return steps > undos; }
};

// An answer to the client who ordered, or who asked later.
struct Answer {
  std::size_t operation = 0;
  bool confirmed = false;  // else refused
};

class Record {
 public:
  [[nodiscard]] static Record read(const history::History& history);

  // Empty: everything was read to its end; else what was not.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

  // Every page of the log of sagas was read.
  [[nodiscard]] bool has_all_sagas() const noexcept;

  // By number.
  [[nodiscard]] const std::map<std::uint64_t, Saga>& sagas() const noexcept { return sagas_; }

  [[nodiscard]] const Ledger& ledger(std::size_t step) const { return ledgers_.at(step); }

  // What is left, of inventory (0) and payment (1), by object.
  [[nodiscard]] const std::map<std::string_view, std::int64_t>& levels(std::size_t step) const {
    return levels_.at(step);
  }

  // Null: the order has no saga.
  [[nodiscard]] const Saga* saga_of(std::string_view order) const;
  [[nodiscard]] const Done& done(std::size_t step, std::string_view order) const;
  // The operation that placed it; none: nobody did.
  [[nodiscard]] std::optional<std::size_t> placed_by(std::string_view order) const;

  [[nodiscard]] const std::unordered_map<std::string_view, std::size_t>& orders() const noexcept {
    return orders_;
  }

  // Whether the effect is of a saga that was begun after the sagas were read.
  [[nodiscard]] bool is_too_late(const Effect& effect) const noexcept {
    return effect.saga > sagas_told_;
  }

  // Sagas that went back, with an effect that was undone.
  [[nodiscard]] std::size_t compensated() const noexcept { return compensated_; }

 private:
  void read_order(const history::History& history, std::size_t index);
  void read_page(const history::History& history, std::size_t index);
  void read_saga(std::string_view row, std::size_t operation);
  void read_effect(std::size_t step, std::size_t at, std::string_view row, std::size_t operation);
  void check_whole();
  void sum_up();

  std::unordered_map<std::string_view, std::size_t> orders_;  // id → operation
  std::map<std::uint64_t, Saga> sagas_;
  std::unordered_map<std::string_view, std::uint64_t> numbers_;  // by order
  std::array<Ledger, kSteps> ledgers_;
  std::array<std::size_t, kSteps> ledger_totals_{};
  std::array<std::map<std::string_view, std::int64_t>, kSteps> levels_;
  std::array<std::size_t, kSteps> level_totals_{};
  std::array<bool, kSteps> levels_told_{};
  std::array<bool, kSteps> ledgers_told_{};
  std::array<std::unordered_map<std::string_view, Done>, kSteps> done_;
  std::uint64_t sagas_told_ = 0;
  std::set<std::size_t> saga_pages_;  // that were read
  std::size_t compensated_ = 0;
  std::string missing_;
};

// "confirmed" or "refused: …" of an order or status operation; none: neither was said.
[[nodiscard]] std::optional<bool> told_confirmed(const history::History& history,
                                                 const history::Operation& operation);
// The function's name as recorded.
[[nodiscard]] std::string_view name_of(const history::History& history,
                                       const history::Operation& operation);
// A counter-example about one order: who placed it, what was read of it.
[[nodiscard]] Counterexample example_of(const Record& record,
                                        std::string title,
                                        std::string_view order,
                                        std::string why);
// "undetermined", when something was not read to its end.
[[nodiscard]] Verdict not_read(const Record& record);

constexpr std::size_t kCounterexamplesMax = 5;

// Collects what is wrong: counts all, explains the first few.
class Findings {
 public:
  void add(Counterexample example);

  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  // Into the verdict: broken with this sentence.
  void break_it(Verdict& verdict, std::string summary);

 private:
  std::size_t count_ = 0;
  std::vector<Counterexample> examples_;
};

}  // namespace sunder::checkers::saga
