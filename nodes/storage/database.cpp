#include "nodes/storage/database.hpp"

#include <fcntl.h>
#include <rocksdb/options.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "nodes/storage/log_check.hpp"

namespace sunder::nodes::storage {

Result<void> sync_directory(const std::filesystem::path& directory) {
  const base::FileDescriptor descriptor(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid() || ::fsync(descriptor.get()) != 0)
    return base::system_error("sync " + directory.string());
  return {};
}

Result<std::unique_ptr<rocksdb::DB>> open_database(const std::filesystem::path& path,
                                                   const DatabaseOptions& database_options) {
  SUNDER_TRY(check_logs(path));
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{16} << 20;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  // Damage anywhere but in the torn end of a log (log_check.hpp) is an error, never repaired by
  // forgetting.
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path.string(), &database);
  if (!status.ok()) {
    return base::make_error(Errc::failed, "open " + path.string() + ": " + status.ToString());
  }
  std::unique_ptr<rocksdb::DB> opened(database);
  // RocksDB syncs what it does inside its directory; the name of that directory is ours to sync.
  if (database_options.sync_directories) {
    const std::filesystem::path directory = std::filesystem::absolute(path).parent_path();
    SUNDER_TRY(sync_directory(directory));
    SUNDER_TRY(sync_directory(directory.parent_path()));
  }
  return opened;
}

}  // namespace sunder::nodes::storage
