// What the consistency levels below linearizability have in common: their tests, and the cut from a
// violation to the few operations that contradict each other.
//
// Every test is exact for a trace (from whom each value was read is known) and weakens with it: a
// trace without some events, and without those that read from them, violates no more than the whole
// one. Definitions are in docs/checkers.md, "Registers below linearizability".
//
// Threading: one call in one thread. Deterministic but for the budget.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>

#include "checkers/levels/trace.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers::levels {

struct Limits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t memory = std::size_t{4} << 30;
  std::stop_token stop;

  [[nodiscard]] bool expired() const {
    return stop.stop_requested() || std::chrono::steady_clock::now() >= deadline;
  }
};

enum class Finding : std::uint8_t { holds, violated, out_of_time, out_of_memory };

struct Judgement {
  Finding finding = Finding::holds;
  std::uint32_t noticed = kNone;  // violated: an event of the contradiction, mostly its last
};

[[nodiscard]] constexpr Judgement violated_at(std::uint32_t event) noexcept {
  return {.finding = Finding::violated, .noticed = event};
}

using Test = Judgement (*)(const Trace& trace, const Limits& limits);

// Terry et al., PDIS 1994. Linear.
[[nodiscard]] Judgement test_read_your_writes(const Trace& trace, const Limits& limits);
[[nodiscard]] Judgement test_monotonic_reads(const Trace& trace, const Limits& limits);
[[nodiscard]] Judgement test_monotonic_writes(const Trace& trace, const Limits& limits);
// Vector clocks: O(n k) with k sessions.
[[nodiscard]] Judgement test_writes_follow_reads(const Trace& trace, const Limits& limits);

// Bouajjani, Enea, Guerraoui & Hamza, POPL 2017: causal consistency, and with convergence.
[[nodiscard]] Judgement test_causal(const Trace& trace, const Limits& limits);
[[nodiscard]] Judgement test_convergent_causal(const Trace& trace, const Limits& limits);

// Views: every session sees one order of all writes that explains its own reads (views.cpp).
[[nodiscard]] Judgement test_pram(const Trace& trace, const Limits& limits);
[[nodiscard]] Judgement test_causal_memory(const Trace& trace, const Limits& limits);

// One order for all: NP-complete (sequential.cpp).
[[nodiscard]] Judgement test_sequential(const Trace& trace, const Limits& limits);

// What comes before what at a level, for explanations.
enum class Rule : std::uint8_t {
  read_your_writes,
  monotonic_reads,
  monotonic_writes,
  writes_follow_reads,
  causal,
  convergent_causal,
  pram,
  causal_memory,
  sequential,
};

// The least part of the trace that still violates the level, as a counter-example.
[[nodiscard]] Counterexample explain(const history::History& history,
                                     const Trace& trace,
                                     const Judgement& judgement,
                                     Test test,
                                     Rule rule);

}  // namespace sunder::checkers::levels
