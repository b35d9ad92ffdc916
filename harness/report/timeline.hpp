// Timeline: a run's history and surroundings folded into few buckets and spans, all on one axis.
//
// Its size does not depend on the history's: a million operations are at most kBucketCountMax
// buckets. Times are nanoseconds since the run's start, like everywhere.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::report {

constexpr std::size_t kBucketCountMax = 160;
constexpr std::size_t kSpanCountMax = 2000;  // of each kind: later ones are left out

struct Bucket {
  std::uint32_t ok = 0;
  std::uint32_t fail = 0;
  std::uint32_t info = 0;
  // Latency of the ok operations that completed in this bucket, nanoseconds; -1: none did.
  std::int64_t p50 = -1;
  std::int64_t p95 = -1;
  std::int64_t p99 = -1;
};

// A node that held itself for the leader, from its event until it stepped down, was killed or the
// run ended.
struct LeaderSpan {
  std::string node;
  std::int64_t term = -1;  // -1: not told
  history::Window window;
};

// A node that a fault kept from working.
struct DisabledSpan {
  std::string node;
  std::string family;
  std::uint32_t fault = 0;
  history::Window window;
};

struct Timeline {
  std::int64_t end = 0;           // the axis is [0, end)
  std::int64_t bucket_width = 0;  // 1, 2 or 5 times a power of ten
  std::vector<Bucket> buckets;    // empty when the history has no times
  std::vector<LeaderSpan> leaders;
  std::vector<DisabledSpan> disabled;
};

[[nodiscard]] Timeline make_timeline(const history::History& history,
                                     const history::RunContext& context);

// When the fault's effect can be over at the earliest: healed, or the end of its active window, or
// `end`.
[[nodiscard]] std::int64_t over_at(const history::FaultRecord& fault, std::int64_t end) noexcept;
// False for a fault that was skipped: it has no place on the axis.
[[nodiscard]] bool took_place(const history::FaultRecord& fault) noexcept;
// When the fault's effect stood, before `end`: once, or in turns when it flapped.
[[nodiscard]] std::vector<history::Window> standing_of(const history::FaultRecord& fault,
                                                       std::int64_t end);

}  // namespace sunder::report
