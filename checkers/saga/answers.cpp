// What clients were told: that it is what happened and stays so (answers-true), also through a
// crash of all services (durable).
//
// An answer is "confirmed" or "refused", to who ordered or to who asked for the order's status. It
// must be how the saga ended, and an order that definitely was not placed has no saga. Once
// answered, an order is never open or unknown again. What nobody was told is not judged here.
//
// Exercised: answers-true, 10 orders confirmed and 3 refused; durable, 5 orders answered before a
// moment at which all services were dead.

#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/crashes.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/saga/record.hpp"

namespace sunder::checkers {

CheckerInfo saga_answers_true_info();
CheckerInfo saga_durable_info();

namespace {

using history::History;
using history::Operation;
using history::Outcome;
using saga::Findings;
using saga::kServices;
using saga::kStepNames;
using saga::kSteps;
using saga::Phase;
using saga::Record;
using saga::Saga;

constexpr std::size_t kConfirmedMin = 10;
constexpr std::size_t kRefusedMin = 3;
constexpr std::size_t kAnsweredBeforeMin = 5;

std::string_view answer_name(bool confirmed) {
  return confirmed ? "confirmed" : "refused";
}

// Why the answer is not how it ended; empty: it is.
std::string untrue(const Record& record, std::string_view order, bool confirmed) {
  const Saga* const saga = record.saga_of(order);
  const std::string told = fmt::format("order {} was answered {}", order, answer_name(confirmed));
  if (saga == nullptr) return told + ", yet the order service knows nothing of it";
  if (!saga->has_ended()) return told + ", yet its saga has not ended";
  if ((saga->phase == Phase::done) != confirmed) {
    return fmt::format("{}, yet its saga is {}", told, confirmed ? "undone" : "done");
  }
  for (std::size_t step = 0; step < kSteps; ++step) {
    if (record.done(step, order).stands() == confirmed) continue;
    return fmt::format("{}, yet {} {} a {} of it",
                       told,
                       kServices[step],
                       confirmed ? "has not" : "has",
                       kStepNames[step]);
  }
  return {};
}

// The one that ended first.
struct FirstAnswer {
  std::size_t operation = 0;
  bool confirmed = false;
};

class AnswersCheck {
 public:
  AnswersCheck(const History& history, const Record& record) : history_(history), record_(record) {}

  Verdict run(const std::stop_token& stop) {
    for (std::size_t i = 0; i < history_.operations().size(); ++i) {
      if (stop.stop_requested()) return verdict_;
      judge(i);
    }
    for (const auto& [number, saga] : record_.sagas()) judge_saga(saga);
    conclude();
    return std::move(verdict_);
  }

 private:
  void judge(std::size_t index) {
    const Operation& operation = history_.operations()[index];
    const std::string_view function = saga::name_of(history_, operation);
    if (function != "order" && function != "status") return;
    const std::string_view order = history_.pool().name(operation.key);
    const auto confirmed = saga::told_confirmed(history_, operation);
    if (confirmed) {
      judge_answer(index, order, *confirmed);
    } else if (operation.outcome == Outcome::ok) {
      judge_silence(index, order);
    }
  }

  void judge_answer(std::size_t index, std::string_view order, bool confirmed) {
    const auto [first, fresh] = answers_.try_emplace(order, FirstAnswer{index, confirmed});
    if (fresh) {
      ++(confirmed ? confirmed_ : refused_);
      std::string why = untrue(record_, order, confirmed);
      if (!why.empty()) add("untrue answer", order, index, std::move(why));
    } else if (first->second.confirmed != confirmed) {
      add("two answers",
          order,
          index,
          fmt::format("order {} was answered {} and {}",
                      order,
                      answer_name(first->second.confirmed),
                      answer_name(confirmed)));
    } else if (history_.operations()[index].complete <
               history_.operations()[first->second.operation].complete) {
      first->second.operation = index;
    }
  }

  // Open or unknown, although somebody had been told its end before.
  void judge_silence(std::size_t index, std::string_view order) {
    const auto first = answers_.find(order);
    const std::vector<Operation>& operations = history_.operations();
    if (first == answers_.end() || !operations[first->second.operation].precedes(operations[index]))
      return;
    add("forgotten answer",
        order,
        index,
        fmt::format("order {} had been answered {}, and later it was {}",
                    order,
                    answer_name(first->second.confirmed),
                    operations[index].output.is_nil() ? "unknown" : "open"),
        first->second.operation);
  }

  void judge_saga(const Saga& saga) {
    const auto placed = record_.placed_by(saga.order);
    if (!placed) {
      findings_.add(
          example_of(record_,
                     "phantom order",
                     saga.order,
                     fmt::format("nobody placed order {}, yet it has a saga", saga.order)));
      return;
    }
    const Operation& operation = history_.operations()[*placed];
    if (operation.outcome == Outcome::fail) {
      findings_.add(example_of(
          record_,
          "placed after all",
          saga.order,
          fmt::format("order {} was refused before it began, yet it has a saga", saga.order)));
    } else if (!has_terms(operation, saga)) {
      findings_.add(
          example_of(record_,
                     "another order",
                     saga.order,
                     fmt::format("the saga of order {} is about something else", saga.order)));
    }
  }

