// Decides small histories of collections by trying every order or every matching: the oracle that
// their checkers are compared with.
//
// It shares no code with them: values are compared as texts.

#pragma once

#include <optional>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

// Whether the history keeps what the model promises at that level ("set/linearizable"). Nothing: no
// such oracle. At most 16 operations.
[[nodiscard]] std::optional<bool> collection_oracle(const history::History& history,
                                                    std::string_view model);

}  // namespace sunder::test
