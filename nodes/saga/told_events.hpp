// ToldEvents: which of the orchestrator's events are told, so that a long run does not drown in
// them.
//
// Faults wait for an event of a kind, so each kind is told a few times a second; of the sagas that
// ended, those that took long or went back are told first, with all that was asked of whom and
// when. Each end says below which number all sagas have ended, on disk, so that what was not told,
// or was lost with a killed process, is known a moment later.
//
// Threading: one owner.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nodes/host/event_writer.hpp"
#include "nodes/saga/orchestrator.hpp"

namespace sunder::nodes::saga {

class ToldEvents {
 public:
  explicit ToldEvents(host::EventWriter& events) : events_(events) {}

  // An end is told when it is on disk. Every saga below the number has ended, on disk.
  void tell(Time now, const SagaEvent& event, SagaNumber settled_below);

 private:
  // How many of a kind were told in the second that began then.
  struct Told {
    Time since{0};
    unsigned count = 0;
  };

  [[nodiscard]] bool may_tell(Time now, std::string_view kind);
  void tell_end(Time now, const SagaEvent& event, SagaNumber settled_below);

  host::EventWriter& events_;
  std::map<std::string, Told, std::less<>> told_;
};

// "reserve 0 3200 1;charge 3300 - 4": step or undo, begin and end in microseconds since the saga
// began here, "-" when it was not answered, and how often it was asked.
[[nodiscard]] std::string spans_text(const std::vector<Span>& spans);

}  // namespace sunder::nodes::saga
