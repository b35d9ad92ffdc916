#include "nodes/kv/storage.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include "nodes/kv/codec.hpp"

namespace sunder::nodes::kv {
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
  RocksStorage(std::unique_ptr<rocksdb::DB> database, OnWritten on_written)
      : database_(std::move(database)), on_written_(std::move(on_written)) {
    thread_ = std::thread([this] { write_until_stopped(); });
  }

  ~RocksStorage() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  Result<raft::Recovered> recover() override;

  void submit(WriteRequest request) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(request));
    }
    changed_.notify_one();
  }

 private:
  void write_until_stopped();
  // Empty when the key is not there.
  Result<std::string> get(const char* key);

  std::unique_ptr<rocksdb::DB> database_;
  OnWritten on_written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<WriteRequest> waiting_;  // guarded by mutex_
  bool stopping_ = false;              // guarded by mutex_
  std::thread thread_;
};

void RocksStorage::write_until_stopped() {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  while (true) {
    std::vector<WriteRequest> requests;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      requests.swap(waiting_);
    }
    rocksdb::WriteBatch batch;
    for (const WriteRequest& request : requests) add(batch, request);
    const rocksdb::Status status = database_->Write(durable, &batch);
    if (!status.ok()) {
      spdlog::critical("cannot write to disk: {}", status.ToString());
      spdlog::shutdown();
      std::_Exit(1);
    }
    on_written_(requests.back().sequence);
  }
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
                                               OnWritten on_written) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{16} << 20;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  rocksdb::DB* database = nullptr;
  const std::string path = (directory / "raft").string();
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &database);
  if (!status.ok()) return make_error(Errc::failed, "open " + path + ": " + status.ToString());
  return std::unique_ptr<Storage>(std::make_unique<RocksStorage>(
      std::unique_ptr<rocksdb::DB>(database), std::move(on_written)));
}

}  // namespace sunder::nodes::kv
