#include "harness/history/text.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "harness/history/file_text.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

constexpr std::array<std::string_view, 13> kFormatNames{"automatic",
                                                        "jsonl",
                                                        "json",
                                                        "edn",
                                                        "jepsen-history",
                                                        "jepsen-log",
                                                        "porcupine-log",
                                                        "porcupine-kv",
                                                        "awdit",
                                                        "plume",
                                                        "dbcop",
                                                        "object",
                                                        "intervals"};

std::string_view without_byte_order_mark(std::string_view text) noexcept {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

// `padding`: how many readable bytes follow the text; `format` says afterwards which form it was.
Result<History> read_form(std::string_view text,
                          std::size_t padding,
                          std::string_view source,
                          Format& format,
                          ReadProgress& progress) {
  switch (format) {
    case Format::edn:
    case Format::porcupine_kv:
      return read_edn(text, source, format, progress);
    case Format::jepsen_history:
    case Format::jepsen_log:
    case Format::porcupine_log:
      return read_jepsen_log(text, source, format, progress);
    case Format::awdit:
      return read_awdit(text, source, progress);
    case Format::plume:
      return read_plume(text, source, progress);
    case Format::dbcop:
      return read_dbcop(text, source);
    case Format::object:
      return read_object(text, source);
    case Format::intervals:
      return read_intervals(text, source);
    case Format::automatic:
    case Format::jsonl:
    case Format::json:
      break;
  }
  return read_jsonl(text, text.size() + padding, source, format, progress);
}

Result<ReadHistory> read_padded(std::string_view whole,
                                std::size_t padding,
                                std::string_view source,
                                Format format,
                                ReadProgress& progress) {
  const std::string_view text = without_byte_order_mark(whole);
  ReadHistory read;
  read.format = format == Format::automatic ? detect_format(text) : format;
  try {
    Result<History> history = read_form(text, padding, source, read.format, progress);
    if (history.has_error()) return std::move(history).error();
    read.history = std::move(*history);
  } catch (const std::length_error& error) {  // more than a pool can number (value.hpp)
    return base::make_error(Errc::unreadable_input,
                            fmt::format("{}: {}: check a part of it", source, error.what()));
  }
  read.remarks = std::move(progress.remarks);
  if (read.history.empty() && !read.history.notes().empty()) {
    read.remarks.emplace_back(
        "no process has a number: all events were taken for notes, as a nemesis' are");
  }
  return read;
}

}  // namespace

std::string_view name_of(Format format) noexcept {
  return kFormatNames.at(static_cast<std::size_t>(format));
}

std::optional<Format> find_format(std::string_view name) noexcept {
  const auto found = std::ranges::find(kFormatNames, name);
  if (found == kFormatNames.end()) return std::nullopt;
  return static_cast<Format>(found - kFormatNames.begin());
}

std::string format_names() {
  return fmt::format("{}", fmt::join(std::span(kFormatNames).subspan(1), ", "));
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
  ReadProgress progress;
  return read_padded(
      std::string_view(padded).substr(0, text.size()), kJsonPadding, source, format, progress);
}

Result<ReadHistory> read_history_file(const std::filesystem::path& path,
                                      const ReadOptions& options) {
  auto opened = FileText::open(path);
  SUNDER_TRY(opened);
  FileText file = std::move(*opened);
  ReadProgress progress;
  progress.report = [&](std::size_t offset) {
    file.release_before(offset);
    if (options.progress) options.progress(offset, file.text().size());
  };
  return read_padded(file.text(), kJsonPadding, file.name(), options.format, progress);
}

}  // namespace sunder::history
