#include "harness/history/file_text.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "harness/base/file.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

Error unreadable(std::string_view name, std::string_view what) {
  return base::make_error(Errc::unreadable_input, fmt::format("{}: {}", name, what));
}

// Ends zlib's state whatever happens.
class Inflater {
 public:
  Inflater() {
    constexpr int kGzipOnly = 16;
    ready_ = ::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
  }

  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }

  [[nodiscard]] bool ready() const noexcept { return ready_; }

  [[nodiscard]] z_stream& stream() noexcept { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

FileText::FileText(FileText&& other) noexcept {
  *this = std::move(other);
}

FileText& FileText::operator=(FileText&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  name_ = std::move(other.name_);
  buffer_ = std::move(other.buffer_);
  mapped_ = std::exchange(other.mapped_, nullptr);
  mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  size_ = std::exchange(other.size_, 0);
  released_ = std::exchange(other.released_, 0);
  return *this;
}

FileText::~FileText() {
  unmap();
}

void FileText::unmap() noexcept {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
  mapped_ = nullptr;
}

std::string_view FileText::text() const noexcept {
  return {mapped_ != nullptr ? mapped_ : buffer_.data(), size_};
}

Result<FileText> FileText::open(const std::filesystem::path& path) {
  FileText text;
  const bool standard_input = path == "-";
  text.name_ = standard_input ? "standard input" : path.string();
  base::FileDescriptor file;
  if (!standard_input) {
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      const Error error = base::system_error(fmt::format("open {}", path.string()));
      return base::make_error(Errc::unreadable_input, error.message());
    }
  }
  const int descriptor = standard_input ? STDIN_FILENO : file.get();
  if (standard_input || !text.map(descriptor)) SUNDER_TRY(text.read_all(descriptor));
  if (text.text().starts_with("\x1f\x8b")) SUNDER_TRY(text.decompress());
  return text;
}

// False: this file cannot be mapped (a pipe, a file of /proc).
bool FileText::map(int descriptor) {
  struct stat status {};

  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) {
    return false;
  }
  size_ = static_cast<std::size_t>(status.st_size);
  // Zero pages first, then the file over them: what lies behind its end can be read, and a zero is
  // there even when the file grows and fills its last page meanwhile.
  constexpr std::size_t kPageMost = std::size_t{1} << 16;  // of any machine
  mapped_bytes_ = size_ + kPageMost + kJsonPadding;
  void* const room =
      ::mmap(nullptr, mapped_bytes_, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  if (::mmap(room, size_, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    ::munmap(room, mapped_bytes_);
    return false;
  }
  ::madvise(room, size_, MADV_SEQUENTIAL);
  mapped_ = static_cast<char*>(room);
  return true;
}

Result<void> FileText::read_all(int descriptor) {
  constexpr std::size_t kChunk = std::size_t{1} << 16;
  size_ = 0;
  buffer_.resize(kChunk + kJsonPadding);
  while (true) {
    if (buffer_.size() - size_ <= kJsonPadding) buffer_.resize(buffer_.size() * 2);
    const ssize_t count =
        ::read(descriptor, buffer_.data() + size_, buffer_.size() - kJsonPadding - size_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Error error = base::system_error(fmt::format("read {}", name_));
      return base::make_error(Errc::unreadable_input, error.message());
    }
    if (count == 0) break;
    size_ += static_cast<std::size_t>(count);
  }
  buffer_.resize(size_);
  buffer_.append(kJsonPadding, '\0');
  return {};
}

// A gzip file is one member behind the other. One that ends early is refused: unlike the last line
// of a plain file, nobody can see that something is missing, and without its end a history may look
// as if messages had been lost.
Result<void> FileText::decompress() {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  const std::string_view packed = text();
  std::string unpacked;
  std::size_t size = 0;
  Inflater inflater;
  if (!inflater.ready()) return unreadable(name_, "zlib cannot be started");
  z_stream& stream = inflater.stream();
  std::size_t taken = 0;
  bool ended = false;
  while (taken < packed.size()) {
    const std::size_t piece = std::min(packed.size() - taken, kChunk);
    // zlib's interface takes no const; it does not write there.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + taken));
    stream.avail_in = static_cast<uInt>(piece);
    int result = Z_OK;
    do {
      if (unpacked.size() - size < kChunk) unpacked.resize(std::max(unpacked.size() * 2, kChunk));
      stream.next_out = reinterpret_cast<Bytef*>(unpacked.data() + size);
      stream.avail_out = static_cast<uInt>(
          std::min<std::size_t>(unpacked.size() - size, std::numeric_limits<uInt>::max()));
      const uInt room = stream.avail_out;
      result = ::inflate(&stream, Z_NO_FLUSH);
      size += room - stream.avail_out;
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        const std::size_t at = taken + piece - stream.avail_in;
        return unreadable(name_, fmt::format("byte {}: expected gzip data", at));
      }
    } while (result == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
    taken += piece - stream.avail_in;
    release_before(taken);
    ended = result == Z_STREAM_END;
    if (ended && ::inflateReset(&stream) != Z_OK) break;
  }
  if (!ended) {
    return unreadable(name_,
                      fmt::format("byte {}: expected the end of the gzip data, the file is cut off "
                                  "(zcat FILE | sunder check - judges what is there)",
                                  packed.size()));
  }
  unmap();
  unpacked.resize(size);
  unpacked.append(kJsonPadding, '\0');
  buffer_ = std::move(unpacked);
  size_ = size;
  return {};
}

void FileText::release_before(std::size_t offset) noexcept {
  constexpr std::size_t kPage = 4096;
  const std::size_t end = std::min(offset, size_) / kPage * kPage;
  if (mapped_ == nullptr || end <= released_) return;
  ::madvise(mapped_ + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

}  // namespace sunder::history
