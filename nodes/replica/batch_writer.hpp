// BatchWriter: the thread that takes all write requests that wait and has them written as one
// batch.
//
// The busier the node, the larger the batches. Batches are written in the order of submit().
//
// Threading: submit() on the loop; both functions are called on the writer's own thread. A write
// that fails ends the process, exit code 1, after one line that says so: a node that cannot trust
// its disk must not vote, and a sync that failed says nothing true when it is tried again.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "nodes/replica/storage.hpp"

namespace sunder::nodes::replica {

class BatchWriter {
 public:
  using Write = std::function<Result<void>(const std::vector<WriteRequest>& requests)>;

  BatchWriter(Write write, Storage::OnWritten on_written);
  // Writes what was submitted, then ends the thread.
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  void submit(WriteRequest request);

 private:
  void write_until_stopped();

  Write write_;
  Storage::OnWritten on_written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<WriteRequest> waiting_;  // guarded by mutex_
  bool stopping_ = false;              // guarded by mutex_
  std::thread thread_;
};

}  // namespace sunder::nodes::replica
