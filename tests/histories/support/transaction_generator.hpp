// Histories of read–write transactions: the benchmark's multi-version store, and small random ones
// for comparing with brute force.
//
// Both are functions of their seed alone.

#pragma once

#include <cstdint>

#include "harness/history/history.hpp"

namespace sunder::test {

enum class StoreLevel : std::uint8_t {
  serializable,
  snapshot,
  read_committed,
  causal,  // reads see old commits and their own session's; who commits last wins
};

enum class StoreBug : std::uint8_t {
  none,
  stale,      // all reads of one key in one transaction return the version three installs back
  fractured,  // of two keys written by one transaction, one is read one version back
};

// A simulated multi-version store; committed transactions only (and those of unknown outcome), in
// the order of their commits.
struct TransactionOptions {
  StoreLevel level = StoreLevel::serializable;
  std::uint64_t seed = 1;
  std::uint64_t transactions = 1000;
  std::uint64_t sessions = 50;       // at once
  std::uint64_t session_length = 0;  // transactions after which another takes its place; 0: never
  std::uint64_t operations = 8;      // of a transaction
  std::uint64_t keys = 1000;
  std::uint64_t write_percent = 50;
  std::uint64_t lag = 1000;  // of a causal store: commits that others see late
  // Transactions of which nobody hears, with what they read; half of them never commit. Another
  // process takes the place of theirs.
  std::uint64_t unknown_percent = 0;
  StoreBug bug = StoreBug::none;  // after 99 % of the transactions
  // Stamped with the steps of the simulation at which they began and committed; otherwise only the
  // order of lines is known, as in a text form without times.
  bool timed = false;
  // Invocations say what is to be read, as recorded ones do; otherwise what was, as text forms
  // without invocations have it.
  bool asks = false;
};

[[nodiscard]] history::History transaction_history(const TransactionOptions& options);

// The same transactions session by session and without times, as text forms of sessions give them.
[[nodiscard]] history::History by_session(const history::History& history);

// The same history but for one read, which gets another value that was written to its key, or the
// one that was there at first.
[[nodiscard]] history::History flip_one_read(const history::History& history, std::uint64_t seed);

// A few transactions with random items, outcomes and results.
struct SmallTransactionOptions {
  std::uint64_t seed = 1;
  std::uint64_t transactions_max = 5;
  std::uint64_t sessions = 3;
  std::uint64_t keys = 2;
  std::uint64_t items_max = 3;
  bool faults = true;     // reads of what was aborted, intermediate, or never written
  bool unknown = true;    // of unknown outcome
  bool repeated = false;  // some values are written more than once
};

[[nodiscard]] history::History small_transaction_history(const SmallTransactionOptions& options);

}  // namespace sunder::test
