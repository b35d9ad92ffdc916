// Plain log: the storage of the sabotage trust-checksum-less-log, a file of records that are
// believed as they are read.
//
// Every batch is appended and synced, and the file's name too, so that an honest loss of power
// takes nothing; but no record has a checksum, so that a torn or damaged one becomes part of the
// state.
//
// Threading and errors: as Storage says.

#pragma once

#include <filesystem>
#include <memory>

#include "nodes/replica/storage.hpp"

namespace sunder::nodes::replica {

[[nodiscard]] Result<std::unique_ptr<Storage>> open_plain_log(
    const std::filesystem::path& directory, Storage::OnWritten on_written);

}  // namespace sunder::nodes::replica
