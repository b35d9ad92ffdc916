#include "nodes/storage/record_store.hpp"

#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "nodes/storage/database.hpp"

namespace sunder::nodes::storage {
namespace {

using base::make_error;

class RocksRecords final : public RecordStore {
 public:
  RocksRecords(std::unique_ptr<rocksdb::DB> database,
               RecordStoreOptions options,
               OnWritten on_written)
      : database_(std::move(database)),
        options_(std::move(options)),
        writer_([this](const std::vector<RecordBatch>& batches) { return write(batches); },
                std::move(on_written)) {}

  Result<void> recover(const Visitor& visit) override;
  Result<void> read(std::string_view first,
                    std::string_view end,
                    std::size_t limit,
                    const Visitor& visit) override;

  void submit(RecordBatch batch) override { writer_.submit(std::move(batch)); }

 private:
  [[nodiscard]] Result<void> write(const std::vector<RecordBatch>& batches);

  std::unique_ptr<rocksdb::DB> database_;
  RecordStoreOptions options_;
  BatchWriter<RecordBatch> writer_;  // last: its thread uses the database
};

Result<void> RocksRecords::write(const std::vector<RecordBatch>& batches) {
  rocksdb::WriteBatch batch;
  for (const RecordBatch& one : batches) {
    for (const Record& record : one.records) {
      if (record.value) {
        batch.Put(record.name, *record.value);
      } else {
        batch.Delete(record.name);
      }
    }
  }
  rocksdb::WriteOptions options;
  options.sync = options_.sync;
  const rocksdb::Status status = database_->Write(options, &batch);
  if (!status.ok()) return make_error(Errc::failed, status.ToString());
  return {};
}

Result<void> RocksRecords::recover(const Visitor& visit) {
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    SUNDER_TRY(visit(at->key().ToStringView(), at->value().ToStringView()));
  }
  if (at->status().ok()) return {};
  return make_error(Errc::failed, "read the records: " + at->status().ToString());
}

Result<void> RocksRecords::read(std::string_view first,
                                std::string_view end,
                                std::size_t limit,
                                const Visitor& visit) {
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
  std::size_t count = 0;
  for (at->Seek(rocksdb::Slice(first.data(), first.size())); at->Valid() && count < limit;
       at->Next(), ++count) {
    const std::string_view name = at->key().ToStringView();
    if (name >= end) break;
    SUNDER_TRY(visit(name, at->value().ToStringView()));
  }
  if (at->status().ok()) return {};
  return make_error(Errc::failed, "read the records: " + at->status().ToString());
}

}  // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::filesystem::path& directory,
                                                       RecordStoreOptions options,
                                                       OnWritten on_written) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  DatabaseOptions database_options;
  database_options.sync_directories = options.sync_directories;
  auto database = open_database(directory / options.name, database_options);
  if (database.has_error()) return std::move(database).error();
  return std::unique_ptr<RecordStore>(std::make_unique<RocksRecords>(
      std::move(*database), std::move(options), std::move(on_written)));
}

}  // namespace sunder::nodes::storage
