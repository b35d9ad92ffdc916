// Records: a quorum node's versions and hints as the records of its store.
//
// "v" + key: its own version of the key; "h" + owner (four bytes, big endian) + key: a hint.
//
// Threading: pure functions. Errors: a record that is none of ours.

#pragma once

#include <string_view>

#include "harness/base/error.hpp"
#include "nodes/quorum/core.hpp"
#include "nodes/storage/record_store.hpp"

namespace sunder::nodes::quorum {

[[nodiscard]] storage::Record record_of(const Change& change);
// Adds what the record says.
[[nodiscard]] Result<void> take_record(std::string_view name,
                                       std::string_view value,
                                       Recovered& recovered);

}  // namespace sunder::nodes::quorum
