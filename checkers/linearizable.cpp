// The checker row "linearizable": the promise that every operation took effect at one instant.
//
// Exercise rule: at least 100 acknowledged operations and, when faults were asked for, at least one
// operation that overlaps a fault which bit. What is broken is broken, exercised or not.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/checker.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;

constexpr double kAcknowledgedMin = 100;

// Whether some client's operation was under way while a fault that bit stood.
bool overlaps_fault(const history::History& history, const history::RunContext& context) {
  for (const history::FaultRecord& fault : context.faults) {
    if (!fault.exercised) continue;
    const bool overlapped =
        std::ranges::any_of(history.operations(), [&](const Operation& operation) {
          if (operation.invoke_time == history::kUnknownTime) return false;
          const std::int64_t end = operation.complete_time == history::kUnknownTime
                                       ? history::kNever
                                       : operation.complete_time;
          return operation.invoke_time < fault.active.end && end >= fault.active.begin;
        });
    if (overlapped) return true;
  }
  return false;
}

// Why the run proves nothing; empty when it does.
std::string unexercised(const history::History& history, const CheckOptions& options) {
  const auto found = options.parameters.find("acknowledged_min");
  const double least = found == options.parameters.end() ? kAcknowledgedMin : found->second;
  const auto acknowledged = static_cast<double>(
      std::ranges::count(history.operations(), Outcome::ok, &Operation::outcome));
  if (acknowledged < least) {
    return fmt::format("only {} operations were acknowledged, fewer than {}", acknowledged, least);
  }
  if (!options.context->faults.empty() && !overlaps_fault(history, *options.context)) {
    return "no operation overlapped a fault that bit";
  }
  return {};
}

Verdict check_linearizable(const history::History& history,
                           const CheckOptions& options,
                           std::stop_token stop) {
  Verdict verdict;
  const auto model = find_model(options.model.empty() ? "register" : options.model);
  if (model.has_error()) {
    verdict.summary = model.error().context;
    return verdict;
  }
  verdict = check_model(history, *model, options, std::move(stop));
  if (verdict.kind != VerdictKind::kept || options.context == nullptr) return verdict;
  const std::string reason = unexercised(history, options);
  if (!reason.empty()) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.details.push_back(verdict.summary);
    verdict.summary = reason;
  }
  return verdict;
}

}  // namespace

CheckerInfo linearizable_info() {
  return {.name = "linearizable",
          .summary = "Every operation took effect at one instant between its start and its end.",
          .check = check_linearizable};
}

}  // namespace sunder::checkers
