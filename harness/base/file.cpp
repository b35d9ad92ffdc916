#include "harness/base/file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sunder::base {

void FileDescriptor::reset(int descriptor) noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return system_error(fmt::format("open {}", path.string()));
  std::string content;
  constexpr std::size_t kChunk = 1 << 16;
  for (;;) {
    const std::size_t used = content.size();
    content.resize(used + kChunk);
    const ssize_t count = ::read(file.get(), content.data() + used, kChunk);
    if (count < 0 && errno == EINTR) {
      content.resize(used);
      continue;
    }
    if (count < 0) return system_error(fmt::format("read {}", path.string()));
    content.resize(used + static_cast<std::size_t>(count));
    if (count == 0) return content;
  }
}

Result<void> write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("write");
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> write_file(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary = path.string() + ".tmp";
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) return system_error(fmt::format("create {}", temporary.string()));
  if (auto written = write_all(file.get(), content); written.has_error()) {
    ::unlink(temporary.c_str());
    return with_context(written.error(), temporary.string());
  }
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = system_error(fmt::format("rename {} to {}", temporary.string(), path.string()));
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

Result<void> write_special_file(const std::filesystem::path& path, std::string_view content) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return system_error(fmt::format("open {}", path.string()));
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return system_error(fmt::format("write {}", path.string()));
  }
  return {};
}

}  // namespace sunder::base
