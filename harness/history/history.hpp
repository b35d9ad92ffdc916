// History: all operations of a run in the order of their invocations, and the pool that holds their
// values.
//
// A history is built once, event by event, by HistoryBuilder (a recorder during a run, a reader of
// a file later), then never changes; checkers read it from many threads.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/history/operation.hpp"
#include "harness/history/value.hpp"

namespace sunder::history {

// A line of a history that is not a client's operation: a nemesis' note. Kept for pictures.
struct Note {
  std::int64_t position = 0;
  std::int64_t time = kUnknownTime;
  std::string text;
};

class History {
 public:
  History() = default;

  [[nodiscard]] const std::vector<Operation>& operations() const noexcept { return operations_; }

  [[nodiscard]] const ValuePool& pool() const noexcept { return pool_; }

  [[nodiscard]] const std::vector<Note>& notes() const noexcept { return notes_; }

  [[nodiscard]] bool empty() const noexcept { return operations_.empty(); }

  // "write x 7 -> ok", for messages.
  [[nodiscard]] std::string describe(const Operation& operation) const;

  // Bytes held.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  friend class HistoryBuilder;

  std::vector<Operation> operations_;
  std::vector<Note> notes_;
  ValuePool pool_;
};

// Function names: "read" <-> Function::read. Synonyms that other tools use are accepted (enq, deq,
// get, put, …).
[[nodiscard]] Function function_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(Function function) noexcept;
[[nodiscard]] std::string_view name_of(Outcome outcome) noexcept;

// Pairs invocations with completions. A process has at most one operation in flight.
class HistoryBuilder {
 public:
  struct Invocation {
    std::int64_t process = 0;
    std::string_view function;
    std::string_view key;  // empty: no key
    Value input;
    std::int64_t time = kUnknownTime;
  };

  struct Completion {
    std::int64_t process = 0;
    Outcome outcome = Outcome::info;
    Value output;
    // A completion may repeat or refine the input (Jepsen writes the whole map again); none leaves
    // it.
    std::string_view error;
    std::string_view node;
    std::int64_t time = kUnknownTime;
  };

  // Values of the invocations and completions come from here.
  [[nodiscard]] ValuePool& pool() noexcept { return history_.pool_; }

  [[nodiscard]] const ValuePool& pool() const noexcept { return history_.pool_; }

  // Returns the operation's index. Error: the process has an operation in flight already.
  [[nodiscard]] Result<std::size_t> invoke(const Invocation& invocation);
  // Returns the operation's index. Error: the process has nothing in flight. After info the process
  // may invoke again (published histories do); the old operation stays open for ever.
  [[nodiscard]] Result<std::size_t> complete(const Completion& completion);
  // For interval formats and generators: a whole operation with stamps of its own. Do not mix with
  // invoke().
  void add(const Operation& operation);
  void note(std::int64_t time, std::string text);

  // What a process has in flight, if anything.
  [[nodiscard]] std::optional<std::size_t> in_flight(std::int64_t process) const;

  // function_of(), remembered for each name.
  [[nodiscard]] Function function_of(Symbol name);

  [[nodiscard]] const Operation& operation(std::size_t index) const {
    return history_.operations_[index];
  }

  // For readers whose completion carries what the invocation lacked (a fetched key, a write's
  // value).
  [[nodiscard]] Operation& mutable_operation(std::size_t index) {
    return history_.operations_[index];
  }

  [[nodiscard]] std::size_t size() const noexcept { return history_.operations_.size(); }

  void reserve(std::size_t operations);

  // So many times as much as there is now is to be expected in all.
  void expect(double times);

  // Operations still in flight become info. Operations come out sorted by (invoke, order of
  // adding). The builder is empty afterwards.
  [[nodiscard]] History finish();

 private:
  // Where the process' operation in flight is kept: 0 is none, otherwise its index and one.
  [[nodiscard]] std::size_t& flight_of(std::int64_t process);

  History history_;
  std::vector<std::size_t> few_in_flight_;  // by process, of those with small numbers
  std::unordered_map<std::int64_t, std::size_t> others_in_flight_;
  std::vector<std::int8_t> functions_;  // by symbol: -1 is not looked up yet
  std::int64_t position_ = 0;
};

}  // namespace sunder::history
