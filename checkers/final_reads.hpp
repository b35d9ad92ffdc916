// Final reads: which reads of a key show what it settled on.
//
// Threading: pure functions.

#pragma once

#include <cstdint>

#include "checkers/key_split.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

// The stamp at which the last acknowledged change to a key was over; -1: there was none.
[[nodiscard]] std::int64_t settled_at(const history::History& history, const KeyOperations& key);

// Whether it is an acknowledged read, with a known result, that began after the key had settled and
// not before the time `reads_from` (final_reads_begin()).
[[nodiscard]] bool is_final_read(const history::Operation& operation,
                                 std::int64_t settled,
                                 std::int64_t reads_from) noexcept;

}  // namespace sunder::checkers
