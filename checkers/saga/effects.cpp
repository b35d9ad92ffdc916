// What the effects of a saga must be: all of them or none (all-or-nothing), each once (once), and
// none without a saga that wanted it (no-orphans).
//
// Judged from what the order service logged of each saga and from each service's ledger of effects
// (record.hpp). A saga that had not ended when it was read is judged by `once` alone: the others
// wait for its end, which saga-ends-in-time asks for. An effect stands when it was done more often
// than undone.
//
// Exercised: all-or-nothing, 10 sagas done and 5 undone that had an effect to undo; once, 1 request
// that the orchestrator told to have repeated, and 5 compensations; no-orphans, 1 saga that went
// back because a service did not answer, and 5 compensations.

#include <fmt/format.h>

#include "checkers/outcomes.hpp"
#include "checkers/saga/figures.hpp"
#include "checkers/saga/record.hpp"

namespace sunder::checkers {

CheckerInfo saga_all_or_nothing_info();
CheckerInfo saga_no_orphans_info();
CheckerInfo saga_once_info();

namespace {

using history::History;
using saga::Done;
using saga::Effect;
using saga::Findings;
using saga::kServices;
using saga::kStepNames;
using saga::kSteps;
using saga::kUndoNames;
using saga::Phase;
using saga::Record;
using saga::Saga;

constexpr std::size_t kDoneMin = 10;
constexpr std::size_t kCompensatedMin = 5;

// What contradicts the end of a saga; empty: nothing.
std::string contradiction(const Record& record, const Saga& saga) {
  for (std::size_t step = 0; step < kSteps; ++step) {
    const Done& done = record.done(step, saga.order);
    if (saga.phase == Phase::done && !done.stands()) {
      return fmt::format("order {} is done, yet {} has no {} of it that stands",
                         saga.order,
                         kServices[step],
                         kStepNames[step]);
    }
    if (saga.phase == Phase::undone && done.stands()) {
      return fmt::format("order {} was taken back ({}), yet its {} at {} stands",
                         saga.order,
                         saga.reason,
                         kStepNames[step],
                         kServices[step]);
    }
    if (done.other_terms) {
      return fmt::format("{} did something else for order {} than was ordered: {} {}, not {} {}",
                         kServices[step],
                         saga.order,
                         record.ledger(step)[done.last].take.amount,
                         record.ledger(step)[done.last].take.object,
                         saga.terms[step].amount,
                         saga.terms[step].object);
    }
  }
  return {};
}

Verdict check_all_or_nothing(const History& history,
                             const CheckOptions& options,
                             std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  Verdict verdict;
  Findings findings;
  std::size_t done = 0;
  std::size_t undone = 0;
  for (const auto& [number, saga] : record.sagas()) {
    if (stop.stop_requested()) return verdict;
    if (!saga.has_ended()) continue;
    ++(saga.phase == Phase::done ? done : undone);
    std::string why = contradiction(record, saga);
    if (!why.empty()) findings.add(example_of(record, "half a saga", saga.order, std::move(why)));
  }
  if (findings.count() > 0) {
    findings.break_it(verdict,
                      fmt::format("{} of {} sagas that ended are neither done nor undone",
                                  findings.count(),
                                  done + undone));
  } else if (done < kDoneMin || record.compensated() < kCompensatedMin) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary =
        fmt::format("only {} sagas were done and {} had an effect to undo; {} and {} are needed",
                    done,
                    record.compensated(),
                    kDoneMin,
                    kCompensatedMin);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "{} sagas were done as a whole and {} left nothing behind, {} of them after an effect "
        "that was undone",
        done,
        undone,
        record.compensated());
  }
  verdict.measurements = {{"sagas done", static_cast<double>(done), ""},
                          {"sagas undone", static_cast<double>(undone), ""},
                          {"with an effect undone", static_cast<double>(record.compensated()), ""},
                          {"sagas in contradiction", static_cast<double>(findings.count()), ""}};
  verdict.figures = saga::figures_of(record, options.context);
  return verdict;
}

// Requests that the orchestrator told to have sent again.
std::size_t repeated_requests(const history::RunContext* context) {
  std::size_t repeated = 0;
  if (context == nullptr) return repeated;
  for (const history::NodeEvent& event : context->events) {
    for (const saga::ToldSpan& span : saga::told_spans(event)) {
      if (span.sends > 1) repeated += span.sends - 1;
    }
  }
  return repeated;
}

