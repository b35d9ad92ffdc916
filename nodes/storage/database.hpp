// Opens a node's RocksDB so that what it acknowledged survives, and damage is never taken for the
// end of a log.
//
// The directory's own name is synced, which RocksDB leaves to its caller. A log that is damaged
// where it had been synced (log_check.hpp) is refused: the node must not answer from it.
//
// Threading: any; the database is the caller's. Errors name the path and what RocksDB says.

#pragma once

#include <filesystem>
#include <memory>

#include <rocksdb/db.h>

#include "harness/base/error.hpp"

namespace sunder::nodes::storage {

struct DatabaseOptions {
  bool sync_directories = true;  // a sabotage: no
};

// `path` is made when it does not exist; its parent must.
[[nodiscard]] Result<std::unique_ptr<rocksdb::DB>> open_database(const std::filesystem::path& path,
                                                                 const DatabaseOptions& options);

// Makes the names in a directory durable.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace sunder::nodes::storage
