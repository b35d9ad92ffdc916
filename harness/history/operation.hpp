// Operation: one call of one client, from invoke to ok, fail or info.
//
// Order and time are kept apart. `invoke` and `complete` are stamps whose only meaning is order: a
// precedes b exactly when a.complete < b.invoke (equal stamps are concurrent). Recorded histories
// stamp with the event's position, interval formats with the numbers they give. `invoke_time` and
// `complete_time` are nanoseconds since the run's start, for latencies and pictures, or
// kUnknownTime.

#pragma once

#include <cstdint>
#include <limits>

#include "harness/history/value.hpp"

namespace sunder::history {

// ok: it happened, with this output. fail: it definitely did not happen. info: nobody knows; it may
// take effect at any later moment, or never.
enum class Outcome : std::uint8_t { ok, fail, info };

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kUnknownTime = -1;

// What was called. An open set would cost a lookup in every checker's inner loop; a new function is
// one line here and one in function_table() (function.cpp).
enum class Function : std::uint8_t {
  other,  // not one of ours: `Operation::function_name` says which
  read,
  write,
  cas,     // input: list [from to]
  append,  // to a text or list
  add,     // to a set or counter
  remove,
  contains,
  enqueue,
  dequeue,
  peek,
  push,
  pop,
  insert,
  poll,
  increment,
  fetch_add,
  acquire,
  release,
  txn,  // input and output: list of [function key value] lists
  transfer,
  drain,
};

struct Operation {
  std::int64_t invoke = 0;
  std::int64_t complete = kNever;  // kNever for info
  std::int64_t invoke_time = kUnknownTime;
  std::int64_t complete_time = kUnknownTime;
  Value input;   // write: the value; cas: [from to]; read: none; txn: its output, if that is
                 // known and differs only by what was read
  Value output;  // read ok: what was read (nil: absent); failed cas: the actual value, none when
                 // not told
  std::int64_t process = 0;
  Symbol key = 0;            // 0: the history has one object
  Symbol function_name = 0;  // the name as recorded
  Symbol node = 0;           // which node answered, when recorded
  Symbol error = 0;
  Function function = Function::other;
  Outcome outcome = Outcome::info;

  [[nodiscard]] bool precedes(const Operation& other) const noexcept {
    return complete < other.invoke;
  }

  // Whether the output is all that there is to say.
  [[nodiscard]] bool tells_input_as_output() const noexcept {
    return function == Function::txn && input.is_list() && input == output;
  }
};

}  // namespace sunder::history
