// Collects read–write transactions that have sessions but no times, as isolation checkers'
// benchmarks publish them, into a history.
//
// One operation per transaction, function txn, in the order of the sessions: a session is a process
// and its transactions follow each other in the order of the operations. All stamps overlap, so
// that nothing precedes anything in real time. An aborted transaction is a `fail`.
//
// Every key starts at 0 in these formats: a read of a 0 that nobody wrote to the key becomes a read
// of nil, the value of a key that is absent.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/history/history.hpp"

namespace sunder::history {

class TransactionRecorder {
 public:
  TransactionRecorder();

  [[nodiscard]] ValuePool& pool() noexcept { return builder_.pool(); }

  // Returns the number of the transaction. Those of one session are recorded in its order. Throws
  // std::length_error beyond 2^32 of them, as the pool does (value.hpp).
  [[nodiscard]] std::size_t begin(std::int64_t session, bool committed);
  // Events of one transaction come in its order; transactions may be interleaved.
  void read(std::size_t transaction, Value key, Value value);
  void write(std::size_t transaction, Value key, Value value);

  // The recorder is empty afterwards.
  [[nodiscard]] History finish();

 private:
  struct Event {
    Value key;
    Value value;
    std::uint32_t transaction = 0;
    bool is_write = false;
  };

  struct Transaction {
    std::int64_t session = 0;
    bool committed = true;
  };

  void take_initial_values();

  HistoryBuilder builder_;
  Value read_;
  Value write_;
  std::vector<Transaction> transactions_;
  std::vector<Event> events_;
};

}  // namespace sunder::history
