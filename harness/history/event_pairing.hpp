// Turns the events of any recorded text form into operations, by the rules of the tool that wrote
// them.
//
// The readers parse; this class knows what a completion means: whose nil is an unknown result, when
// a failed compare-and-set has compared. It pairs by process (HistoryBuilder) and keeps notes of
// what is not a client's.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/history/history.hpp"

namespace sunder::history {

enum class EventType : std::uint8_t { invoke, ok, fail, info };

// One line of a recorded history. Views live as long as the reader's text.
struct TextEvent {
  std::int64_t process = 0;
  bool is_note = false;  // the nemesis', or anybody's who is not numbered
  EventType type = EventType::invoke;
  std::string_view function;
  std::string_view key;
  Value value;   // none: the field is missing
  Value actual;  // what a failed cas found
  Value output;  // an answer beside the repeated input
  std::string_view error;
  std::string_view node;
  std::int64_t time = kUnknownTime;
};

// How a tool's words are to be read.
struct Dialect {
  // Knossos: an :ok read of nil means that the result is unknown, not that the key is absent.
  bool nil_read_is_unknown = false;
  // A failed cas without an error says that the value was not `from`; otherwise only "cas-mismatch"
  // says so.
  bool failed_cas_compared = false;
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

  void reserve(std::size_t operations) { builder_.reserve(operations); }

  // Errors have no place: the reader puts it in front.
  [[nodiscard]] Result<void> apply(const TextEvent& event);

  void note(std::int64_t time, std::string_view text) { builder_.note(time, std::string(text)); }

  [[nodiscard]] History finish() { return builder_.finish(); }

 private:
  [[nodiscard]] Result<void> invoke(const TextEvent& event);
  [[nodiscard]] Result<void> complete(const TextEvent& event);

  Dialect dialect_;
  HistoryBuilder builder_;
};

}  // namespace sunder::history
