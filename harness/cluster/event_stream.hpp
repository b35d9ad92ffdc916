// EventStream: turns the bytes of one node's descriptor 3 into events and counts what was lost.
//
// One JSON object a line:
// {"v":1,"node":"n1","seq":9,"time":1503441,"event":"became-leader","term":4}. `time` is absolute
// CLOCK_MONOTONIC; what comes out counts from the run's start. A node numbers every event, also
// those that it drops because the pipe is full, and may tell the number it has dropped so far as
// "dropped": the larger of the two counts. Lines that are too long or not events are lost events as
// well.
//
// Threading: one owner; pure but for the handler.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::cluster {

// What one line says; `dropped` is the node's own count so far, when told.
struct EventLine {
  history::NodeEvent event;
  std::optional<std::uint64_t> dropped;
};

// Errc::protocol with the reason for a line that is not an event.
[[nodiscard]] Result<EventLine> parse_event(std::string_view line,
                                            std::string_view node,
                                            const base::RunClock& clock);

// One for each start of a node: numbers begin anew with the process.
class EventStream {
 public:
  using Handler = std::function<void(const history::NodeEvent&)>;

  EventStream(std::string node, base::RunClock clock, Handler handler);

  // Calls the handler for every line that is complete now.
  void feed(std::string_view bytes);
  // Events that were lost so far.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

 private:
  void take(std::string_view line);

  std::string node_;
  base::RunClock clock_;
  Handler handler_;
  std::string partial_;    // a line that has not ended yet
  bool skipping_ = false;  // the line was too long: up to its end
  std::optional<std::uint64_t> last_sequence_;
  std::uint64_t missing_ = 0;  // gaps in the numbering
  std::uint64_t told_ = 0;     // by the node
  std::uint64_t unreadable_ = 0;
};

}  // namespace sunder::cluster
