#include "harness/run/judge.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkers/checker.hpp"
#include "checkers/lattice.hpp"

namespace sunder::run {
namespace {

using checkers::Verdict;
using checkers::VerdictKind;

constexpr std::chrono::nanoseconds kPriceBudget = std::chrono::seconds(10);

bool any_requested(const std::vector<std::string>& wanted,
                   const std::vector<std::string>& families) {
  return std::ranges::any_of(wanted, [&](const std::string& family) {
    return std::ranges::find(families, family) != families.end();
  });
}

// Why the promise does not apply; empty: it does.
std::string inapplicable(const nodes::Promise& promise, const std::vector<std::string>& families) {
  if (!promise.needs.empty() && !any_requested(promise.needs, families)) {
    return fmt::format("needs a fault of: {}", fmt::join(promise.needs, ", "));
  }
  return {};
}

// Not promised at all, or not under these faults: a price, if it does not hold.
bool is_given_up(const nodes::Promise& promise, const std::vector<std::string>& families) {
  return promise.price || any_requested(promise.unless, families);
}

// "always; not promised under: clock-jump".
std::string condition_of(const nodes::Promise& promise, const std::vector<std::string>& families) {
  if (!any_requested(promise.unless, families)) return promise.condition;
  return fmt::format(
      "{}; not promised under: {}", promise.condition, fmt::join(promise.unless, ", "));
}

Verdict decide(const nodes::Promise& promise,
               const nodes::Mode& mode,
               const history::History& history,
               const history::RunContext& context,
               const JudgeOptions& options,
               std::stop_token stop) {
  Verdict verdict;
  std::string reason = inapplicable(promise, options.families);
  if (!reason.empty()) {
    verdict.kind = VerdictKind::not_applicable;
    verdict.summary = std::move(reason);
    return verdict;
  }
  const checkers::CheckerInfo* checker = checkers::find_checker(promise.checker);
  if (checker == nullptr) {
    verdict.summary = fmt::format("this build has no checker '{}'", promise.checker);
    return verdict;
  }
  checkers::CheckOptions check;
  check.model = promise.model;
  // What decides nothing is not worth the full time.
  check.time_budget = is_given_up(promise, options.families)
                          ? std::min(options.time_budget, kPriceBudget)
                          : options.time_budget;
  check.context = &context;
  check.parameters = promise.parameters;
  check.parameters.emplace("election_timeout_ms",
                           static_cast<double>(mode.election_timeout.count()));
  try {
    verdict = checker->check(history, check, std::move(stop));
  } catch (const std::exception& caught) {
    verdict = Verdict();
    verdict.summary = fmt::format("the checker {} failed: {}", promise.checker, caught.what());
  }
  return verdict;
}

// What nobody promised is not broken; only that it was seen is told.
void state_price(report::PromiseResult& result) {
  Verdict& verdict = result.verdict;
  result.price = verdict.kind == VerdictKind::broken;
  if (!result.price && verdict.kind != VerdictKind::not_applicable) {
    verdict.summary = "not promised, and this run does not show it: " + verdict.summary;
  }
  verdict.kind = VerdictKind::not_applicable;
}

// An overloaded host may have broken the timing itself: it is said, and nobody is blamed.
void excuse_overload(Verdict& verdict, const history::RunContext& context) {
  if (verdict.kind != VerdictKind::broken || context.host_overload.empty()) return;
  verdict.kind = VerdictKind::undetermined;
  verdict.summary =
      fmt::format("the host was overloaded ({}), so this cannot be held against the system: {}",
                  context.host_overload,
                  verdict.summary);
}

report::PromiseResult stays_up(const JudgeOptions& options) {
  report::PromiseResult result{
      .name = "stays-up",
      .sentence = "No node ends unless it is told to.",
      .condition = "always",
      .checker = "process table",
      .source = "sunder's own expectation of every server",
      .verdict = {},
  };
  if (!options.deaths_known) {
    result.verdict.summary = "the run ended before it could say how its nodes did";
    return result;
  }
  const bool kept = options.unexpected_deaths.empty();
  result.verdict.kind = kept ? VerdictKind::kept : VerdictKind::broken;
  result.verdict.summary = kept ? "every node ran until it was told to stop"
                                : fmt::format("{}", fmt::join(options.unexpected_deaths, "; "));
  return result;
}

report::PromiseResult faults_bit(const history::RunContext& context, const JudgeOptions& options) {
  report::PromiseResult result{
      .name = "faults-bit",
      .sentence = "Every requested fault family bit at least once, with evidence.",
      .condition = "when faults are requested",
      .checker = "evidence in faults.jsonl",
      .source = "DESIGN: an idle fault is not a kept promise",
      .verdict = {},
  };
  Verdict& verdict = result.verdict;
  if (options.families.empty()) {
    verdict.kind = VerdictKind::not_applicable;
    verdict.summary = "no fault was requested";
    return result;
  }
  std::vector<std::string> idle;
  std::size_t bit = 0;
  for (const std::string& family : options.families) {
    const auto of_family = [&](const history::FaultRecord& fault) {
      return fault.family == family && fault.exercised;
    };
    const auto count = std::ranges::count_if(context.faults, of_family);
    bit += static_cast<std::size_t>(count);
    if (count == 0) idle.push_back(family);
  }
  for (const history::FaultRecord& fault : context.faults) {
    if (!fault.exercised) {
      verdict.details.push_back(
          fmt::format("{} did not bite: {}", fault.description, fault.reason));
    }
  }
  verdict.measurements.push_back({"faults that bit", static_cast<double>(bit), ""});
  verdict.measurements.push_back(
      {"faults planned", static_cast<double>(context.faults.size()), ""});
  verdict.kind = idle.empty() ? VerdictKind::kept : VerdictKind::not_exercised;
  verdict.summary = idle.empty() ? fmt::format("{} of {} faults bit", bit, context.faults.size())
                                 : fmt::format("never bit: {}", fmt::join(idle, ", "));
  return result;
}

// Where the run places the system among the levels of its promise's model: nobody promised it, so
// it can only be told.
std::optional<report::PromiseResult> strongest_model(const nodes::Mode& mode,
                                                     const history::History& history,
                                                     const JudgeOptions& options,
                                                     const std::stop_token& stop) {
  const auto promise = std::ranges::find(mode.promises, "linearizable", &nodes::Promise::checker);
  if (promise == mode.promises.end()) return std::nullopt;
  const auto choice = checkers::find_model(promise->model.empty() ? "register" : promise->model);
  if (choice.has_error() || choice->model->levels.size() < 2) return std::nullopt;
  report::PromiseResult result{
      .name = "strongest-model",
      .sentence = fmt::format("The strongest level of {} that this run does not refute.",
                              choice->model->name),
      .condition = "told, not promised",
      .checker = "lattice",
      .source = "sunder's own question to every history",
      .verdict = {},
  };
  checkers::CheckOptions check;
  check.time_budget =
      std::min<std::chrono::nanoseconds>(options.time_budget, std::chrono::seconds(10));
  result.verdict = checkers::place(history, *choice->model, check, stop).verdict();
  if (result.verdict.kind != VerdictKind::kept) result.verdict.kind = VerdictKind::not_applicable;
  return result;
}

}  // namespace

std::vector<report::PromiseResult> judge(const nodes::Mode& mode,
                                         const history::History& history,
                                         const history::RunContext& context,
                                         const JudgeOptions& options,
                                         std::stop_token stop) {
  std::vector<report::PromiseResult> results;
  for (const nodes::Promise& promise : mode.promises) {
    if (options.on_promise) options.on_promise(promise.name);
    report::PromiseResult result{.name = promise.name,
                                 .sentence = promise.sentence,
                                 .condition = condition_of(promise, options.families),
                                 .checker = promise.checker,
                                 .source = promise.source,
                                 .verdict = decide(promise, mode, history, context, options, stop)};
    if (is_given_up(promise, options.families)) {
      state_price(result);
    } else if (promise.time_based) {
      excuse_overload(result.verdict, context);
    }
    results.push_back(std::move(result));
  }
  if (auto placed = strongest_model(mode, history, options, stop)) {
    results.push_back(std::move(*placed));
  }
  results.push_back(stays_up(options));
  results.push_back(faults_bit(context, options));
  return results;
}

ExitCode exit_code_of(const std::vector<report::PromiseResult>& promises) noexcept {
  VerdictKind worst = VerdictKind::not_applicable;
  for (const report::PromiseResult& promise : promises) {
    worst = checkers::worse(worst, promise.verdict.kind);
  }
  if (worst == VerdictKind::broken) return ExitCode::broken;
  const bool proves_nothing =
      worst == VerdictKind::undetermined || worst == VerdictKind::not_exercised;
  return proves_nothing ? ExitCode::undetermined : ExitCode::kept;
}

}  // namespace sunder::run
