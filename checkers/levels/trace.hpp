// Trace: the reads and writes of registers as the levels below linearizability see them: who did
// what after what, and from whom each value was read. Real time is left out.
//
// Sessions are processes. An operation of unknown outcome counts when its value was read; it
// follows what its process did before, and nothing that its process did later follows it. A
// successful cas reads and writes at once; a failed one that tells what it found is a read. Keys
// stay together: causes and sessions cross them.
//
// Threading: built by one thread, then read by any number.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checkers/groups.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers::levels {

constexpr std::uint32_t kNone = 0xffffffff;
// Who wrote the value that a key has at first.
constexpr std::uint32_t kInitial = 0xfffffffe;

// One operation. Events are in the order of the history.
struct Event {
  std::uint32_t operation = 0;     // an index into History::operations()
  std::uint32_t session = 0;       // a chain of events: one process, or one late operation
  std::uint32_t place = 0;         // its position in its session
  std::uint32_t previous = kNone;  // the event that it follows in its process
  std::uint32_t key = 0;
  std::uint32_t source =
      kNone;  // whose write it read: an event or kInitial; kNone: it read nothing
  bool writes = false;
  bool is_late = false;  // unknown outcome: its process went on without it

  [[nodiscard]] bool reads() const noexcept { return source != kNone; }

  [[nodiscard]] bool reads_event() const noexcept { return source < kInitial; }
};

struct Trace {
  std::vector<Event> events;
  std::uint32_t sessions = 0;
  std::uint32_t keys = 0;

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(events.size());
  }

  // Whether one comes before another in the order of one process.
  [[nodiscard]] bool session_precedes(std::uint32_t earlier, std::uint32_t later) const noexcept;

  // The same events without some of them, and without those that read from what is left out. The
  // operations' numbers stay.
  [[nodiscard]] Trace without(const std::vector<bool>& dropped) const;

  // Events in an order in which each follows its session's earlier ones and the one it read from.
  // When there is none, the events of a circle are put into `circle`, empty before.
  [[nodiscard]] std::vector<std::uint32_t> topological_order(
      std::vector<std::uint32_t>* circle) const;
};

// A history's operations before it is decided from whom ambiguous values were read.
class Draft {
 public:
  explicit Draft(const history::History& history);

  // A read of a value that several operations wrote, or of "another value than that".
  struct Question {
    std::uint32_t event = 0;                // of the draft
    std::vector<std::uint32_t> candidates;  // events of the draft, or kInitial; the likeliest first
    bool complete = true;                   // no candidate was left out
  };

  [[nodiscard]] const std::vector<Question>& questions() const noexcept { return questions_; }

  // The first operation that read what nobody wrote, or kNone.
  [[nodiscard]] std::uint32_t unmade() const noexcept { return unmade_; }

  // Operations with a known result.
  [[nodiscard]] std::size_t observations() const noexcept { return observations_; }

  // The trace in which question i is answered by its candidate answers[i]; kNone: the read says
  // nothing.
  [[nodiscard]] Trace settle(std::span<const std::uint32_t> answers) const;

  // Whether an event of the draft is in that trace.
  [[nodiscard]] bool happens(std::uint32_t event, std::span<const std::uint32_t> answers) const;

 private:
  struct Read {
    history::Value value;
    std::uint32_t event = 0;
    bool differs = false;  // a failed cas: it found something else
  };

  void collect(const history::History& history);
  void trace_reads();
  [[nodiscard]] std::vector<std::uint32_t> sources(std::span<const std::uint32_t> answers) const;
  [[nodiscard]] std::vector<bool> happened(std::span<const std::uint32_t> sources) const;
  void ask(const Read& read, std::vector<std::uint32_t> candidates);

  std::vector<Event> events_;            // `session` is the process' number, places are not set
  std::vector<history::Value> written_;  // by event; none: it writes nothing
  std::vector<bool> unknown_;            // by event
  std::vector<std::int64_t> invoked_;
  std::vector<std::int64_t> completed_;
  std::vector<Read> reads_;
  std::vector<Question> questions_;
  std::uint32_t keys_ = 0;
  std::uint32_t processes_ = 0;
  std::uint32_t unmade_ = kNone;
  std::size_t observations_ = 0;
};

}  // namespace sunder::checkers::levels
