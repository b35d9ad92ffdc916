// Summary: a run's result in one word, and its operations counted by phase and by function with
// their latencies.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/history/history.hpp"
#include "harness/report/report.hpp"

namespace sunder::report {

// What a promise came to, in words: "kept", …, "price".
[[nodiscard]] std::string_view verdict_name(const PromiseResult& promise) noexcept;

// "kept", "broken", "undetermined", "not exercised" or "harness failed": what the exit code says,
// in a word.
[[nodiscard]] std::string_view result_of(const RunReport& report) noexcept;
// What that means for the reader, one sentence.
[[nodiscard]] std::string_view meaning_of(std::string_view result) noexcept;

struct OperationRow {
  std::string name;  // of the phase or the function
  std::uint64_t ok = 0;
  std::uint64_t fail = 0;
  std::uint64_t info = 0;
  // Of the ok operations, nanoseconds; -1: unknown.
  std::int64_t p50 = -1;
  std::int64_t p95 = -1;
  std::int64_t p99 = -1;
  std::int64_t maximum = -1;

  [[nodiscard]] std::uint64_t total() const noexcept { return ok + fail + info; }
};

struct OperationTable {
  OperationRow all;
  std::vector<OperationRow> phases;     // by the time of invocation; only phases that have any
  std::vector<OperationRow> functions;  // sorted by name
};

[[nodiscard]] OperationTable count_operations(const history::History& history,
                                              const history::RunContext& context);

// "1.503 s", "12.5 ms", "–" for unknown.
[[nodiscard]] std::string latency_text(std::int64_t nanoseconds);
// Seconds since the start: "1.503 s".
[[nodiscard]] std::string time_text(std::int64_t nanoseconds);
// "2,314" or "0.973": at most six significant digits.
[[nodiscard]] std::string number_text(double value);

// The number without separators when it names something (a pid), the unit only when the name does
// not say it.
struct EvidenceText {
  std::string number;
  std::string unit;
};

[[nodiscard]] EvidenceText text_of(const history::Evidence& evidence);
// "packets dropped 2,314"; "install 1.2 ms".
[[nodiscard]] std::string evidence_text(const history::Evidence& evidence);

}  // namespace sunder::report
