// RecordStore: named records on disk (RocksDB), written in batches and synced before anybody hears
// of them.
//
// For machines that keep their state as records rather than as a log. One thread of its own takes
// all batches that wait, writes them as one synced RocksDB batch and reports the last sequence
// number. Batches reach the disk in the order of submit(), each whole or not at all; recovery after
// SIGKILL at any instant finds a prefix of them.
//
// Threading: submit(), recover() and read() on the loop; `on_written` is called on the store's
// thread (post it). A write that fails ends the process.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "nodes/storage/batch_writer.hpp"

namespace sunder::nodes::storage {

struct Record {
  std::string name;
  std::optional<std::string> value;  // none: it is deleted
};

struct RecordBatch {
  std::uint64_t sequence = 0;
  std::vector<Record> records;  // the last of a name counts
};

struct RecordStoreOptions {
  std::string name;              // of the database's directory
  bool sync = true;              // a sabotage: no
  bool sync_directories = true;  // a sabotage: no
};

class RecordStore {
 public:
  using Visitor = std::function<Result<void>(std::string_view name, std::string_view value)>;

  [[nodiscard]] static Result<std::unique_ptr<RecordStore>> open(
      const std::filesystem::path& directory, RecordStoreOptions options, OnWritten on_written);
  // Writes what was submitted, then ends the thread.
  virtual ~RecordStore() = default;

  // Every record on disk, in the order of names; the first error of the visitor ends it.
  // Precondition: nothing was submitted yet.
  [[nodiscard]] virtual Result<void> recover(const Visitor& visit) = 0;
  // Records on disk by now, named from `first` on and before `end`, in the order of names, at most
  // `limit` of them; the first error of the visitor ends it.
  [[nodiscard]] virtual Result<void> read(std::string_view first,
                                          std::string_view end,
                                          std::size_t limit,
                                          const Visitor& visit) = 0;
  virtual void submit(RecordBatch batch) = 0;
};

}  // namespace sunder::nodes::storage
