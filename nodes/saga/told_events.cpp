#include "nodes/saga/told_events.hpp"

#include <array>

#include <fmt/format.h>

namespace sunder::nodes::saga {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr unsigned kPerSecond = 6;
constexpr std::chrono::milliseconds kLong(300);

std::int64_t micros(Time time) {
  return duration_cast<microseconds>(time).count();
}

}  // namespace

std::string spans_text(const std::vector<Span>& spans) {
  std::string text;
  for (const Span& span : spans) {
    const Time origin = spans.front().begin;
    text += fmt::format("{}{} {} {} {}",
                        text.empty() ? "" : ";",
                        span.undo ? undo_name_of(span.step) : name_of(span.step),
                        micros(span.begin - origin),
                        span.end == Time(0) ? "-" : fmt::format("{}", micros(span.end - origin)),
                        span.sends);
  }
  return text;
}

bool ToldEvents::may_tell(Time now, std::string_view kind) {
  auto found = told_.find(kind);
  if (found == told_.end()) found = told_.emplace(std::string(kind), Told{}).first;
  Told& told = found->second;
  if (now - told.since >= std::chrono::seconds(1)) told = {.since = now};
  return told.count++ < kPerSecond;
}

void ToldEvents::tell(Time now, const SagaEvent& event, SagaNumber settled_below) {
  if (event.name == "saga-ended") {
    tell_end(now, event, settled_below);
    return;
  }
  if (!may_tell(now, event.name)) return;
  const std::array<host::EventWriter::Number, 1> numbers{{{"saga", event.saga}}};
  const std::array<host::EventWriter::Text, 1> texts{{{"step", std::string(name_of(event.step))}}};
  events_.write(event.name, numbers, texts);
}

void ToldEvents::tell_end(Time now, const SagaEvent& event, SagaNumber settled_below) {
  if (event.spans.empty()) return;
  const Time took = now - event.spans.front().begin;
  const bool undone = event.phase == Phase::undone;
  std::string_view kind = undone ? "saga-ended, undone" : "saga-ended";
  if (took >= kLong) kind = "saga-ended, long";
  if (!may_tell(now, kind)) return;
  const std::array<host::EventWriter::Number, 3> numbers{
      {{"saga", event.saga},
       {"took_us", static_cast<std::uint64_t>(micros(took))},
       {"settled_below", settled_below}}};
  // The client's words go into an event only if they are plain.
  const bool plain = event.order.find_first_of("\"\\\n\r") == std::string::npos;
  const std::array<host::EventWriter::Text, 4> texts{
      {{"order", plain ? event.order : std::string()},
       {"outcome", undone ? "undone" : "done"},
       {"reason", event.reason},
       {"spans", spans_text(event.spans)}}};
  events_.write("saga-ended", numbers, texts);
}

}  // namespace sunder::nodes::saga
