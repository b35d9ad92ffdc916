#include "nodes/replica/batch_writer.hpp"

#include <cstdlib>
#include <utility>

#include <spdlog/spdlog.h>

namespace sunder::nodes::replica {

BatchWriter::BatchWriter(Write write, Storage::OnWritten on_written)
    : write_(std::move(write)), on_written_(std::move(on_written)) {
  thread_ = std::thread([this] { write_until_stopped(); });
}

BatchWriter::~BatchWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void BatchWriter::submit(WriteRequest request) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(request));
  }
  changed_.notify_one();
}

void BatchWriter::write_until_stopped() {
  while (true) {
    std::vector<WriteRequest> requests;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      requests.swap(waiting_);
    }
    const Result<void> written = write_(requests);
    if (written.has_error()) {
      spdlog::critical("cannot write to disk: {}", written.error().message());
      spdlog::shutdown();
      std::_Exit(1);
    }
    on_written_(requests.back().sequence);
  }
}

}  // namespace sunder::nodes::replica
