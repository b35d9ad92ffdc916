#include "harness/history/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

// The form of a text, by its first characters that are not blank or comment.
Format detect(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n,";
  std::size_t at = text.find_first_not_of(kBlank);
  while (at != std::string_view::npos && text[at] == ';') {
    at = text.find('\n', at);
    if (at != std::string_view::npos) at = text.find_first_not_of(kBlank, at);
  }
  if (at == std::string_view::npos) return Format::jsonl;  // empty: any form would do
  if (text[at] == '(' || text[at] == '#') return Format::edn;
  const bool wrapped = text[at] == '[';
  if (wrapped) at = text.find_first_not_of(kBlank, at + 1);
  if (at == std::string_view::npos) return Format::edn;
  if (text[at] != '{') return wrapped ? Format::edn : Format::porcupine_log;
  at = text.find_first_not_of(kBlank, at + 1);
  const bool json = at != std::string_view::npos && (text[at] == '"' || text[at] == '}');
  return json ? Format::jsonl : Format::edn;
}

std::string_view without_byte_order_mark(std::string_view text) noexcept {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

// `padding`: how many readable bytes follow the text.
Result<ReadHistory> read_padded(std::string_view whole,
                                std::size_t padding,
                                std::string_view source,
                                Format format) {
  const std::string_view text = without_byte_order_mark(whole);
  ReadHistory read;
  read.format = format == Format::automatic ? detect(text) : format;
  Result<History> history = [&]() -> Result<History> {
    switch (read.format) {
      case Format::edn:
      case Format::porcupine_kv:
        return read_edn(text, source, read.format);
      case Format::porcupine_log:
        return read_jepsen_log(text, source);
      case Format::automatic:
      case Format::jsonl:
        break;
    }
    return read_jsonl(text, text.size() + padding, source);
  }();
  if (history.has_error()) return std::move(history).error();
  read.history = std::move(*history);
  return read;
}

// A whole descriptor with kJsonPadding zero bytes behind it, in one buffer of the file's size when
// that is known.
Result<std::string> read_with_padding(int descriptor, const std::string& name) {
  struct stat status {};

  std::string buffer;
  std::size_t size = 0;
  constexpr std::size_t kChunk = std::size_t{1} << 16;
  const bool sized = ::fstat(descriptor, &status) == 0 && status.st_size > 0;
  buffer.resize((sized ? static_cast<std::size_t>(status.st_size) + 1 : kChunk) + kJsonPadding);
  while (true) {
    if (buffer.size() - size <= kJsonPadding) buffer.resize(buffer.size() * 2);
    const ssize_t count =
        ::read(descriptor, buffer.data() + size, buffer.size() - kJsonPadding - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Error error = base::system_error(fmt::format("read {}", name));
      return base::make_error(Errc::unreadable_input, error.message());
    }
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  buffer.resize(size + kJsonPadding, '\0');
  return buffer;
}

}  // namespace

std::string_view name_of(Format format) noexcept {
  constexpr std::array<std::string_view, 5> names{
      "automatic", "jsonl", "edn", "porcupine-log", "porcupine-kv"};
  return names.at(static_cast<std::size_t>(format));
}

Error error_at(std::string_view text,
               std::size_t offset,
               std::string_view source,
               std::string_view what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return base::make_error(Errc::unreadable_input,
                          fmt::format("{}:{}:{}: {}", source, line, column, what));
}

Result<ReadHistory> read_history(std::string_view text, std::string_view source, Format format) {
  std::string padded;
  padded.reserve(text.size() + kJsonPadding);
  padded = text;
  padded.append(kJsonPadding, '\0');
  return read_padded(std::string_view(padded).substr(0, text.size()), kJsonPadding, source, format);
}

Result<ReadHistory> read_history_file(const std::filesystem::path& path, Format format) {
  const bool standard_input = path == "-";
  base::FileDescriptor file;
  if (!standard_input) {
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      const Error error = base::system_error(fmt::format("open {}", path.string()));
      return base::make_error(Errc::unreadable_input, error.message());
    }
  }
  const std::string name = standard_input ? "standard input" : path.string();
  Result<std::string> content = read_with_padding(standard_input ? STDIN_FILENO : file.get(), name);
  if (content.has_error()) return std::move(content).error();
  const std::string_view text(content->data(), content->size() - kJsonPadding);
  return read_padded(text, kJsonPadding, name, format);
}

}  // namespace sunder::history
