// The directory of one run: its name, its files, and the `latest` link.
//
// Files are appended to as the run goes and flushed line by line, so that a run that dies half-way
// leaves a history that `sunder check` reads.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"

namespace sunder::run {

// Makes `wanted`, or when empty runs/<UTC time>-<name> under the working directory ('/' in the name
// becomes '-'), and points runs/latest at it. Errc::usage when `wanted` exists and is not empty.
[[nodiscard]] Result<std::filesystem::path> make_run_directory(const std::filesystem::path& wanted,
                                                               std::string_view name);
// How the user would type it: relative when it lies below the working directory.
[[nodiscard]] std::string as_typed(const std::filesystem::path& directory);

// Gives everything below `directory` back to the user who called sudo; without sudo it does
// nothing.
[[nodiscard]] Result<void> return_to_sudo_user(const std::filesystem::path& directory);

// A file that lines are appended to, each with one write.
class LineFile {
 public:
  [[nodiscard]] static Result<LineFile> create(const std::filesystem::path& path);
  // `line` ends with a newline. An error (disk full) is kept and returned by failure().
  void append(std::string_view line);

  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  base::FileDescriptor file_;
  std::filesystem::path path_;
  std::string failure_;
};

}  // namespace sunder::run
