// Decides small histories by trying every order (Wing & Gong, 1993): the oracle that the checkers
// are compared with.
//
// It shares no code with them: it reads operations and values as recorded, with states as plain
// texts.

#pragma once

#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

// Whether one object's history is linearizable as that model (one of kOracles). At most 16
// operations.
[[nodiscard]] bool brute_force_linearizable(const history::History& history,
                                            std::string_view model);

}  // namespace sunder::test