  [[nodiscard]] bool has_terms(const Operation& operation, const Saga& saga) const {
    if (!operation.input.is_list()) return false;
    const auto parts = history_.pool().items_of(operation.input);
    if (parts.size() != 5 || !parts[0].is_text() || !parts[2].is_text() || !parts[4].is_text())
      return false;
    const saga::Terms ordered{{{history_.pool().text_of(parts[0]), parts[1].raw()},
                               {history_.pool().text_of(parts[2]), parts[3].raw()},
                               {history_.pool().text_of(parts[4]), 1}}};
    return ordered == saga.terms;
  }

  // `before` told it, too.
  void add(std::string title,
           std::string_view order,
           std::size_t operation,
           std::string why,
           std::optional<std::size_t> before = {}) {
    Counterexample example = example_of(record_, std::move(title), order, std::move(why));
    for (const std::size_t telling : {before.value_or(operation), operation}) {
      const bool known = std::ranges::any_of(
          example.items, [&](const auto& item) { return item.operation == telling; });
      if (!known) example.items.push_back({telling, true, "tells it"});
    }
    std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
    findings_.add(std::move(example));
  }

  void conclude() {
    if (findings_.count() > 0) {
      findings_.break_it(verdict_,
                         fmt::format("{} answers are not what happened", findings_.count()));
    } else if (confirmed_ < kConfirmedMin || refused_ < kRefusedMin) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary =
          fmt::format("only {} orders were confirmed and {} refused; {} and {} are needed",
                      confirmed_,
                      refused_,
                      kConfirmedMin,
                      kRefusedMin);
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary =
          fmt::format("{} orders that were confirmed are done, {} that were refused are undone",
                      confirmed_,
                      refused_);
    }
    verdict_.measurements = {{"orders confirmed", static_cast<double>(confirmed_), ""},
                             {"orders refused", static_cast<double>(refused_), ""},
                             {"untrue", static_cast<double>(findings_.count()), ""}};
  }

  const History& history_;
  const Record& record_;
  std::unordered_map<std::string_view, FirstAnswer> answers_;
  std::size_t confirmed_ = 0;
  std::size_t refused_ = 0;
  Findings findings_;
  Verdict verdict_;
};

Verdict check_answers_true(const History& history,
                           const CheckOptions& /*options*/,
                           std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  return AnswersCheck(history, record).run(stop);
}

Verdict check_durable(const History& history, const CheckOptions& options, std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  const bool power_loss = parameter(options, "power_loss", 0) > 0;
  const std::string_view what = power_loss ? "a loss of power" : "a crash";
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  const std::vector<history::Window> crashes = crashes_of(*options.context, power_loss);
  Verdict verdict;
  Findings findings;
  std::size_t before = 0;
  for (const Operation& operation : history.operations()) {
    if (stop.stop_requested()) return verdict;
    const auto confirmed = saga::told_confirmed(history, operation);
    if (!confirmed || crashes.empty() || saga::name_of(history, operation) != "order") continue;
    if (!is_timed(operation) || end_time(operation) >= crashes.back().begin) continue;
    ++before;
    const std::string_view order = history.pool().name(operation.key);
    std::string why = untrue(record, order, *confirmed);
    if (why.empty()) continue;
    findings.add(example_of(
        record, "lost order", order, fmt::format("before {} of all services {}", what, why)));
  }
  if (findings.count() > 0) {
    findings.break_it(verdict,
                      fmt::format("{} of {} orders answered before {} of all services were lost",
                                  findings.count(),
                                  before,
                                  what));
  } else if (crashes.empty()) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = power_loss ? "all services were never without power at once"
                                 : "all services were never dead at once";
  } else if (before < kAnsweredBeforeMin) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format(
        "only {} orders were answered before {} of all services; {} are "
        "needed",
        before,
        what,
        kAnsweredBeforeMin);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "{} orders answered before {} of all services ({} in all) are "
        "still as they were answered",
        before,
        what,
        crashes.size());
  }
  verdict.measurements = {{"crashes of all services", static_cast<double>(crashes.size()), ""},
                          {"orders answered before", static_cast<double>(before), ""},
                          {"orders lost", static_cast<double>(findings.count()), ""}};
  return verdict;
}

}  // namespace

CheckerInfo saga_answers_true_info() {
  return {.name = "saga-answers-true",
          .summary = "What a client is told of its order is what happened.",
          .check = check_answers_true};
}

CheckerInfo saga_durable_info() {
  return {.name = "saga-durable",
          .summary = "Orders answered before all services died at once are as they were answered.",
          .check = check_durable};
}

}  // namespace sunder::checkers
