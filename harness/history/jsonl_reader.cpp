// Reads history.jsonl, ours and those of other tools that use its words, and arrays of Jepsen's
// maps with string keys.
//
// Plain events go through PlainJson, the others through simdjson one by one: both read the same.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "harness/history/event_pairing.hpp"
#include "harness/history/json_fault.hpp"
#include "harness/history/plain_json.hpp"
#include "harness/history/readers.hpp"
#include "harness/history/unordered.hpp"

namespace sunder::history {
namespace {

namespace ondemand = simdjson::ondemand;

// Reads the fields of one event. simdjson's exceptions end at JsonlReader: they name no place by
// themselves.
class FieldReader {
 public:
  FieldReader(ValuePool& pool, bool process_optional)
      : pool_(&pool), process_optional_(process_optional) {}

  // Returns what is wrong with the event, empty when nothing is.
  [[nodiscard]] std::string read(ondemand::object object, TextEvent& event) {
    bool has_process = process_optional_;
    bool has_type = false;
    for (ondemand::field field : object) {
      const std::string_view name = field.unescaped_key();
      ondemand::value value = field.value();
      if (name == "process") {
        has_process = true;
        event.is_note = value.type() != ondemand::json_type::number;
        if (!event.is_note && value.get_int64().get(event.process) != simdjson::SUCCESS) {
          return "expected a whole number of 64 bits as \"process\"";
        }
      } else if (name == "type") {
        has_type = true;
        const std::string_view type = value.get_string();
        if (!parse_event_type(type, event.type)) {
          return fmt::format("expected a type of invoke, ok, fail or info, not \"{}\"", type);
        }
      } else {
        read_other(name, value, event);
      }
    }
    if (!has_process) return "expected a field \"process\"";
    if (!has_type) return "expected a field \"type\"";
    return {};
  }

 private:
  void read_other(std::string_view name, ondemand::value& value, TextEvent& event) {
    if (name == "f") {
      event.function = text_of(value);
    } else if (name == "key") {
      event.key = text_of(value);
    } else if (name == "value") {
      event.value = value_of(value);
    } else if (name == "actual") {
      event.actual = value_of(value);
    } else if (name == "output") {
      event.output = value_of(value);
    } else if (name == "error") {
      event.error = text_of(value);
    } else if (name == "node") {
      event.node = text_of(value);
    } else if (name == "time") {
      if (value.type() == ondemand::json_type::number) {
        const ondemand::number time = value.get_number();
        if (time.is_int64()) event.time = time.get_int64();
      }
    } else if (name == "rebalance-log") {
      event.rebalances = value_of(value);
    }  // index and what we do not know: ignored
  }

  // A string's content; anything else as it is written ("key":7 and "key":"7" are the same key).
  static std::string_view text_of(ondemand::value& value) {
    if (value.type() == ondemand::json_type::string) return value.get_string();
    if (value.is_null()) return {};
    const bool scalar = value.is_scalar();
    std::string_view token =
        scalar ? value.raw_json_token() : std::string_view(simdjson::to_json_string(value));
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    return token;
  }

