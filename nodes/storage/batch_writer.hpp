// BatchWriter: the thread that takes all write requests that wait and has them written as one
// batch.
//
// The busier the node, the larger the batches. Batches are written in the order of submit().
//
// Threading: submit() on the loop; both functions are called on the writer's own thread. A write
// that fails ends the process, exit code 1, after one line that says so: a node that cannot trust
// its disk must not answer, and a sync that failed says nothing true when it is tried again.

#pragma once

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::nodes::storage {

// Everything up to this sequence number is on disk.
using OnWritten = std::function<void(std::uint64_t sequence)>;

// Says why in one line and ends the process.
[[noreturn]] void stop_without_disk(std::string_view why);

// A request has a `sequence`, growing from one to the next.
template <typename Request>
class BatchWriter {
 public:
  using Write = std::function<Result<void>(const std::vector<Request>& requests)>;

  BatchWriter(Write write, OnWritten on_written)
      : write_(std::move(write)), on_written_(std::move(on_written)) {
    thread_ = std::thread([this] { write_until_stopped(); });
  }

  // Writes what was submitted, then ends the thread.
  ~BatchWriter() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  void submit(Request request) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(request));
    }
    changed_.notify_one();
  }

 private:
  void write_until_stopped() {
    while (true) {
      std::vector<Request> requests;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        requests.swap(waiting_);
      }
      const Result<void> written = write_(requests);
      if (written.has_error()) stop_without_disk(written.error().message());
      on_written_(requests.back().sequence);
    }
  }

  Write write_;
  OnWritten on_written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> waiting_;  // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::thread thread_;
};

}  // namespace sunder::nodes::storage
