// Ends in time: every saga ends within `ends_within_ms` (10000) after it began or, if that was
// later, after the last fault was healed.
//
// When a saga began and ended is known between bounds (lifetimes.hpp): from the order service's
// events, from answers to clients, from the log as read at the end, and from the answers to "how
// many are open" when no client orders any more. Broken: one was open past the latest instant at
// which it had to end, or more were open than can have been young enough. Kept: each had surely
// ended by the earliest such instant. Anything between is undetermined. A saga that was not read,
// and began after it was asked how many are open, is not judged.
//
// Exercised: a fault that bit was healed, and 1 saga was held up: it went back for want of an
// answer, or the orchestrator told that it took 300 ms or more.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/outcomes.hpp"
#include "checkers/saga/figures.hpp"
#include "checkers/saga/lifetimes.hpp"
#include "checkers/saga/record.hpp"

namespace sunder::checkers {

CheckerInfo saga_ends_in_time_info();

namespace {

using history::History;
using history::kNever;
using saga::Lifetime;
using saga::OpenCount;
using saga::Record;
using saga::Saga;

constexpr double kEndsWithinMs = 10'000;
constexpr std::int64_t kLong = 300'000'000;

// Everything that is asked of a run.
struct Seen {
  std::vector<Lifetime> lifetimes;
  std::vector<OpenCount> counts;
  std::int64_t heal = 0;
  std::int64_t bound = 0;

  // When a saga has to have ended that begins then.
  [[nodiscard]] std::int64_t deadline(std::int64_t begun) const noexcept {
    return begun == kNever ? kNever : std::max(begun, heal) + bound;
  }

  // How long after it had to begin to end it surely had; kNever: nobody knows.
  [[nodiscard]] std::int64_t took(const Lifetime& lifetime) const noexcept;

  [[nodiscard]] bool is_late(const Lifetime& lifetime) const noexcept {
    const std::int64_t latest = deadline(lifetime.begun_before);
    return lifetime.open_at > latest && lifetime.ended_before > latest;
  }

  // More were open than there are sagas that may have begun less than the bound before.
  [[nodiscard]] bool shows_a_late_one(const OpenCount& count) const;
};

std::int64_t Seen::took(const Lifetime& lifetime) const noexcept {
  const std::int64_t from = std::max(lifetime.begun_after, heal);
  std::int64_t ended = lifetime.ended_before;
  for (const OpenCount& count : counts) {
    if (count.count > 0 || count.end >= ended) continue;
    // Counted as ended, or not yet begun: then as long as it took from then on.
    const bool counted = lifetime.begun_before <= count.begin || lifetime.saga == nullptr;
    const std::int64_t later = std::max(from, count.begin);
    if (counted || lifetime.ended_before - later <= bound) ended = count.end;
  }
  return ended == kNever ? kNever : std::max<std::int64_t>(0, ended - from);
}

bool Seen::shows_a_late_one(const OpenCount& count) const {
  const std::int64_t old = count.begin - bound;  // one counted that began then was open for longer
  if (count.count == 0 || old < heal) return false;
  return count.count > std::ranges::count_if(lifetimes, [&](const Lifetime& lifetime) {
           return lifetime.begun_before > old && lifetime.begun_after <= count.end &&
                  lifetime.ended_before >= count.begin;
         });
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

std::string_view state_of(const Lifetime& lifetime) {
  if (lifetime.saga == nullptr || lifetime.saga->has_ended()) return "open";
  return lifetime.saga->phase == saga::Phase::forward ? "under way" : "going back";
}

void break_it(const Seen& seen,
              const Record& record,
              const std::vector<const Lifetime*>& late,
              const OpenCount* open,
              Verdict& verdict) {
  constexpr std::string_view kSince = "after it began and after the last heal";
  Counterexample example;
  example.title = "never ended";
  if (!late.empty()) {
    const Lifetime& first = *late.front();
    example = example_of(record,
                         first.ended_before == kNever ? "never ended" : "ended too late",
                         first.order,
                         fmt::format("the saga of order {} was still {} more than {} {}",
                                     first.order,
                                     state_of(first),
                                     seconds_text(seen.bound),
                                     kSince));
  } else {
    example.why = fmt::format("{} sagas were open, of which some had begun more than {} before",
                              open->count,
                              seconds_text(seen.bound));
  }
  if (open != nullptr) example.items.push_back({open->operation, true, "asks how many are open"});
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
  verdict.kind = VerdictKind::broken;
  verdict.summary = fmt::format("{} sagas had not ended {} {}",
                                std::max<std::size_t>(1, late.size()),
                                seconds_text(seen.bound),
                                kSince);
  verdict.counterexamples.push_back(std::move(example));
}

void judge(const Seen& seen, const Record& record, std::size_t held, Verdict& verdict) {
  std::vector<const Lifetime*> late;
  std::vector<const Lifetime*> unknown;
  std::int64_t longest = 0;
  for (const Lifetime& lifetime : seen.lifetimes) {
    const std::int64_t took = seen.took(lifetime);
    if (seen.is_late(lifetime)) late.push_back(&lifetime);
    if (took > seen.bound) unknown.push_back(&lifetime);
    if (took <= seen.bound) longest = std::max(longest, took);
  }
  const OpenCount* open = nullptr;
  for (const OpenCount& count : seen.counts) {
    if (seen.shows_a_late_one(count)) open = &count;
  }
  if (!late.empty() || open != nullptr) {
    break_it(seen, record, late, open, verdict);
  } else if (!unknown.empty()) {
    verdict.summary =
        fmt::format("whether {} of {} sagas ended in time is not known: the first is of order {}",
                    unknown.size(),
                    seen.lifetimes.size(),
                    unknown.front()->order);
  } else if (seen.heal == 0 || held == 0) {
    verdict.kind = VerdictKind::not_exercised;
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "each of {} sagas had ended {} after it began or after the last heal; at least {} had been "
        "held up",
        seen.lifetimes.size(),
        seconds_text(longest),
        held);
  }
  verdict.measurements = {
      {"sagas known to be held up", static_cast<double>(held), ""},
      {"sagas open at the end",
       static_cast<double>(std::ranges::count_if(
           record.sagas(), [](const auto& row) { return !row.second.has_ended(); })),
       ""},
      {"sagas of unknown end", static_cast<double>(unknown.size()), ""},
      {"longest after begin and heal", static_cast<double>(longest) / 1e6, "ms"}};
}

Verdict check_ends_in_time(const History& history,
                           const CheckOptions& options,
                           std::stop_token /*stop*/) {
  if (options.context == nullptr) return needs_a_run();
  const history::RunContext& context = *options.context;
  const Record record = Record::read(history);
  Seen seen;
  seen.lifetimes = lifetimes_of(history, context, record);
  seen.counts = saga::open_counts_of(history);
  seen.heal = last_heal(context);
  seen.bound = parameter_ns(options, "ends_within_ms", kEndsWithinMs);
  const std::size_t held = held_up(record, context);
  Verdict verdict;
  judge(seen, record, held, verdict);
  if (verdict.kind == VerdictKind::not_exercised) {
    verdict.summary = fmt::format(
        "no fault held up a saga: {} faults bit, {} sagas were held up",
        std::ranges::count_if(context.faults, [](const auto& fault) { return fault.exercised; }),
        held);
  }
  return verdict;
}

}  // namespace

CheckerInfo saga_ends_in_time_info() {
  return {
      .name = "saga-ends-in-time",
      .summary = "Within a stated time after it began and after the last heal a saga has ended.",
      .check = check_ends_in_time};
}

}  // namespace sunder::checkers