  Value value_of(ondemand::value value) {
    switch (ondemand::json_type(value.type())) {
      case ondemand::json_type::number:
        return number_of(value);
      case ondemand::json_type::string:
        return pool_->text(value.get_string());
      case ondemand::json_type::boolean:
        return Value::boolean(value.get_bool());
      case ondemand::json_type::null:
        if (!value.is_null()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
        return Value::nil();
      case ondemand::json_type::array: {
        std::vector<Value> items;
        for (ondemand::value item : value.get_array()) items.push_back(value_of(item));
        return pool_->list(items);
      }
      case ondemand::json_type::object:
        break;
    }
    std::vector<Value> pairs;
    for (ondemand::field field : value.get_object()) {
      const Value name = pool_->text(std::string_view(field.unescaped_key()));
      const Value content = value_of(field.value());
      pairs.push_back(pool_->list({name, content}));
    }
    return map_of(*pool_, pairs);
  }

  // In JSON 1, 1.0 and 1e0 are one number. What no double holds exactly stays as written.
  Value number_of(ondemand::value& value) {
    constexpr double kExactMax = 9007199254740992;  // 2^53
    std::int64_t integer = 0;
    if (value.get_int64().get(integer) == simdjson::SUCCESS) return Value::integer(integer);
    const double number = value.get_double();  // refuses what is no number
    const std::string_view written = text_of(value);
    const bool whole = written.find_first_of(".eE") == std::string_view::npos;
    const bool exact = written.size() <= std::numeric_limits<double>::digits10;
    if (whole || !exact) return pool_->text(written);
    if (std::abs(number) < kExactMax && number == std::trunc(number)) {
      return Value::integer(static_cast<std::int64_t>(number));
    }
    return pool_->text(fmt::format("{}", number));
  }

  ValuePool* pool_;
  bool process_optional_;
};

// How each form is to be read: elle-cli's arrays are Jepsen's, whose nil read is unknown.
Dialect dialect_of(Format format) noexcept {
  return {.nil_read_is_unknown = format == Format::json,
          .failed_cas_compared = false,
          .independent_keys = true,
          .completions_alone = format == Format::json};
}

class JsonlReader {
 public:
  JsonlReader(std::string_view text,
              std::size_t capacity,
              std::string_view source,
              Format format,
              ReadProgress& progress,
              Dialect dialect)
      : text_(text),
        capacity_(capacity),
        source_(source),
        progress_(&progress),
        format_(format),
        pairing_(dialect),
        plain_(pairing_, format == Format::jsonl),
        fields_(pairing_.pool(), format == Format::json) {}

  [[nodiscard]] Result<History> read(bool& again) {
    Result<void> read = format_ == Format::json ? read_array() : read_lines();
    again = pairing_.must_read_again();
    if (read.has_error()) return std::move(read).error();
    if (pairing_.is_without_invocations()) progress_->remark(kWithoutInvocations);
    return pairing_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_lines() {
    std::size_t begin = 0;
    while (begin < text_.size()) {
      std::size_t end = begin;
      Result<void> read = read_plain_line(begin, end);
      if (end == begin) {
        end = std::min(text_.find('\n', begin), text_.size());
        read = read_general_line(text_.substr(begin, end - begin), begin);
      }
      // A run that died while writing its last line leaves a part of it.
      if (read.has_error() && end == text_.size() && !pairing_.must_read_again()) {
        progress_->remark(kCutOff);
        return {};
      }
      if (read.has_error()) return read;
      begin = end + 1;
      pairing_.make_room(begin, text_.size());
      progress_->at(begin);
    }
    return {};
  }

  // The line that begins at `begin`, when it is a plain event and nothing else: `end` is then the
  // place of its newline, or the text's end, and else left as it is.
  [[nodiscard]] Result<void> read_plain_line(std::size_t begin, std::size_t& end) {
    const char* const text_end = text_.data() + text_.size();
    const char* const line = PlainJson::skip_line_blanks(text_.data() + begin);
    TextEvent event;
    const char* const behind = plain_.read(line, text_end, event);
    if (behind == nullptr) return {};
    const char* const at = std::min(PlainJson::skip_line_blanks(behind), text_end);
    if (at < text_end && *at != '\n') return {};
    end = static_cast<std::size_t>(at - text_.data());
    return take(event, {}, {line, static_cast<std::size_t>(behind - line)}, begin);
  }

  [[nodiscard]] Result<void> read_general_line(std::string_view line, std::size_t begin) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
    return read_general(line, begin, line);
  }

  // One event with simdjson. `note`: what a note says.
  [[nodiscard]] Result<void> read_general(std::string_view object,
                                          std::size_t begin,
                                          std::string_view note) {
    const simdjson::padded_string_view padded(object.data(), object.size(), capacity_ - begin);
    ondemand::document document;
    try {
      document = parser_.iterate(padded);
      ondemand::object content = document.get_object();
      TextEvent event;
      const std::string problem = fields_.read(content, event);
      if (problem.empty() && document.current_location().error() == simdjson::SUCCESS) {
        return error_at(text_, begin, source_, "expected one object on the line");
      }
      return take(event, problem, note, begin);
    } catch (const simdjson::simdjson_error& error) {
      return json_error(object, error, begin);
    }
  }

