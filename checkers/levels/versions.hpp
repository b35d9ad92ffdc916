// Versions: the writes of one key with their reads, as intervals, and what can be said of how far
// its reads lag behind (staleness.hpp).
//
// Threading: built by one thread, then read by any number.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "checkers/instants.hpp"
#include "checkers/levels/levels.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers::levels {

// A value of one key. The first one of a key is the initial value, written before all time.
struct Version {
  std::uint32_t write = kNone;  // an operation; kNone: the initial value
  Interval written;             // ends no later than the first read of it
  std::vector<std::uint32_t> reads;
};

struct Versions {
  std::vector<Version> all;
};

// By stamps, or by times in nanoseconds.
enum class Clock : std::uint8_t { stamps, times };

[[nodiscard]] Interval interval_of(const history::Operation& operation, Clock clock) noexcept;

// An operation of one key that found what nobody can have written by then.
struct Impossible {
  std::uint32_t operation = kNone;
  bool unmade = false;  // nobody wrote it at all
};

// The first one, of any register.
[[nodiscard]] std::optional<Impossible> find_impossible(const history::History& history,
                                                        std::span<const std::uint32_t> operations);

// Nothing: a value is written twice, or an operation is neither a read nor a write.
[[nodiscard]] std::optional<Versions> versions_of(const history::History& history,
                                                  std::span<const std::uint32_t> operations,
                                                  Clock clock);

constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();

// The smallest time by which reads must begin earlier to make the key linearizable; kUnbounded:
// none suffices.
[[nodiscard]] std::int64_t smallest_delta(const history::History& history,
                                          const Versions& versions,
                                          Clock clock);

// How much one read certainly lagged.
struct Lag {
  std::uint32_t read = kNone;
  std::uint32_t versions = 0;  // writes that lie wholly between the write it read and it
  std::int64_t time = 0;       // since the first of them had ended
};

// One for each read, in the order of the history.
[[nodiscard]] std::vector<Lag> lags_of(const history::History& history,
                                       const Versions& versions,
                                       Clock clock);

// Whether some order lets every read find one of the last two values.
[[nodiscard]] Finding test_two_atomic(const history::History& history,
                                      const Versions& versions,
                                      Clock clock,
                                      const Limits& limits);

// The k that the order of writes by their ends achieves, or kNone when it contradicts real time.
[[nodiscard]] std::uint32_t achieved_k(const history::History& history,
                                       const Versions& versions,
                                       Clock clock);

}  // namespace sunder::checkers::levels
