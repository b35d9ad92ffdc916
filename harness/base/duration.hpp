// Durations as users write and read them: "30s", "5m", "250ms", "1.5s".
//
// Units: ns, us, ms, s, m, h; a number without a unit is refused, because nobody remembers which
// one it would be.

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"

namespace sunder::base {

using Duration = std::chrono::nanoseconds;

// Parses "30s"; Errc::usage with what was expected otherwise. Never negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// Shortest readable form: "1.5s", "250ms", "12µs", "2m30s".
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace sunder::base