  [[nodiscard]] Result<void> read_array() {
    std::size_t at = skip_blanks(0);
    if (at >= text_.size()) return {};
    if (text_[at] != '[') return error_at(text_, at, source_, "expected '['");
    at = skip_blanks(at + 1);
    bool closed = at < text_.size() && text_[at] == ']';
    while (!closed) {
      if (at >= text_.size() || text_[at] != '{') {
        return error_at(text_, at, source_, "expected an event, an object");
      }
      SUNDER_TRY(read_element(at));
      at = skip_blanks(at);
      closed = at < text_.size() && text_[at] == ']';
      if (closed) break;
      if (at >= text_.size() || text_[at] != ',') {
        return error_at(text_, at, source_, "expected ',' or ']'");
      }
      at = skip_blanks(at + 1);
      pairing_.make_room(at, text_.size());
      progress_->at(at);
    }
    at = skip_blanks(at + 1);
    if (at < text_.size()) return error_at(text_, at, source_, "expected the end after the array");
    return {};
  }

  // Reads the object at `at` and moves it behind.
  [[nodiscard]] Result<void> read_element(std::size_t& at) {
    const std::size_t begin = at;
    TextEvent event;
    const char* const behind =
        plain_.read(text_.data() + begin, text_.data() + text_.size(), event);
    if (behind != nullptr) {
      at = static_cast<std::size_t>(behind - text_.data());
      return take(event, {}, text_.substr(begin, at - begin), begin);
    }
    at = end_of_object(begin);
    const std::string_view object = text_.substr(begin, at - begin);
    return read_general(object, begin, object);
  }

  // Where the braces that open at `begin` are closed; the end of the text when they are not.
  [[nodiscard]] std::size_t end_of_object(std::size_t begin) const noexcept {
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t at = begin; at < text_.size(); ++at) {
      const char character = text_[at];
      if (quoted) {
        if (character == '\\') ++at;
        quoted = character != '"';
      } else if (character == '"') {
        quoted = true;
      } else if (character == '{') {
        ++depth;
      } else if (character == '}' && --depth == 0) {
        return at + 1;
      }
    }
    return text_.size();
  }

  [[nodiscard]] std::size_t skip_blanks(std::size_t at) const noexcept {
    return std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
  }

  [[nodiscard]] Result<void> take(const TextEvent& event,
                                  const std::string& problem,
                                  std::string_view note,
                                  std::size_t offset) {
    if (!problem.empty()) return error_at(text_, offset, source_, problem);
    if (event.is_note) {
      pairing_.note(event.time, note);
      return {};
    }
    Result<void> applied = pairing_.apply(event);
    if (applied.has_error()) return error_at(text_, offset, source_, applied.error().context);
    return {};
  }

  // Simdjson does not tell places well enough; what it refuses is rare.
  [[nodiscard]] Error json_error(std::string_view object,
                                 const simdjson::simdjson_error& error,
                                 std::size_t begin) const {
    const std::optional<JsonFault> fault = find_json_fault(object);
    if (fault) return error_at(text_, begin + fault->offset, source_, fault->expected);
    return error_at(text_, begin, source_, fmt::format("expected JSON: {}", error.what()));
  }

  std::string_view text_;
  std::size_t capacity_;
  std::string_view source_;
  ReadProgress* progress_;
  Format format_;
  ondemand::parser parser_;
  EventPairing pairing_;
  PlainJson plain_;
  FieldReader fields_;
};

}  // namespace

Result<History> read_jsonl(std::string_view text,
                           std::size_t capacity,
                           std::string_view source,
                           Format& format,
                           ReadProgress& progress) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  format = start != std::string_view::npos && text[start] == '[' ? Format::json : Format::jsonl;
  return read_with(dialect_of(format), [&](Dialect dialect, bool& again) {
    return JsonlReader(text, capacity, source, format, progress, dialect).read(again);
  });
}

}  // namespace sunder::history
