// FileText: the bytes of a history's file, mapped, or read from a pipe, or decompressed.
//
// A mapped file's pages are given back as they are consumed, so that a history of any length takes
// the memory of its operations only. A file that somebody cuts short while it is read ends the
// program with SIGBUS; one that grows is read to where it ended at first.
//
// Threading: one thread. Errors: Errc::unreadable_input with the file's name.

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"

namespace sunder::history {

class FileText {
 public:
  // "-" is standard input. What begins as gzip does is decompressed.
  [[nodiscard]] static Result<FileText> open(const std::filesystem::path& path);

  FileText(FileText&& other) noexcept;
  FileText& operator=(FileText&& other) noexcept;
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;
  ~FileText();

  // At least kJsonPadding (readers.hpp) readable bytes follow it. They are zeros, unless the file
  // has grown since: then what was added comes first, and a zero ends it.
  [[nodiscard]] std::string_view text() const noexcept;

  // As errors name it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Gives back the memory before `offset`; a look at it later reads the file again.
  void release_before(std::size_t offset) noexcept;

 private:
  FileText() = default;

  [[nodiscard]] bool map(int descriptor);
  [[nodiscard]] Result<void> read_all(int descriptor);
  [[nodiscard]] Result<void> decompress();
  void unmap() noexcept;

  std::string name_;
  std::string buffer_;  // text and padding, when not mapped
  char* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;  // with padding
  std::size_t size_ = 0;
  std::size_t released_ = 0;
};

}  // namespace sunder::history
