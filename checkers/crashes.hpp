// Crashes: when every node of a run was down at once, so that only what is on disk remained.
//
// A crash is kill -9 of all processes, or a loss of power on all nodes: never the two mixed,
// because the page cache survives the one and not the other.
//
// Threading: pure functions.

#pragma once

#include <string_view>
#include <vector>

#include "harness/history/run_context.hpp"

namespace sunder::checkers {

// Only faults that bit count; windows in order of time, none touching the next.
[[nodiscard]] std::vector<history::Window> crashes_of(const history::RunContext& context,
                                                      bool power_loss);

// "a crash of all processes", "a loss of power on all nodes".
[[nodiscard]] std::string_view crash_text(bool power_loss) noexcept;

}  // namespace sunder::checkers
