// Files and descriptors: an owning descriptor, whole-file reads, writes that leave no half file
// behind.
//
// Threading: values. Errors name the path and what was being done to it.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"

namespace sunder::base {

// Owns one file descriptor; closes it on destruction. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;

  explicit FileDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}

  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}

  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }

  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  ~FileDescriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }

  [[nodiscard]] bool valid() const noexcept { return descriptor_ >= 0; }

  // Gives up ownership.
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

  void reset(int descriptor = -1) noexcept;

 private:
  int descriptor_ = -1;
};

// The whole file; works for /proc files, whose size is not known beforehand.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

// Replaces the file's content atomically (temporary file beside it, then rename). Not synced to
// disk.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view content);

// Writes into an existing special file (/proc/self/uid_map): one write call, no temporary file.
[[nodiscard]] Result<void> write_special_file(const std::filesystem::path& path,
                                              std::string_view content);

// Writes all bytes to a descriptor, across short writes and EINTR.
[[nodiscard]] Result<void> write_all(int descriptor, std::string_view content);

}  // namespace sunder::base