std::string doubled(const Record& record, std::size_t step, std::string_view order) {
  const Done& done = record.done(step, order);
  if (done.steps > 1) {
    return fmt::format(
        "{} did {} of order {} {} times", kServices[step], kStepNames[step], order, done.steps);
  }
  if (done.undos > 1) {
    return fmt::format(
        "{} did {} of order {} {} times", kServices[step], kUndoNames[step], order, done.undos);
  }
  if (done.undos > done.steps) {
    return fmt::format("{} did {} of order {}, of which there was nothing to undo",
                       kServices[step],
                       kUndoNames[step],
                       order);
  }
  return {};
}

Verdict check_once(const History& history, const CheckOptions& options, std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  Verdict verdict;
  Findings findings;
  std::size_t judged = 0;
  for (const auto& [order, operation] : record.orders()) {
    if (stop.stop_requested()) return verdict;
    for (std::size_t step = 0; step < kSteps; ++step) {
      judged += record.done(step, order).steps + record.done(step, order).undos;
      std::string why = doubled(record, step, order);
      if (!why.empty()) findings.add(example_of(record, "done twice", order, std::move(why)));
    }
  }
  const std::size_t repeated = repeated_requests(options.context);
  if (findings.count() > 0) {
    findings.break_it(
        verdict,
        fmt::format("{} steps or compensations took effect more than once", findings.count()));
  } else if (repeated == 0 || record.compensated() < kCompensatedMin) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format(
        "{} requests were told to be repeated and {} sagas were compensated; 1 and {} are needed",
        repeated,
        record.compensated(),
        kCompensatedMin);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary =
        fmt::format("none of {} effects came twice, though at least {} requests were sent again",
                    judged,
                    repeated);
  }
  verdict.measurements = {{"effects judged", static_cast<double>(judged), ""},
                          {"requests told to be repeated", static_cast<double>(repeated), ""},
                          {"effects too many", static_cast<double>(findings.count()), ""}};
  return verdict;
}

// Why the effect should not be there; empty: it may.
std::string orphaned(const Record& record, std::size_t step, const Effect& effect) {
  const Saga* const owner = record.saga_of(effect.order);
  if (owner == nullptr || owner->number != effect.saga) {
    return fmt::format("{} did {} of order {} for saga {}, of which the log of sagas knows nothing",
                       kServices[step],
                       effect.undo ? kUndoNames[step] : kStepNames[step],
                       effect.order,
                       effect.saga);
  }
  const Done& done = record.done(step, effect.order);
  if (effect.undo || owner->phase != Phase::undone) return {};
  if (done.step_after_undo) {
    return fmt::format("{} did {} of order {} after it had undone it",
                       kServices[step],
                       kStepNames[step],
                       effect.order);
  }
  if (!done.stands()) return {};
  return fmt::format("{} of order {} stands at {}, although its saga went back and ended ({})",
                     kStepNames[step],
                     effect.order,
                     kServices[step],
                     owner->reason);
}

Verdict check_no_orphans(const History& history,
                         const CheckOptions& /*options*/,
                         std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  Verdict verdict;
  Findings findings;
  std::size_t judged = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (const Effect& effect : record.ledger(step)) {
      if (stop.stop_requested()) return verdict;
      if (record.is_too_late(effect)) continue;
      ++judged;
      std::string why = orphaned(record, step, effect);
      if (!why.empty()) findings.add(example_of(record, "orphan", effect.order, std::move(why)));
    }
  }
  std::size_t unanswered = 0;
  for (const auto& [number, saga] : record.sagas()) {
    if (saga.reason.ends_with("no answer")) ++unanswered;
  }
  if (findings.count() > 0) {
    findings.break_it(verdict,
                      fmt::format("{} of {} effects are orphans", findings.count(), judged));
  } else if (unanswered == 0 || record.compensated() < kCompensatedMin) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format(
        "{} sagas went back for want of an answer and {} had an effect to undo; 1 and {} are "
        "needed",
        unanswered,
        record.compensated(),
        kCompensatedMin);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "each of {} effects belongs to a saga that wants it or was undone; {} sagas went back for "
        "want of an answer",
        judged,
        unanswered);
  }
  verdict.measurements = {{"effects judged", static_cast<double>(judged), ""},
                          {"sagas without an answer", static_cast<double>(unanswered), ""},
                          {"orphans", static_cast<double>(findings.count()), ""}};
  return verdict;
}

}  // namespace

CheckerInfo saga_all_or_nothing_info() {
  return {.name = "saga-all-or-nothing",
          .summary = "Every saga that ended has all of its effects, or none.",
          .check = check_all_or_nothing};
}

CheckerInfo saga_no_orphans_info() {
  return {.name = "saga-no-orphans",
          .summary = "No effect of a step is left without a saga that wants it.",
          .check = check_no_orphans};
}

CheckerInfo saga_once_info() {
  return {.name = "saga-once",
          .summary = "No step and no compensation of a saga takes effect twice.",
          .check = check_once};
}

}  // namespace sunder::checkers
