// Turns the events of any recorded text form into operations, by the rules of the tool that wrote
// them.
//
// The readers parse; this class knows what a completion means: whose nil is an unknown result, when
// a failed compare-and-set has compared, when values are independent keys' [key value]. It pairs by
// process (HistoryBuilder), or by function and value where nobody wrote the process, and keeps
// notes of what is not a client's.
//
// An answer to a transaction repeats what was asked, and adds what was read. If that is all, the
// operation's input becomes its output: most of a history would else be there twice.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/history/history.hpp"

namespace sunder::history {

enum class EventType : std::uint8_t { invoke, ok, fail, info };

// What a part [r key nil] of a transaction was answered with.
struct Answer {
  Value part;
  Value content;
};

// Whether the items of a part of an answer tell no more than what was asked and its result.
[[nodiscard]] inline bool is_answer(std::span<const Value> asked,
                                    std::span<const Value> items) noexcept {
  return asked.size() == 3 && items.size() == 3 && asked[2].is_nil() && items[0] == asked[0] &&
         items[1] == asked[1];
}

// One line of a recorded history. Views live as long as the reader's text.
struct TextEvent {
  static constexpr std::int64_t kNobody = std::numeric_limits<std::int64_t>::min();

  std::int64_t process = kNobody;  // kNobody: the line does not say whose it is
  bool is_note = false;            // the nemesis', or anybody's who is not numbered
  EventType type = EventType::invoke;
  std::string_view function;
  std::string_view key;
  Value value;   // none: the field is missing
  Value actual;  // what a failed cas found
  Value output;  // an answer beside the repeated input
  std::string_view error;
  std::string_view node;
  std::int64_t time = kUnknownTime;
  // Jepsen's :rebalance-log, a list of maps: keys that were given to a consumer or taken from it.
  // They become one more part [rebalance [key …]] of the list that is the value.
  Value rebalances = {};
  // Parts of `value` that are its invocation's, and lack what they were answered with until the
  // event is applied.
  std::span<const Answer> answers = {};
};

// How a tool's words are to be read.
struct Dialect {
  // Knossos: an :ok read of nil means that the result is unknown, not that the key is absent.
  bool nil_read_is_unknown = false;
  // A failed cas without an error says that the value was not `from`; otherwise only "cas-mismatch"
  // says so.
  bool failed_cas_compared = false;
  // Values may be jepsen.independent's [key value]. They are when there is an invocation and every
  // invocation's value is a pair whose first part is a scalar, and the second part of every cas is
  // itself a pair. A register of plain values fails it at its first read (nil) or write (a scalar),
  // a history of only [from to] at its cas; transactions and operations with a key never are.
  bool independent_keys = false;
  // A history may consist of completions alone, as Elle's tests write them. Each is then taken to
  // have begun at any time behind the completion before it of its process: that is all one knows.
  bool completions_alone = false;
};

// The error of a failed cas that compared: its operation then counts as a read of `output`, or as
// "not from".
constexpr std::string_view kCasMismatch = "cas-mismatch";

// "ok" -> EventType::ok; false when it is none of the four.
[[nodiscard]] bool parse_event_type(std::string_view name, EventType& type) noexcept;

class EventPairing {
 public:
  explicit EventPairing(Dialect dialect) : dialect_(dialect) {}

  [[nodiscard]] ValuePool& pool() noexcept { return builder_.pool(); }

  // What the operation in flight of a process was invoked with; none when there is none.
  [[nodiscard]] Value asked(std::int64_t process) const {
    const std::optional<std::size_t> open = builder_.in_flight(process);
    return open ? builder_.operation(*open).input : Value();
  }

  // So many bytes of the text were read. Once it is known how long events are, there is room for
  // all of them: a vector that grows copies.
  void make_room(std::size_t consumed, std::size_t size) {
    constexpr std::size_t kSample = 1000;
    if (has_room_ || builder_.size() < kSample) return;
    has_room_ = true;
    builder_.expect(1.02 * static_cast<double>(size) / static_cast<double>(consumed));
  }

  // Errors have no place: the reader puts it in front.
  [[nodiscard]] Result<void> apply(const TextEvent& event);

  void note(std::int64_t time, std::string_view text) { builder_.note(time, std::string(text)); }

  // Whether values were taken for [key value] until one was none: apply() has refused it, and the
  // text is to be read again with a dialect without independent keys.
  [[nodiscard]] bool must_read_again() const noexcept { return must_read_again_; }

  // Whether the history consists of completions alone.
  [[nodiscard]] bool is_without_invocations() const noexcept { return without_invocations_; }

  [[nodiscard]] History finish();

 private:
  [[nodiscard]] Result<void> invoke(const TextEvent& event);
  [[nodiscard]] Result<void> complete(const TextEvent& event);
  // Events without a process: whoever is free begins an operation, and a completion is that of the
  // one operation in flight that it can be the end of. Error: of several.
  [[nodiscard]] std::int64_t process_for_invocation();
  [[nodiscard]] Result<std::int64_t> process_of_completion(const TextEvent& event);
  [[nodiscard]] bool may_complete(const TextEvent& event, const Operation& operation) const;
  // Begins the operation of a completion that has no invocation, where that is allowed.
  [[nodiscard]] Result<void> begin_completed(const TextEvent& event);
  void spread_completions();
  [[nodiscard]] bool is_pair(Value value) const noexcept;
  [[nodiscard]] bool is_independent(const TextEvent& event) const noexcept;
  [[nodiscard]] bool is_transaction(Value value) const noexcept;
  [[nodiscard]] Value with_rebalances(const TextEvent& event);
  [[nodiscard]] bool tells_of_log(Value value) const noexcept;
  [[nodiscard]] bool answers(Value asked, Value answer) const noexcept;
  void split(TextEvent& event);

  Dialect dialect_;
  HistoryBuilder builder_;
  bool has_room_ = false;
  bool has_split_ = false;
  bool must_read_again_ = false;
  bool without_invocations_ = false;
  std::vector<std::int64_t> nameless_busy_;  // processes that this class has named
  std::vector<std::int64_t> nameless_free_;
};

// Reads with `dialect`, and once more without independent keys when the values turn out to be none.
// `read(dialect, again)` returns a history; it sets `again` to its pairing's must_read_again().
template <typename Read>
[[nodiscard]] Result<History> read_with(Dialect dialect, const Read& read) {
  bool again = false;
  Result<History> history = read(dialect, again);
  if (!again) return history;
  dialect.independent_keys = false;
  return read(dialect, again);
}

}  // namespace sunder::history
