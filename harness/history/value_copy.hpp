// Copies values from one history's pool to another's: the numbers of texts and lists mean nothing
// elsewhere.
//
// Threading: as the pools'.

#pragma once

#include "harness/history/value.hpp"

namespace sunder::history {

// The same value in `pool`. Lists are interned there.
[[nodiscard]] Value copy_value(ValuePool& pool, const ValuePool& from, Value value);

}  // namespace sunder::history
