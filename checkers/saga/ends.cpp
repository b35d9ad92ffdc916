// Ends in time: within `ends_within_ms` (10000) after the last fault was healed no saga is open.
//
// At the end, when no client orders any more, clients ask how many sagas are open until none is.
// The first such answer of zero bounds the end of every saga from above. Still open after the
// bound, as asked then or as read from the log, breaks the promise; where nobody could ask in time
// it is undetermined.
//
// Exercised: a fault that bit was healed, and 1 saga was held up: it went back for want of an
// answer, or the orchestrator told that it took 300 ms or more.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/outcomes.hpp"
#include "checkers/saga/figures.hpp"
#include "checkers/saga/record.hpp"

namespace sunder::checkers {

CheckerInfo saga_ends_in_time_info();

namespace {

using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;
using saga::Record;
using saga::Saga;

constexpr double kEndsWithinMs = 10'000;
constexpr std::int64_t kLong = 300'000'000;

// What was answered to "how many are open".
struct Asked {
  std::optional<std::size_t> first_zero;  // operation
  std::optional<std::size_t> last_open;   // that was answered with more
};

Asked asked_of(const History& history) {
  Asked asked;
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    const bool answered = operation.outcome == Outcome::ok && operation.output.is_integer();
    if (!answered || saga::name_of(history, operation) != "open") continue;
    if (operation.output.raw() > 0) {
      asked.last_open = i;
    } else if (!asked.first_zero ||
               operation.complete < history.operations()[*asked.first_zero].complete) {
      asked.first_zero = i;
    }
  }
  return asked;
}

std::int64_t last_heal(const history::RunContext& context) {
  std::int64_t healed = 0;
  for (const history::FaultRecord& fault : context.faults) {
    if (fault.exercised) healed = std::max(healed, fault.healed);
  }
  return healed;
}

// Sagas that a fault seems to have held up.
std::size_t held_up(const Record& record, const history::RunContext& context) {
  std::size_t count = 0;
  for (const auto& [number, saga] : record.sagas()) {
    if (saga.reason.ends_with("no answer")) ++count;
  }
  for (const history::NodeEvent& event : context.events) {
    if (event.event == "saga-ended" && event.number("took_us") * 1000 >= kLong) ++count;
  }
  return count;
}

void break_it(const History& history,
              const Record& record,
              const Asked& asked,
              const std::vector<const Saga*>& open,
              std::int64_t bound,
              Verdict& verdict) {
  Counterexample example;
  example.title = "never ended";
  if (!open.empty()) {
    const Saga& saga = *open.front();
    example =
        example_of(record,
                   "never ended",
                   saga.order,
                   fmt::format("the saga of order {} was still {} more than {} after the last "
                               "heal",
                               saga.order,
                               saga.phase == saga::Phase::forward ? "under way" : "going back",
                               seconds_text(bound)));
  } else {
    example.why = fmt::format("{} sagas were open more than {} after the last heal",
                              history.operations()[*asked.last_open].output.raw(),
                              seconds_text(bound));
  }
  if (asked.last_open) example.items.push_back({*asked.last_open, true, "asks how many are open"});
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
  verdict.kind = VerdictKind::broken;
  verdict.summary = fmt::format("{} sagas had not ended {} after the last fault was healed",
                                std::max<std::size_t>(1, open.size()),
                                seconds_text(bound));
  verdict.counterexamples.push_back(std::move(example));
}

Verdict check_ends_in_time(const History& history,
                           const CheckOptions& options,
                           std::stop_token /*stop*/) {
  if (options.context == nullptr) return needs_a_run();
  const history::RunContext& context = *options.context;
  const std::int64_t bound = parameter_ns(options, "ends_within_ms", kEndsWithinMs);
  const std::int64_t heal = last_heal(context);
  const Record record = Record::read(history);
  const Asked asked = asked_of(history);
  std::vector<const Saga*> open;
  for (const auto& [number, saga] : record.sagas()) {
    if (!saga.has_ended()) open.push_back(&saga);
  }
  Verdict verdict;
  // When it was surely still so.
  const auto begun = [&](std::size_t operation) {
    return history.operations()[operation].invoke_time;
  };
  const bool late_open = asked.last_open && begun(*asked.last_open) >= heal + bound;
  const bool late_saga = std::ranges::any_of(
      open, [&](const Saga* saga) { return begun(saga->operation) >= heal + bound; });
  const std::size_t held = held_up(record, context);
  const std::int64_t rest =
      asked.first_zero ? end_time(history.operations()[*asked.first_zero]) - heal : kNever;
  if (late_open || late_saga) {
    break_it(history, record, asked, open, bound, verdict);
  } else if (rest > bound) {
    verdict.summary = asked.first_zero
                          ? fmt::format(
                                "all sagas had ended when it was first asked, {} after the "
                                "last heal",
                                seconds_text(rest))
                          : "nobody was told in time whether a saga is open";
  } else if (heal == 0 || held == 0) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format(
        "no fault held up a saga: {} faults bit, {} sagas were held up",
        std::ranges::count_if(context.faults, [](const auto& fault) { return fault.exercised; }),
        held);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary =
        fmt::format("no saga was open {} after the last heal; at least {} had been held up",
                    seconds_text(rest),
                    held);
  }
  verdict.measurements = {{"sagas known to be held up", static_cast<double>(held), ""},
                          {"sagas open at the end", static_cast<double>(open.size()), ""}};
  if (rest != kNever) {
    verdict.measurements.push_back(
        {"all ended after the last heal", static_cast<double>(rest) / 1e6, "ms"});
  }
  return verdict;
}

}  // namespace

CheckerInfo saga_ends_in_time_info() {
  return {.name = "saga-ends-in-time",
          .summary = "Within a stated time after the last heal every saga has ended.",
          .check = check_ends_in_time};
}

}  // namespace sunder::checkers
