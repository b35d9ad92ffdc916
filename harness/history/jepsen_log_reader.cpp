// Reads the operation lines of Jepsen's history.txt and jepsen.log.

#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

// The four columns of an operation's line; nothing when the line is not one.
struct Columns {
  std::string_view process;
  std::string_view type;
  std::string_view function;
  std::string_view value;
  bool has_prefix = false;  // "INFO  jepsen.util - " stood before the process
};

std::optional<Columns> columns_of(std::string_view line) {
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  while (count < 3) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) break;
    parts.at(count++) = line.substr(0, tab);
    line.remove_prefix(tab + 1);
  }
  parts.at(count++) = line;
  if (count < 3 || parts[1].empty() || parts[1].front() != ':') return std::nullopt;
  EventType type{};
  if (!parse_event_type(parts[1].substr(1), type)) return std::nullopt;
  Columns columns;
  const std::size_t space = parts[0].find_last_of(' ');
  columns.has_prefix = space != std::string_view::npos;
  columns.process = columns.has_prefix ? parts[0].substr(space + 1) : parts[0];
  columns.type = parts[1].substr(1);
  columns.function = parts[2].substr(parts[2].starts_with(':') ? 1 : 0);
  columns.value = parts[3];
  return columns;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t integer = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return integer;
}

class LogReader {
 public:
  // The lines of jepsen.util are porcupine's etcd logs, where nil is an empty register and a failed
  // cas has compared; bare columns are Jepsen's history.txt, read as Knossos reads it.
  LogReader(std::string_view text, std::string_view source, bool prefixed)
      : text_(text),
        source_(source),
        pairing_(Dialect{.nil_read_is_unknown = !prefixed, .failed_cas_compared = prefixed}) {}

  [[nodiscard]] Result<History> read() {
    std::size_t begin = 0;
    bool any = false;
    while (begin < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      std::string_view line = text_.substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (const auto columns = columns_of(line)) {
        any = true;
        SUNDER_TRY(read_line(*columns, line, begin));
      }
      begin = end + 1;
    }
    if (!any && text_.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      return error_at(
          text_, 0, source_, "expected a history: JSON lines, EDN, or Jepsen's log lines");
    }
    return pairing_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_line(const Columns& columns,
                                       std::string_view line,
                                       std::size_t begin) {
    const auto place = [&](std::string_view part) {
      return begin + static_cast<std::size_t>(part.data() - line.data());
    };
    if (columns.process.starts_with(':')) {
      pairing_.note(kUnknownTime, line);
      return {};
    }
    const std::optional<std::int64_t> process = integer_of(columns.process);
    if (!process) {
      return error_at(text_, place(columns.process), source_, "expected a process number");
    }
    TextEvent event;
    event.process = *process;
    (void)parse_event_type(columns.type, event.type);
    event.function = columns.function;
    if (!columns.value.empty()) {
      EdnParser parser(columns.value, source_, pairing_.pool());
      const Result<Value> value = parser.value();
      if (value.has_error()) {
        return error_at(
            text_, place(columns.value), source_, "expected a value in the last column");
      }
      event.value = *value;
    }
    // ":timed-out" in place of a value is an error, not a value.
    if (event.type != EventType::ok && event.value.is_text() && columns.value.starts_with(':')) {
      event.error = pairing_.pool().text_of(event.value);
      event.value = Value();
    }
    const Result<void> applied = pairing_.apply(event);
    if (applied.has_error()) return error_at(text_, begin, source_, applied.error().context);
    return {};
  }

  std::string_view text_;
  std::string_view source_;
  EventPairing pairing_;
};

// Whether the first operation's line has a logger's words before the process.
bool is_prefixed(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const auto columns = columns_of(text.substr(begin, end - begin)))
      return columns->has_prefix;
    begin = end + 1;
  }
  return true;
}

}  // namespace

Result<History> read_jepsen_log(std::string_view text, std::string_view source) {
  return LogReader(text, source, is_prefixed(text)).read();
}

}  // namespace sunder::history
