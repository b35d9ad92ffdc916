// Reads the operation lines of Jepsen's history.txt and jepsen.log.

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"
#include "harness/history/lines.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

// The columns of an operation's line.
struct Columns {
  std::string_view prefix;  // the logger's words before the process
  std::string_view process;
  EventType type{};
  std::string_view function;
  std::string_view value;
  std::string_view error;
};

// Nothing when the line is none of an operation: "… 2\t:invoke\t:write\t4".
std::optional<Columns> columns_of(std::string_view line) {
  for (std::size_t tab = line.find("\t:"); tab != std::string_view::npos;
       tab = line.find("\t:", tab + 1)) {
    std::string_view rest = line.substr(tab + 2);
    const auto take_column = [&rest] {
      const std::string_view column = rest.substr(0, rest.find('\t'));
      rest.remove_prefix(std::min(column.size() + 1, rest.size()));
      return column;
    };
    Columns columns;
    if (!parse_event_type(take_column(), columns.type)) continue;
    columns.function = take_column();
    columns.value = take_column();
    columns.error = rest;
    if (columns.function.empty()) continue;
    if (columns.function.front() == ':') columns.function.remove_prefix(1);
    const std::string_view before = line.substr(0, tab);
    const std::size_t last = before.find_last_not_of(' ');
    if (last == std::string_view::npos) continue;
    const std::size_t blank = before.find_last_of(" \t", last);
    const std::size_t start = blank == std::string_view::npos ? 0 : blank + 1;
    columns.process = before.substr(start, last + 1 - start);
    columns.prefix = before.substr(0, start);
    return columns;
  }
  return std::nullopt;
}

// Porcupine's etcd logs say "INFO  jepsen.util - ", later ones "… jepsen.util: " or put time and
// thread in front; history.txt has nothing there.
Format format_of(std::string_view prefix) noexcept {
  if (prefix.find_first_not_of(' ') == std::string_view::npos) return Format::jepsen_history;
  const bool plain = prefix.starts_with("INFO  jepsen.util - ");
  return plain ? Format::porcupine_log : Format::jepsen_log;
}

// In porcupine's logs nil is an empty register and a failed cas has compared; Jepsen's own are read
// as Knossos reads them.
Dialect dialect_of(Format format) noexcept {
  const bool porcupine = format == Format::porcupine_log;
  return {.nil_read_is_unknown = !porcupine,
          .failed_cas_compared = porcupine,
          .independent_keys = !porcupine,
          .completions_alone = !porcupine};
}

class LogReader {
 public:
  LogReader(std::string_view text, std::string_view source, ReadProgress& progress, Dialect dialect)
      : text_(text), source_(source), progress_(&progress), pairing_(dialect) {}

  [[nodiscard]] Result<History> read(bool& again) {
    Lines lines(text_);
    while (const std::optional<Line> line = lines.next()) {
      const auto columns = columns_of(line->text);
      if (!columns) continue;
      Result<void> read = read_line(*columns, *line);
      again = pairing_.must_read_again();
      // A run that died while writing its last line leaves a part of it.
      if (read.has_error() && !line->has_newline && !again) {
        progress_->remark(kCutOff);
        break;
      }
      if (read.has_error()) return std::move(read).error();
    }
    if (pairing_.is_without_invocations()) progress_->remark(kWithoutInvocations);
    return pairing_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_line(const Columns& columns, const Line& line) {
    const auto place = [&](std::string_view part) {
      return line.offset + static_cast<std::size_t>(part.data() - line.text.data());
    };
    if (columns.process.starts_with(':')) {
      pairing_.note(kUnknownTime, line.text);
      return {};
    }
    const std::optional<std::int64_t> process = integer_of(columns.process);
    if (!process) {
      return error_at(text_, place(columns.process), source_, "expected a process number");
    }
    TextEvent event;
    event.process = *process;
    event.type = columns.type;
    event.function = columns.function;
    event.error = columns.error.substr(columns.error.starts_with(':') ? 1 : 0);
    if (!columns.value.empty()) {
      EdnParser parser(columns.value, source_, pairing_.pool());
      const Result<Value> value = parser.value();
      if (value.has_error()) {
        return error_at(
            text_, place(columns.value), source_, "expected a value in the fourth column");
      }
      event.value = *value;
    }
    // ":timed-out" in place of a value is an error, not a value.
    if (event.type != EventType::ok && event.value.is_text() && columns.value.starts_with(':')) {
      event.error = pairing_.pool().text_of(event.value);
      event.value = Value();
    }
    const Result<void> applied = pairing_.apply(event);
    if (applied.has_error()) return error_at(text_, line.offset, source_, applied.error().context);
    return {};
  }

  std::string_view text_;
  std::string_view source_;
  ReadProgress* progress_;
  EventPairing pairing_;
};

// The form of the first operation's line; nothing when there is none.
std::optional<Format> first_format(std::string_view text) {
  Lines lines(text);
  while (const std::optional<Line> line = lines.next()) {
    if (const auto columns = columns_of(line->text)) return format_of(columns->prefix);
  }
  return std::nullopt;
}

}  // namespace

Result<History> read_jepsen_log(std::string_view text,
                                std::string_view source,
                                Format& format,
                                ReadProgress& progress) {
  const std::optional<Format> found = first_format(text);
  if (!found) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return History();
    return error_at(
        text, 0, source, fmt::format("expected a history in one of the forms {}", format_names()));
  }
  format = *found;
  return read_with(dialect_of(format), [&](Dialect dialect, bool& again) {
    return LogReader(text, source, progress, dialect).read(again);
  });
}

}  // namespace sunder::history
