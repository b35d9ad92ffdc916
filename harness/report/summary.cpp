#include "harness/report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "harness/report/timeline.hpp"

namespace sunder::report {
namespace {

using checkers::VerdictKind;
using history::History;
using history::kUnknownTime;
using history::Operation;
using history::Outcome;
using history::RunContext;

// Counts and latencies of one row, until they are sorted.
struct Tally {
  OperationRow row;
  std::vector<std::int64_t> latencies;

  void add(const Operation& operation) {
    switch (operation.outcome) {
      case Outcome::ok:
        ++row.ok;
        break;
      case Outcome::fail:
        ++row.fail;
        break;
      case Outcome::info:
        ++row.info;
        break;
    }
    const bool timed =
        operation.invoke_time >= 0 && operation.complete_time >= operation.invoke_time;
    if (timed && operation.outcome == Outcome::ok) {
      latencies.push_back(operation.complete_time - operation.invoke_time);
    }
  }

  OperationRow finish(std::string name) {
    row.name = std::move(name);
    if (latencies.empty()) return row;
    std::ranges::sort(latencies);
    const auto at = [&](double q) {
      return latencies[static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1) +
                                                0.5)];
    };
    row.p50 = at(0.50);
    row.p95 = at(0.95);
    row.p99 = at(0.99);
    row.maximum = latencies.back();
    return row;
  }
};

// "1,234,567".
std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace

std::string_view verdict_name(const PromiseResult& promise) noexcept {
  return promise.price ? "price" : name_of(promise.verdict.kind);
}

std::string_view result_of(const RunReport& report) noexcept {
  if (report.exit_code >= 3 || !report.harness_error.empty()) return "harness failed";
  if (report.exit_code == 0) return "kept";
  if (report.exit_code == 1) return "broken";
  const bool undecided = std::ranges::any_of(report.promises, [](const PromiseResult& promise) {
    return promise.verdict.kind == VerdictKind::undetermined;
  });
  return undecided || report.promises.empty() ? "undetermined" : "not exercised";
}

std::string_view meaning_of(std::string_view result) noexcept {
  if (result == "kept") return "Every promise that applies was exercised and held.";
  if (result == "broken")
    return "At least one promise did not hold: the system under test is at fault.";
  if (result == "undetermined")
    return "A promise could not be decided: this run proves nothing about it.";
  if (result == "not exercised")
    return "A requested fault or load never bit: this run proves nothing about it.";
  return "The harness itself failed: this run says nothing about the system under test.";
}

OperationTable count_operations(const History& history, const RunContext& context) {
  Tally all;
  std::vector<Tally> phases(context.phases.size());
  std::map<std::string_view, Tally> functions;
  for (const Operation& operation : history.operations()) {
    all.add(operation);
    const std::string_view recorded = history.pool().name(operation.function_name);
    functions[recorded.empty() ? name_of(operation.function) : recorded].add(operation);
    if (operation.invoke_time == kUnknownTime) continue;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      if (!context.phases[i].window.contains(operation.invoke_time)) continue;
      phases[i].add(operation);
      break;
    }
  }
  OperationTable table;
  table.all = all.finish("all");
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (phases[i].row.total() > 0) table.phases.push_back(phases[i].finish(context.phases[i].name));
  }
  for (auto& [name, tally] : functions) table.functions.push_back(tally.finish(std::string(name)));
  return table;
}

std::string latency_text(std::int64_t nanoseconds) {
  if (nanoseconds < 0) return "–";
  const auto value = static_cast<double>(nanoseconds);
  if (value < 1e6) return fmt::format("{:.3g} µs", std::round(value / 1e3));
  if (value < 1e9)
    return fmt::format("{:.{}f} ms", value / 1e6, value < 1e7 ? 2 : value < 1e8 ? 1 : 0);
  return fmt::format("{:.2f} s", value / 1e9);
}

std::string time_text(std::int64_t nanoseconds) {
  if (nanoseconds < 0) return "–";
  return fmt::format("{:.3f} s", static_cast<double>(nanoseconds) / 1e9);
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "–";
  const bool whole = std::floor(value) == value && std::abs(value) < 1e15;
  if (!whole) return fmt::format("{:.4g}", value);
  const std::string digits = grouped(static_cast<std::uint64_t>(std::abs(value)));
  return fmt::format("{}{}", value < 0 ? "-" : "", digits);
}

EvidenceText text_of(const history::Evidence& evidence) {
  EvidenceText text;
  const bool is_name =
      evidence.name.find("pid") != std::string::npos && std::isfinite(evidence.value);
  text.number = is_name ? fmt::format("{:.0f}", evidence.value) : number_text(evidence.value);
  if (evidence.name.find(evidence.unit) == std::string::npos) text.unit = evidence.unit;
  return text;
}

std::string evidence_text(const history::Evidence& evidence) {
  const EvidenceText text = text_of(evidence);
  const std::string_view space = text.unit.empty() ? "" : " ";
  return fmt::format("{} {}{}{}", evidence.name, text.number, space, text.unit);
}

}  // namespace sunder::report
