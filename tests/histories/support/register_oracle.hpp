// What several registers answer to transactions of reads and writes, for the brute force.
//
// Written from the model's description alone; shares no code with the checkers.

#pragma once

#include <optional>
#include <string>

#include "harness/history/history.hpp"

namespace sunder::test {

// The state is "register=value;" for every one that was written, in order of their names.
[[nodiscard]] std::optional<std::string> apply_registers(const history::History& history,
                                                         const history::Operation& operation,
                                                         const std::string& state);

}  // namespace sunder::test
