// Storage: a node's log, hard state and snapshot in RocksDB, synced before anybody hears of them.
//
// One thread of its own takes all batches that wait, writes them as one synced RocksDB batch and
// reports the last sequence number: the busier the node, the larger the batches. Batches reach the
// disk in the order of submit(). Recovery after SIGKILL at any instant finds a prefix of the
// batches, each whole.
//
// Threading: submit() and recover() on the loop; `on_written` is called on the storage thread (post
// it). A write that fails ends the process: a node that cannot trust its disk must not vote; for
// the same reason one does not start on a log that is damaged where it had been synced.

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "harness/base/error.hpp"
#include "nodes/raft/core.hpp"
#include "nodes/storage/batch_writer.hpp"

namespace sunder::nodes::replica {

// The writes of one raft::Effects, in the order in which they apply.
struct WriteRequest {
  std::uint64_t sequence = 0;
  std::optional<raft::HardState> hard_state;
  std::optional<raft::Snapshot> snapshot;
  bool drop_log = false;  // the snapshot replaces the whole log
  std::optional<raft::Index> truncate_from;
  std::vector<raft::Entry> entries;
};

struct StorageOptions {
  bool sync = true;              // sabotage ack-before-sync: no
  bool sync_directories = true;  // sabotage no-directory-sync: no
  bool plain_log = false;        // sabotage trust-checksum-less-log: yes
};

class Storage {
 public:
  using OnWritten = storage::OnWritten;

  [[nodiscard]] static Result<std::unique_ptr<Storage>> open(const std::filesystem::path& directory,
                                                             const StorageOptions& options,
                                                             OnWritten on_written);
  // Writes what was submitted, then ends the thread.
  virtual ~Storage() = default;

  // What is on disk. Precondition: nothing was submitted yet.
  [[nodiscard]] virtual Result<raft::Recovered> recover() = 0;
  virtual void submit(WriteRequest request) = 0;
};

}  // namespace sunder::nodes::replica
