#include "checkers/outcomes.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "checkers/phases.hpp"

namespace sunder::checkers {

using history::History;
using history::kNever;
using history::kUnknownTime;
using history::Operation;
using history::Outcome;

double parameter(const CheckOptions& options, std::string_view name, double otherwise) {
  const auto found = options.parameters.find(std::string(name));
  return found == options.parameters.end() ? otherwise : found->second;
}

std::int64_t final_reads_begin(const history::RunContext* context) {
  if (context == nullptr || context->phases.empty()) return history::kUnknownTime;
  const history::Phase* const phase = find_phase(*context, "final reads");
  return phase == nullptr ? history::kNever : phase->window.begin;
}

std::int64_t parameter_ns(const CheckOptions& options, std::string_view name, double otherwise_ms) {
  return std::llround(parameter(options, name, otherwise_ms) * 1e6);
}

bool is_answered(const History& history, const Operation& operation) {
  if (operation.outcome == Outcome::ok) return true;
  if (operation.outcome != Outcome::fail) return false;
  const std::string_view error = history.pool().name(operation.error);
  if (error.starts_with(kRefused)) return true;
  return operation.function == history::Function::cas && (error.empty() || error == "cas-mismatch");
}

std::int64_t end_time(const Operation& operation) noexcept {
  return operation.complete_time == kUnknownTime ? kNever : operation.complete_time;
}

bool is_timed(const Operation& operation) noexcept {
  return operation.invoke_time != kUnknownTime &&
         (operation.complete_time != kUnknownTime || operation.outcome == Outcome::info);
}

std::string call_text(const History& history, const Operation& operation) {
  const std::int64_t end = end_time(operation);
  return fmt::format("p{} {} ({} to {})",
                     operation.process,
                     history.describe(operation),
                     seconds_text(operation.invoke_time),
                     end == kNever ? "never" : seconds_text(end));
}

std::string seconds_text(std::int64_t nanoseconds) {
  return fmt::format("{:.3f} s", static_cast<double>(nanoseconds) / 1e9);
}

std::string milliseconds_text(std::int64_t nanoseconds) {
  return fmt::format("{:.1f} ms", static_cast<double>(nanoseconds) / 1e6);
}

std::int64_t Answers::quantile(double share) const {
  if (latencies.empty()) return 0;
  const auto rank =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies.size())));
  return latencies[std::clamp<std::size_t>(rank, 1, latencies.size()) - 1];
}

std::string Answers::text() const {
  if (operations == 0) return "no operations";
  const double share = 100.0 * static_cast<double>(answered) / static_cast<double>(operations);
  std::string text =
      fmt::format("{} of {} operations answered ({:.1f} %)", answered, operations, share);
  if (answered == 0) return text;
  return text + fmt::format(", latency p50 {}, p95 {}, p99 {}, max {}, longest gap {}",
                            milliseconds_text(quantile(0.5)),
                            milliseconds_text(quantile(0.95)),
                            milliseconds_text(quantile(0.99)),
                            milliseconds_text(quantile(1)),
                            milliseconds_text(longest_gap));
}

Answers sum_up(const History& history,
               const std::vector<std::size_t>& operations,
               const history::Window& window) {
  Answers answers;
  std::vector<std::int64_t> ends;
  for (const std::size_t index : operations) {
    const Operation& operation = history.operations()[index];
    ++answers.operations;
    if (!is_answered(history, operation)) continue;
    ++answers.answered;
    answers.latencies.push_back(end_time(operation) - operation.invoke_time);
    ends.push_back(end_time(operation));
  }
  std::ranges::sort(answers.latencies);
  std::ranges::sort(ends);
  std::int64_t last = window.begin;
  for (const std::int64_t end : ends) {
    if (end > window.end) break;
    answers.longest_gap = std::max(answers.longest_gap, end - last);
    last = std::max(last, end);
  }
  if (window.end != kNever) answers.longest_gap = std::max(answers.longest_gap, window.end - last);
  return answers;
}

Verdict needs_a_run() {
  Verdict verdict;
  verdict.summary = "needs what happened around the operations: only a run knows it";
  return verdict;
}

}  // namespace sunder::checkers
