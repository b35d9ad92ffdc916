// Transactions: the read–write transactions of a history in flat arrays, and what is wrong with
// single reads.
//
// Who counts: acknowledged transactions, and those of unknown outcome that an acknowledged one read
// from; dropping the others neither hides nor makes a violation, for nobody saw them. Reads of a
// transaction of unknown outcome count for nothing. Every value is traced to the transaction that
// wrote it: a value that nobody wrote is thin air, unless it is nil, the value of a key at first
// (or 0, where the dialect says so). Reads that no order of transactions can explain are found
// here, in one pass (Biswas & Enea, OOPSLA 2019, "read consistency"; Adya's G1a and G1b).
//
// Sessions are processes. A transaction of unknown outcome may take effect late: it follows what
// its process did before, and nothing of its process follows it.
//
// Threading: built by one thread, then read by any number.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/history/history.hpp"

namespace sunder::checkers::isolation {

constexpr std::uint32_t kNone = 0xffffffff;

// A read that is wrong whatever the order of transactions.
enum class ReadFault : std::uint8_t {
  thin_air,        // nobody wrote the value
  not_own_write,   // it had written the key itself, and read something else
  future,          // it wrote the value itself, later
  aborted,         // G1a: the writer failed
  intermediate,    // G1b: the writer wrote the key again
  non_repeatable,  // it read the key twice, and got two values
};

struct BadRead {
  ReadFault fault = ReadFault::thin_air;
  std::uint32_t operation = 0;   // the reader, an index into History::operations()
  std::uint32_t position = 0;    // of the read in the reader's list
  std::uint32_t writer = kNone;  // who wrote what was read, also an operation
};

struct Dialect {
  bool zero_is_initial = true;  // a 0 that nobody wrote is the value of a key at first
};

// A read of a value that several transactions wrote: it may be from any of them but its own. All
// reads of the value share the list of its writes.
struct AmbiguousRead {
  std::uint32_t reader = 0;  // the transaction
  std::uint32_t read = 0;    // an index into `read_write`
  std::uint32_t begin = 0;   // the writes are Transactions::candidates[begin, end)
  std::uint32_t end = 0;
  std::uint32_t own = kNone;  // but for the reader's own, which is there; kNone: has none

  // At least two.
  [[nodiscard]] std::uint32_t count() const noexcept {
    return end - begin - (own == kNone ? 0 : 1);
  }
};

// Transactions are numbered 0, 1, … in the order of the history. Arrays named `…_begin` have one
// entry more than there are transactions (or keys), and say where each one's part begins.
struct Transactions {
  std::vector<std::uint32_t> operation;  // its index in History::operations()
  std::vector<std::uint32_t> session;    // 0, 1, …
  std::vector<std::uint32_t> place;      // its position in its session
  std::vector<std::uint32_t> previous;   // the one that it follows in session order, or kNone

  // Reads of other transactions' writes, in the order of the transaction.
  std::vector<std::uint32_t> read_begin;
  std::vector<std::uint32_t> read_key;
  std::vector<std::uint32_t> read_write;  // which write was read: an index below; kNone: initial
  std::vector<std::uint32_t> read_from;   // and whose it is, or kNone

  // What each transaction left behind: one write a key, sorted by key.
  std::vector<std::uint32_t> write_begin;
  std::vector<std::uint32_t> write_key;
  std::vector<std::uint32_t> write_transaction;

  std::vector<history::Value> keys;
  std::size_t sessions = 0;
  std::vector<BadRead> bad_reads;
  std::vector<AmbiguousRead> ambiguous;
  std::vector<std::uint32_t> candidates;  // writes, ascending for each read
  std::size_t acknowledged = 0;           // transactions that are known to have committed

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(operation.size());
  }

  [[nodiscard]] std::uint32_t key_count() const noexcept {
    return static_cast<std::uint32_t>(keys.size());
  }

  // The transaction that a read took its value from, or kNone.
  [[nodiscard]] std::uint32_t writer_of(std::uint32_t read) const noexcept {
    return read_from[read];
  }

  [[nodiscard]] std::span<const std::uint32_t> keys_written(std::uint32_t transaction) const {
    return std::span(write_key).subspan(write_begin[transaction],
                                        write_begin[transaction + 1] - write_begin[transaction]);
  }

  // One of the writes that an ambiguous read may be of; the first is the one taken at first.
  // Precondition: choice < read.count().
  [[nodiscard]] std::uint32_t candidate(const AmbiguousRead& read, std::uint32_t choice) const {
    const std::uint32_t index = read.begin + choice;
    return candidates[index + (index < read.own ? 0 : 1)];
  }

  // The index of a transaction's write of a key, or kNone.
  [[nodiscard]] std::uint32_t find_write(std::uint32_t transaction, std::uint32_t key) const;

  // Whether one comes before another in the order of one session.
  [[nodiscard]] bool session_precedes(std::uint32_t earlier, std::uint32_t later) const noexcept;
};

// Nothing: an operation is no transaction of reads and writes; `foreign` then describes it.
[[nodiscard]] std::optional<Transactions> read_transactions(const history::History& history,
                                                            Dialect dialect,
                                                            std::string& foreign);

// Whether every operation is a transaction of reads and writes.
[[nodiscard]] bool are_transactions(const history::History& history);

// Whether no two transactions of reads and writes may have written the same value to a key: every
// read then tells from whom it is. Else the ways to read the history can be too many to try.
[[nodiscard]] bool writes_values_once(const history::History& history);

// One read or write of a transaction as recorded.
struct Access {
  bool write = false;
  history::Value key;
  history::Value value;  // none: an unknown result
};

// The item of a transaction's list; nothing when it is neither a read nor a write.
class AccessReader {
 public:
  explicit AccessReader(const history::ValuePool& pool);

  [[nodiscard]] std::optional<Access> access(history::Value item) const {
    if (!item.is_list()) return std::nullopt;
    const std::span<const history::Value> parts = pool_->items_of(item);
    if (parts.size() < 2 || parts.size() > 3 || !parts[0].is_text()) return std::nullopt;
    const auto name = static_cast<history::Symbol>(parts[0].raw());
    const bool write = name == write_short_ || name == write_;
    if (name == 0 || (!write && name != read_short_ && name != read_)) return std::nullopt;
    if (parts.size() == 3) return Access{.write = write, .key = parts[1], .value = parts[2]};
    if (write) return std::nullopt;
    // A read that says no more than its key found nothing there, as Elle takes it.
    return Access{.write = false, .key = parts[1], .value = history::Value::nil()};
  }

  // What the transaction is known to have done, or to have tried.
  [[nodiscard]] std::span<const history::Value> items(const history::Operation& operation) const;

 private:
  const history::ValuePool* pool_;
  history::Symbol read_;
  history::Symbol read_short_;
  history::Symbol write_;
  history::Symbol write_short_;
};

}  // namespace sunder::checkers::isolation
