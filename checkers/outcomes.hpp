// Outcomes as the checkers of a run see them: was an operation answered, when did it end, how does
// a sentence name it.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

// A promise's number, or what it is when the promise does not say.
[[nodiscard]] double parameter(const CheckOptions& options,
                               std::string_view name,
                               double otherwise);
// The same, in milliseconds, as nanoseconds.
[[nodiscard]] std::int64_t parameter_ns(const CheckOptions& options,
                                        std::string_view name,
                                        double otherwise_ms);

// When the run began to read for the last time, having left the system alone: reads from then on
// show what it settled on. kUnknownTime, which is before all, without a run that tells its phases;
// kNever when it did not get there.
[[nodiscard]] std::int64_t final_reads_begin(const history::RunContext* context);

// How the error of an operation begins that the system refused by its own rules, being at work:
// a full queue, a receipt that is not valid any more.
constexpr std::string_view kRefused = "refused";

// ok, or refused by the model itself (a cas whose expected value was not there): the system did its
// work.
[[nodiscard]] bool is_answered(const history::History& history,
                               const history::Operation& operation);
// When it was over for its client; kNever when it was in flight to the end.
[[nodiscard]] std::int64_t end_time(const history::Operation& operation) noexcept;
// Both stamps are known.
[[nodiscard]] bool is_timed(const history::Operation& operation) noexcept;

// "p3 write k1 5 (12.345 s to 12.350 s)".
[[nodiscard]] std::string call_text(const history::History& history,
                                    const history::Operation& operation);
// "12.345 s".
[[nodiscard]] std::string seconds_text(std::int64_t nanoseconds);
// "4.2 ms".
[[nodiscard]] std::string milliseconds_text(std::int64_t nanoseconds);

// Latencies and gaps of the operations invoked in a window.
struct Answers {
  std::size_t operations = 0;
  std::size_t answered = 0;
  std::vector<std::int64_t> latencies;  // of answered ones; sorted
  std::int64_t longest_gap = 0;         // between answers, and to the window's ends

  // 0 ≤ share ≤ 1; of an empty window: 0.
  [[nodiscard]] std::int64_t quantile(double share) const;
  // "35 of 40 operations answered (87.5 %), latency p50 … p95 … p99 … max …, longest gap …".
  [[nodiscard]] std::string text() const;
};

// Sums up chosen operations (indices in order of invocation).
[[nodiscard]] Answers sum_up(const history::History& history,
                             const std::vector<std::size_t>& operations,
                             const history::Window& window);

// "undetermined": the checker needs what only a run knows.
[[nodiscard]] Verdict needs_a_run();

}  // namespace sunder::checkers
