#include "harness/report/timeline.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace sunder::report {
namespace {

using history::FaultRecord;
using history::History;
using history::kNever;
using history::NodeEvent;
using history::Operation;
using history::Outcome;
using history::RunContext;

// When the operation's outcome was known; kUnknownTime when the history has no times.
std::int64_t outcome_time(const Operation& operation) noexcept {
  return operation.complete_time >= 0 ? operation.complete_time : operation.invoke_time;
}

std::int64_t end_of(const History& history, const RunContext& context) noexcept {
  std::int64_t end = 0;
  const auto extend = [&](std::int64_t time) {
    if (time != kNever) end = std::max(end, time);
  };
  for (const Operation& operation : history.operations()) extend(outcome_time(operation));
  for (const auto& phase : context.phases) {
    extend(phase.window.begin);
    extend(phase.window.end);
  }
  for (const auto& fault : context.faults) {
    extend(fault.active.end);
    extend(fault.healed);
  }
  return end + 1;
}

// The smallest round width of at least a millisecond that cuts `end` into at most kBucketCountMax
// buckets.
std::int64_t bucket_width_of(std::int64_t end) noexcept {
  for (std::int64_t scale = 1'000'000;; scale *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      const std::int64_t width = scale * factor;
      if (end / width < static_cast<std::int64_t>(kBucketCountMax)) return width;
    }
  }
}

std::int64_t quantile(std::vector<std::int64_t>& values, double q) {
  const auto index = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(index);
  std::ranges::nth_element(values, place);
  return *place;
}

void fill_buckets(Timeline& timeline, const History& history) {
  const auto count = static_cast<std::size_t>(timeline.end / timeline.bucket_width) + 1;
  timeline.buckets.resize(count);
  std::vector<std::vector<std::int64_t>> latencies(count);
  for (const Operation& operation : history.operations()) {
    const std::int64_t time = outcome_time(operation);
    if (time < 0) continue;
    const auto index = static_cast<std::size_t>(time / timeline.bucket_width);
    Bucket& bucket = timeline.buckets[index];
    switch (operation.outcome) {
      case Outcome::ok:
        ++bucket.ok;
        break;
      case Outcome::fail:
        ++bucket.fail;
        break;
      case Outcome::info:
        ++bucket.info;
        break;
    }
    const bool timed =
        operation.invoke_time >= 0 && operation.complete_time >= operation.invoke_time;
    if (timed && operation.outcome == Outcome::ok) {
      latencies[index].push_back(operation.complete_time - operation.invoke_time);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (latencies[i].empty()) continue;
    timeline.buckets[i].p50 = quantile(latencies[i], 0.50);
    timeline.buckets[i].p95 = quantile(latencies[i], 0.95);
    timeline.buckets[i].p99 = quantile(latencies[i], 0.99);
  }
}

// Ends a node's reign; does nothing when it has none.
void end_reign(std::vector<LeaderSpan>& leaders, const std::string& node, std::int64_t time) {
  for (auto span = leaders.rbegin(); span != leaders.rend(); ++span) {
    if (span->node != node || span->window.end != kNever) continue;
    span->window.end = std::max(time, span->window.begin);
    return;
  }
}

// Events and kills in one order of time: a killed leader tells nobody that it stepped down.
std::vector<LeaderSpan> leaders_of(const RunContext& context, std::int64_t end) {
  struct Change {
    std::int64_t time = 0;
    std::string node;
    bool leads = false;
    std::int64_t term = -1;
  };

  std::vector<Change> changes;
  for (const NodeEvent& event : context.events) {
    // "recovered" opens every incarnation of a node: whatever it was before, it no longer is.
    constexpr std::array<std::string_view, 4> kRoles{
        "became-leader", "became-follower", "became-candidate", "recovered"};
    if (std::ranges::find(kRoles, event.event) == kRoles.end()) continue;
    changes.push_back({.time = event.time,
                       .node = event.node,
                       .leads = event.event == "became-leader",
                       .term = event.number("term")});
  }
  for (const FaultRecord& fault : context.faults) {
    if (fault.family != "kill" && fault.family != "restart") continue;
    for (const std::string& node : fault.disabled_nodes) {
      changes.push_back({.time = fault.active.begin, .node = node});
    }
  }
  std::ranges::stable_sort(changes, {}, &Change::time);

  std::vector<LeaderSpan> leaders;
  for (const Change& change : changes) {
    end_reign(leaders, change.node, change.time);
    if (!change.leads || leaders.size() >= kSpanCountMax) continue;
    leaders.push_back({.node = change.node,
                       .term = change.term,
                       .window = {.begin = change.time, .end = kNever}});
  }
  for (LeaderSpan& span : leaders) span.window.end = std::min(span.window.end, end);
  return leaders;
}

std::vector<DisabledSpan> disabled_of(const RunContext& context, std::int64_t end) {
  std::vector<DisabledSpan> spans;
  for (const FaultRecord& fault : context.faults) {
    if (!took_place(fault)) continue;
    for (const std::string& node : fault.disabled_nodes) {
      if (spans.size() >= kSpanCountMax) return spans;
      spans.push_back({.node = node,
                       .family = fault.family,
                       .fault = fault.id,
                       .window = {.begin = fault.active.begin, .end = over_at(fault, end)}});
    }
  }
  return spans;
}

}  // namespace

std::int64_t over_at(const FaultRecord& fault, std::int64_t end) noexcept {
  return std::min(std::max({fault.healed, fault.active.end, fault.applying.end}), end);
}

bool took_place(const FaultRecord& fault) noexcept {
  return fault.active.end > fault.active.begin || fault.applying.end > fault.applying.begin;
}

std::vector<history::Window> standing_of(const FaultRecord& fault, std::int64_t end) {
  std::vector<history::Window> windows = fault.standing;
  if (windows.empty()) windows.push_back(fault.active);
  windows.resize(std::min(windows.size(), kSpanCountMax));
  for (history::Window& window : windows) {
    window.begin = std::min(window.begin, end);
    window.end = std::min(window.end, end);
  }
  return windows;
}

Timeline make_timeline(const History& history, const RunContext& context) {
  Timeline timeline;
  timeline.end = end_of(history, context);
  timeline.bucket_width = bucket_width_of(timeline.end);
  const bool timed = std::ranges::any_of(history.operations(), [](const Operation& operation) {
    return outcome_time(operation) >= 0;
  });
  if (timed) fill_buckets(timeline, history);
  timeline.leaders = leaders_of(context, timeline.end);
  timeline.disabled = disabled_of(context, timeline.end);
  return timeline;
}

}  // namespace sunder::report
