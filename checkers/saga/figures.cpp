#include "checkers/saga/figures.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "harness/history/operation.hpp"

namespace sunder::checkers::saga {
namespace {

using history::kNever;
using history::NodeEvent;

constexpr std::string_view kSection = "Sagas";

std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

std::int64_t number(std::string_view word) {
  std::int64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

// The step at which a saga turned back: who is to blame in its reason.
std::size_t turned_at(const Saga& saga) {
  for (std::size_t step = 0; step < kSteps; ++step) {
    if (saga.reason.starts_with(kServices[step])) return step;
  }
  return 0;
}

bool timed_out(const Saga& saga) {
  return saga.reason.ends_with("no answer");
}

// States: placed, reserved, charged, shipped, then release, refund and cancel, then undone, open.
constexpr std::size_t kPlaced = 0;
constexpr std::size_t kUndo = kSteps + 1;
constexpr std::size_t kUndone = kUndo + kSteps;
constexpr std::size_t kOpen = kUndone + 1;

class FlowCounts {
 public:
  void add(const Saga& saga) {
    ++states_[kPlaced];
    if (saga.phase == Phase::done) {
      for (std::size_t step = 0; step < kSteps; ++step) go(step, step + 1, kStepNames[step]);
      return;
    }
    if (!saga.has_ended()) {
      go(kPlaced, kOpen, "not ended");
      return;
    }
    const std::size_t at = turned_at(saga);
    for (std::size_t step = 0; step < at; ++step) go(step, step + 1, kStepNames[step]);
    const std::string_view why = timed_out(saga) ? "no answer" : "refused";
    // Unanswered it may have happened; refused it did not.
    const bool undo_it = timed_out(saga);
    if (!undo_it && at == 0) {
      go(at, kUndone, why);
      return;
    }
    std::size_t step = undo_it ? at : at - 1;
    go(at, kUndo + step, why);
    for (; step > 0; --step) go(kUndo + step, kUndo + step - 1, kUndoNames[step]);
    go(kUndo, kUndone, kUndoNames[0]);
  }

  [[nodiscard]] Flow flow() const {
    Flow made;
    made.states = {{"placed"}, {"reserved"}, {"charged"}, {"shipped: done"}};
    made.states[kSteps].mark = Mark::good;
    for (const std::string_view undo : kUndoNames)
      made.states.push_back({fmt::format("to {}", undo)});
    made.states.push_back({.name = "undone", .mark = Mark::neutral});
    if (states_.contains(kOpen)) {
      made.states.push_back({.name = "open at the end", .mark = Mark::doubtful});
    }
    for (std::size_t state = 0; state < made.states.size(); ++state) {
      const auto found = states_.find(state);
      made.states[state].count = found == states_.end() ? 0 : found->second;
    }
    for (const auto& [arc, count] : arcs_) {
      const auto& [from, to, label] = arc;
      made.arcs.push_back({.from = from,
                           .to = to,
                           .label = std::string(label),
                           .count = count,
                           .mark = label == "no answer" ? Mark::doubtful : Mark::neutral});
    }
    return made;
  }

 private:
  void go(std::size_t from, std::size_t to, std::string_view label) {
    ++arcs_[{from, to, label}];
    ++states_[to];
  }

  std::map<std::size_t, double> states_;
  std::map<std::tuple<std::size_t, std::size_t, std::string_view>, double> arcs_;
};

Figure flow_figure(const Record& record) {
  FlowCounts counts;
  for (const auto& [order, saga] : record.sagas()) counts.add(saga);
  return {.section = std::string(kSection),
          .title = "The way of the sagas",
          .note = "Each arc with how many sagas took it, by the log of the order service.",
          .body = counts.flow()};
}

Figure outcomes_figure(const Record& record) {
  std::map<std::string, std::size_t> outcomes;
  for (const auto& [order, saga] : record.sagas()) {
    std::string how = saga.phase == Phase::done ? "done" : std::string(saga.reason);
    if (!saga.has_ended()) how = "open at the end";
    ++outcomes[how];
  }
  Table table;
  table.header = {"how it ended", "sagas"};
  for (const auto& [how, count] : outcomes) table.rows.push_back({how, fmt::format("{}", count)});
  return {.section = std::string(kSection),
          .title = "How the sagas ended",
          .note = "A reason names the service that refused, or did not answer in time.",
          .body = std::move(table)};
}

// Longest of those that went back under a fault, else the longest.
std::optional<NodeEvent> most_telling(const history::RunContext& context) {
  std::optional<NodeEvent> best;
  std::pair<bool, std::int64_t> best_rank{false, -1};
  for (const NodeEvent& event : context.events) {
    if (event.event != "saga-ended" || told_spans(event).empty()) continue;
    const std::int64_t took = event.number("took_us") * 1000;
    const history::Window window{event.time - took, event.time};
    const bool struck = std::ranges::any_of(context.faults, [&](const auto& fault) {
      return fault.exercised && fault.active.overlaps(window);
    });
    const std::pair rank{struck && event.text("outcome") == "undone", took};
    if (!best || rank > best_rank) {
      best = event;
      best_rank = rank;
    }
  }
  return best;
}

std::vector<Figure> gantt_figure(const history::RunContext& context) {
  const std::optional<NodeEvent> told = most_telling(context);
  if (!told) return {};
  Gantt gantt;
  for (const ToldSpan& span : told_spans(*told)) {
    Mark mark = span.undo ? Mark::neutral : Mark::good;
    if (span.sends > 1) mark = Mark::doubtful;
    gantt.spans.push_back({.lane = std::string(kServices[span.step]),
                           .label = span.sends > 1
                                        ? fmt::format("{} (asked {} times)", span.name, span.sends)
                                        : span.name,
                           .window = span.window,
                           .mark = mark});
  }
  return {{.section = std::string(kSection),
           .title = fmt::format("Saga {} of order {}", told->number("saga"), told->text("order")),
           .note = fmt::format("{}; it took {:.1f} ms. {}",
                               told->text("outcome"),
                               static_cast<double>(told->number("took_us")) / 1e3,
                               told->text("reason")),
           .body = std::move(gantt)}};
}

}  // namespace

std::vector<ToldSpan> told_spans(const NodeEvent& event) {
  std::vector<ToldSpan> spans;
  if (event.event != "saga-ended") return spans;
  const std::string text = event.text("spans");
  const std::int64_t begin = event.time - event.number("took_us") * 1000;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view part = take(rest, ';');
    ToldSpan span;
    span.name = take(part, ' ');
    const auto step = std::ranges::find(kStepNames, span.name);
    const auto undo = std::ranges::find(kUndoNames, span.name);
    if (step == kStepNames.end() && undo == kUndoNames.end()) continue;
    span.undo = step == kStepNames.end();
    span.step =
        static_cast<std::size_t>(span.undo ? undo - kUndoNames.begin() : step - kStepNames.begin());
    span.window.begin = begin + number(take(part, ' ')) * 1000;
    const std::string_view end = take(part, ' ');
    span.window.end = end == "-" ? kNever : begin + number(end) * 1000;
    span.sends = static_cast<std::size_t>(number(part));
    spans.push_back(std::move(span));
  }
  // What was never answered was given up when the next thing was asked.
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].window.end != kNever) continue;
    spans[i].window.end = i + 1 < spans.size() ? spans[i + 1].window.begin : event.time;
  }
  return spans;
}

std::vector<Figure> figures_of(const Record& record, const history::RunContext* context) {
  std::vector<Figure> figures{flow_figure(record), outcomes_figure(record)};
  if (context == nullptr) return figures;
  for (Figure& figure : gantt_figure(*context)) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace sunder::checkers::saga
