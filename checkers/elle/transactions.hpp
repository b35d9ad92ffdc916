// Transactions: a history of transactions in flat arrays, with keys as numbers.
//
// A transaction is an operation whose value is a list of micro-operations [function key value], in
// the order of its program: its output when it was acknowledged and told one, its input otherwise.
// Functions are r (read, get), w (write, put) and append.
//
// Threading: a value; pure.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkers/value_index.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers::elle {

enum class MicroKind : std::uint8_t { read, write, append };

struct MicroOperation {
  history::Value value;   // read: what was read, none when that is not known; else what was given
  std::uint32_t key = 0;  // Transactions::keys
  MicroKind kind = MicroKind::read;
};

struct Transaction {
  std::uint32_t operation = 0;  // index into History::operations()
  std::uint32_t begin = 0;      // its micro-operations are Transactions::micro[begin, end)
  std::uint32_t end = 0;
  history::Outcome outcome = history::Outcome::info;
};

struct Transactions {
  std::vector<Transaction> all;  // in order of invocation
  std::vector<MicroOperation> micro;
  ValueIndex keys{0};
  std::string foreign;    // an operation that is not made of such, described; empty: there is none
  bool observed = false;  // some outcome is known

  [[nodiscard]] std::span<const MicroOperation> of(std::uint32_t transaction) const {
    const Transaction& one = all[transaction];
    return std::span(micro).subspan(one.begin, one.end - one.begin);
  }

  // What a read of a list showed; nil and what is not known show nothing.
  [[nodiscard]] std::span<const history::Value> shown(const history::ValuePool& pool,
                                                      std::uint32_t read) const {
    const history::Value list = micro[read].value;
    return list.is_list() ? pool.items_of(list) : std::span<const history::Value>();
  }
};

// `writing` is what transactions of this kind do beside reading: append or write. Stops at the
// first foreign operation.
[[nodiscard]] Transactions gather_transactions(const history::History& history, MicroKind writing);

// "T5 of p3": what a transaction is called in sentences, by its place in the history.
[[nodiscard]] std::string name_transaction(const history::History& history,
                                           const Transactions& transactions,
                                           std::uint32_t transaction);

// A key as a reader writes it, texts without quotes.
[[nodiscard]] std::string name_key(const history::History& history,
                                   const Transactions& transactions,
                                   std::uint32_t key);

}  // namespace sunder::checkers::elle
