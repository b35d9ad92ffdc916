// Mount: a Volume as a FUSE file system over its own directory, until the harness hangs up.
//
// Every read and write of a process arrives here one to one (direct I/O, nothing cached by the
// kernel), so that the n-th operation is the process' own n-th and nothing stale outlives a loss of
// power. The price: a shared mapping of a file is refused (ENODEV), links and special files too
// (ENOTSUP); RocksDB needs none of them.
//
// Threading: one thread, one loop over the kernel's and the harness' requests. A slow sync is
// answered later and holds up nobody else.

#pragma once

#include <filesystem>

#include "harness/base/error.hpp"

namespace sunder::disk {

struct MountOptions {
  std::filesystem::path directory;  // mounted over itself
  std::filesystem::path attic;      // made when needed, on the same file system
  int control = 3;                  // the socket to the harness
};

// Mounts, says kReady on the control socket, serves until its end of file, unmounts.
[[nodiscard]] Result<void> serve(const MountOptions& options);

}  // namespace sunder::disk
