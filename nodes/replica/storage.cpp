#include "nodes/replica/storage.hpp"

#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "nodes/replica/codec.hpp"
#include "nodes/replica/plain_log.hpp"
#include "nodes/storage/database.hpp"

namespace sunder::nodes::replica {
namespace {

using base::make_error;

// Keys: "h" hard state, "s" snapshot, "e" + index (8 bytes, big endian) log entries.
constexpr char kHardStateKey[] = "h";
constexpr char kSnapshotKey[] = "s";
constexpr char kEntryPrefix = 'e';
constexpr char kEntriesEnd[] = "f";

std::string entry_key(raft::Index index) {
  std::string key(1, kEntryPrefix);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(index >> shift));
  return key;
}

void add(rocksdb::WriteBatch& batch, const WriteRequest& request) {
  if (request.hard_state) batch.Put(kHardStateKey, encode_hard_state(*request.hard_state));
  if (request.snapshot) {
    batch.Put(kSnapshotKey, encode_snapshot(*request.snapshot));
    const std::string end = request.drop_log ? kEntriesEnd : entry_key(request.snapshot->index + 1);
    batch.DeleteRange(entry_key(0), end);
  }
  if (request.truncate_from) batch.DeleteRange(entry_key(*request.truncate_from), kEntriesEnd);
  for (const raft::Entry& entry : request.entries) {
    batch.Put(entry_key(entry.index), encode_entry(entry));
  }
}

class RocksStorage final : public Storage {
 public:
  RocksStorage(std::unique_ptr<rocksdb::DB> database,
               const StorageOptions& options,
               OnWritten on_written)
      : database_(std::move(database)),
        sync_(options.sync),
        writer_([this](const std::vector<WriteRequest>& requests) { return write(requests); },
                std::move(on_written)) {}

  Result<raft::Recovered> recover() override;

  void submit(WriteRequest request) override { writer_.submit(std::move(request)); }

 private:
  [[nodiscard]] Result<void> write(const std::vector<WriteRequest>& requests);
  // Empty when the key is not there.
  Result<std::string> get(const char* key);

  std::unique_ptr<rocksdb::DB> database_;
  bool sync_;
  storage::BatchWriter<WriteRequest> writer_;  // last: its thread uses the database
};

Result<void> RocksStorage::write(const std::vector<WriteRequest>& requests) {
  rocksdb::WriteOptions options;
  options.sync = sync_;
  rocksdb::WriteBatch batch;
  for (const WriteRequest& request : requests) add(batch, request);
  const rocksdb::Status status = database_->Write(options, &batch);
  if (!status.ok()) return make_error(Errc::failed, status.ToString());
  return {};
}

Result<std::string> RocksStorage::get(const char* key) {
  std::string value;
  const rocksdb::Status status = database_->Get(rocksdb::ReadOptions(), key, &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return std::string();
  return make_error(Errc::failed, "read from disk: " + status.ToString());
}

Result<raft::Recovered> RocksStorage::recover() {
  raft::Recovered recovered;
  const Result<std::string> hard_state = get(kHardStateKey);
  if (hard_state.has_error()) return hard_state.error();
  auto decoded = decode_hard_state(*hard_state);
  if (decoded.has_error()) return decoded.error();
  recovered.hard_state = *decoded;
  const Result<std::string> snapshot = get(kSnapshotKey);
  if (snapshot.has_error()) return snapshot.error();
  if (!snapshot->empty()) {
    auto loaded = decode_snapshot(*snapshot);
    if (loaded.has_error()) return loaded.error();
    recovered.snapshot = std::move(*loaded);
  }
  recovered.applied = recovered.snapshot.index;
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
  raft::Index expected = recovered.snapshot.index;
  for (at->Seek(entry_key(expected + 1)); at->Valid() && at->key()[0] == kEntryPrefix; at->Next()) {
    auto entry = decode_entry(at->value().ToStringView());
    if (entry.has_error()) return entry.error();
    if (entry->index != ++expected) return make_error(Errc::failed, "the log on disk has a gap");
    recovered.entries.push_back(std::move(*entry));
  }
  if (!at->status().ok())
    return make_error(Errc::failed, "read the log: " + at->status().ToString());
  return recovered;
}

}  // namespace

Result<std::unique_ptr<Storage>> Storage::open(const std::filesystem::path& directory,
                                               const StorageOptions& storage_options,
                                               OnWritten on_written) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (storage_options.plain_log) return open_plain_log(directory, std::move(on_written));
  const std::filesystem::path path = directory / "raft";
  storage::DatabaseOptions options;
  options.sync_directories = storage_options.sync_directories;
  auto database = storage::open_database(path, options);
  if (database.has_error()) return std::move(database).error();
  return std::unique_ptr<Storage>(
      std::make_unique<RocksStorage>(std::move(*database), storage_options, std::move(on_written)));
}

}  // namespace sunder::nodes::replica
