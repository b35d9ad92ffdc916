// Clocks: the monotonic clock for every duration, and readings of the wall clock for names and for
// nodes that believe it.
//
// Everything in a run is stamped in nanoseconds since the run's start on CLOCK_MONOTONIC, which is
// the same for every process on the machine (nodes send its absolute value on fd 3; RunClock
// subtracts the start). The wall clock is read in clock.cpp only.
//
// Threading: RunClock is immutable; use from any thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sunder::base {

using MonotonicClock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux

// Absolute CLOCK_MONOTONIC in nanoseconds, the stamp that nodes put in their events.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

// Time since the start of a run.
class RunClock {
 public:
  RunClock() noexcept : start_ns_(monotonic_ns()) {}

  explicit RunClock(std::int64_t start_ns) noexcept : start_ns_(start_ns) {}

  // Nanoseconds since the start.
  [[nodiscard]] std::int64_t now() const noexcept { return monotonic_ns() - start_ns_; }

  // A stamp of monotonic_ns() as nanoseconds since the start.
  [[nodiscard]] std::int64_t relative(std::int64_t absolute_ns) const noexcept {
    return absolute_ns - start_ns_;
  }

  [[nodiscard]] std::int64_t start_ns() const noexcept { return start_ns_; }

 private:
  std::int64_t start_ns_;
};

// What the realtime clock shows, in nanoseconds since 1970. It may jump; never measure with it.
[[nodiscard]] std::int64_t wall_ns() noexcept;

// Wall-clock time as "20260131T235959Z", for names, and as "2026-01-31T23:59:59Z", for readers.
// UTC.
[[nodiscard]] std::string utc_compact();
[[nodiscard]] std::string utc_readable();

// A seed for a run that was given none: differs from call to call. Printed, so that the run can be
// done again.
[[nodiscard]] std::uint64_t fresh_seed() noexcept;

}  // namespace sunder::base
