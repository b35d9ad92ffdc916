// Log check: whether RocksDB's write-ahead logs are damaged where they had been synced.
//
// After a loss of power the last record of a log may be torn, and RocksDB rightly takes the log to
// end before it. It would do the same for a damaged record in the middle and silently forget what
// was acknowledged. Here the difference can be told: the storage writes a record only after the one
// before it was synced, so a record that begins behind a damaged one proves that the damaged one
// had been durable. A node with such a log must not vote (Alagappan et al., Protocol-Aware
// Recovery, FAST'18). A damaged last record cannot be told from a torn one.
//
// Threading: pure but for reading the files.

#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "harness/base/error.hpp"

namespace sunder::nodes::storage {

// The offset of a damaged record that a whole one follows; none when the log is sound, torn at its
// end included. The format is RocksDB's: blocks of 32 KiB, records of checksum, length and type.
[[nodiscard]] std::optional<std::size_t> damaged_record(std::string_view log);

// The same for every log of a database directory; a directory that does not exist is sound.
[[nodiscard]] Result<void> check_logs(const std::filesystem::path& database);

}  // namespace sunder::nodes::storage
