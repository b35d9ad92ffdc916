// Parameters of faults: their text forms, limits and defaults, as the rows of a family say.
//
// Threading: pure functions. Errors: Errc::usage, one line that names the parameter and its limits.

#pragma once

#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

// The value in the one form that reads back exactly: "1500ms", "2.5%", "10mbit".
[[nodiscard]] Result<std::string> canonical_value(const FaultParameter& parameter,
                                                  std::string_view text);

// "20ms to 10m", "one of: fast, slow", "letters, digits and ._*?/-": for messages and docs.
[[nodiscard]] std::string limits_of(const FaultParameter& parameter);

// "duration", "percent", "rate" …
[[nodiscard]] std::string_view name_of(ParameterKind kind) noexcept;

// Reads back exactly by parse_duration: "1500ms", never rounded.
[[nodiscard]] std::string exact_duration(std::chrono::nanoseconds duration);

}  // namespace sunder::nemesis
