// Dependencies: the graph of committed transactions with the reasons for its arcs.
//
// Each type of object finds its own ww, wr and rw arcs and can say why an arc is there; the order
// of processes and of real time is the same for all. Real time takes two arcs a transaction: one
// helper for each instant at which something had ended when something began.
//
// Threading: immutable once built.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/elle/anomalies.hpp"
#include "checkers/elle/transactions.hpp"
#include "checkers/graph.hpp"
#include "checkers/verdict.hpp"

namespace sunder::checkers::elle {

// What an arc is called in pictures, and one sentence why it is there.
struct Reason {
  std::string label;  // "rw x"
  std::string why;
};

class Dependencies {
 public:
  Dependencies(const history::History& history, const Transactions& transactions)
      : history_(&history),
        transactions_(&transactions),
        graph_(static_cast<std::uint32_t>(transactions.all.size())) {}

  Dependencies(const Dependencies&) = delete;
  Dependencies& operator=(const Dependencies&) = delete;
  virtual ~Dependencies() = default;

  [[nodiscard]] const Digraph& graph() const noexcept { return graph_; }

  [[nodiscard]] Digraph& graph() noexcept { return graph_; }

  // Precondition: the step is one of this graph.
  [[nodiscard]] Reason reason(const Step& step) const;

 protected:
  // Why a ww, wr, rw, observed or missed arc is there.
  [[nodiscard]] virtual Reason data_reason(const Step& step) const = 0;

  // Arcs between transactions that count, by process and by real time.
  void add_process_arcs(const std::vector<std::uint8_t>& committed);
  void add_realtime_arcs(const std::vector<std::uint8_t>& committed);
  [[nodiscard]] static std::vector<std::uint32_t> nodes(const std::vector<std::uint8_t>& committed);

  [[nodiscard]] const history::Operation& operation(std::uint32_t transaction) const {
    return history_->operations()[transactions_->all[transaction].operation];
  }

  [[nodiscard]] std::string text(history::Value value) const {
    return history_->pool().describe(value);
  }

  [[nodiscard]] std::string key_text(std::uint32_t key) const {
    return name_key(*history_, *transactions_, key);
  }

  const history::History* history_;
  const Transactions* transactions_;
  Digraph graph_;
};

// "T5": what a transaction is called in sentences and pictures, by its place in the history.
[[nodiscard]] std::string name_of_transaction(std::uint32_t transaction);

// The counter-example that a cycle is: its transactions, the reasons in words, the graph.
[[nodiscard]] Counterexample explain_cycle(const history::History& history,
                                           const Transactions& transactions,
                                           const Dependencies& dependencies,
                                           const std::vector<Step>& cycle);

}  // namespace sunder::checkers::elle
