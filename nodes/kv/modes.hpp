// The modes of sunder-kv that have a file of their own.
//
// Threading: pure functions.

#pragma once

#include "nodes/system.hpp"

namespace sunder::nodes::kv {

// quorum_mode.cpp
[[nodiscard]] Mode available_quorum_mode();
[[nodiscard]] Mode strict_quorum_mode();

}  // namespace sunder::nodes::kv
