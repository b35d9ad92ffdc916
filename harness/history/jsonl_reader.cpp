// Reads history.jsonl, ours and those of other tools that use its words.

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "harness/history/event_pairing.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

namespace ondemand = simdjson::ondemand;

// Reads the fields of one event. simdjson's exceptions end at JsonlReader: they name no place by
// themselves.
class FieldReader {
 public:
  explicit FieldReader(ValuePool& pool) : pool_(&pool) {}

  // Returns what is wrong with the event, empty when nothing is.
  [[nodiscard]] std::string read(ondemand::object object, TextEvent& event) {
    bool has_process = false;
    bool has_type = false;
    for (ondemand::field field : object) {
      const std::string_view name = field.unescaped_key();
      ondemand::value value = field.value();
      if (name == "process") {
        has_process = true;
        event.is_note = value.type() != ondemand::json_type::number;
        if (!event.is_note) event.process = value.get_int64();
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
      case ondemand::json_type::number: {
        std::int64_t integer = 0;
        if (value.get_int64().get(integer) == simdjson::SUCCESS) return Value::integer(integer);
        return pool_->text(text_of(value));  // a fraction or a huge number: kept as written
      }
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
    return pool_->list(pairs);
  }

  ValuePool* pool_;
};

class JsonlReader {
 public:
  JsonlReader(std::string_view text, std::size_t capacity, std::string_view source)
      : text_(text), capacity_(capacity), source_(source), fields_(pairing_.pool()) {}

  [[nodiscard]] Result<History> read() {
    const std::size_t start = text_.find_first_not_of(" \t\r\n");
    if (start != std::string_view::npos && text_[start] == '[') {
      SUNDER_TRY(read_array(start));
    } else {
      constexpr std::size_t kBytesPerOperation = 160;  // two lines; only to reserve
      pairing_.reserve(text_.size() / kBytesPerOperation);
      SUNDER_TRY(read_lines());
    }
    return pairing_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_lines() {
    std::size_t begin = 0;
    while (begin < text_.size()) {
      const std::size_t newline = text_.find('\n', begin);
      const bool complete = newline != std::string_view::npos;
      const std::size_t end = complete ? newline : text_.size();
      const std::string_view line = text_.substr(begin, end - begin);
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        Result<void> read = read_line(line, begin);
        // A run that died while writing its last line leaves a part of it.
        if (read.has_error() && !complete) return {};
        if (read.has_error()) return read;
      }
      begin = end + 1;
    }
    return {};
  }

  [[nodiscard]] Result<void> read_line(std::string_view line, std::size_t begin) {
    const simdjson::padded_string_view padded(line.data(), line.size(), capacity_ - begin);
    ondemand::document document;
    try {
      document = parser_.iterate(padded);
      ondemand::object object = document.get_object();
      TextEvent event;
      const std::string problem = fields_.read(object, event);
      if (problem.empty() && document.current_location().error() == simdjson::SUCCESS) {
        return error_at(text_, begin, source_, "expected one object on the line");
      }
      return take(event, problem, line, begin);
    } catch (const simdjson::simdjson_error& error) {
      return json_error(document, error, begin);
    }
  }

  [[nodiscard]] Result<void> read_array(std::size_t begin) {
    const simdjson::padded_string_view padded(
        text_.data() + begin, text_.size() - begin, capacity_ - begin);
    ondemand::document document;
    try {
      document = parser_.iterate(padded);
      for (ondemand::object object : document.get_array()) {
        const char* place = nullptr;
        const bool known = document.current_location().get(place) == simdjson::SUCCESS;
        const std::size_t offset = known ? static_cast<std::size_t>(place - text_.data()) : begin;
        TextEvent event;
        const std::string problem = fields_.read(object, event);
        SUNDER_TRY(take(event, problem, "nemesis", offset));
      }
      return {};
    } catch (const simdjson::simdjson_error& error) {
      return json_error(document, error, begin);
    }
  }

  [[nodiscard]] Result<void> take(const TextEvent& event,
                                  const std::string& problem,
                                  std::string_view line,
                                  std::size_t offset) {
    if (!problem.empty()) return error_at(text_, offset, source_, problem);
    if (event.is_note) {
      pairing_.note(event.time, line);
      return {};
    }
    Result<void> applied = pairing_.apply(event);
    if (applied.has_error()) return error_at(text_, offset, source_, applied.error().context);
    return {};
  }

  [[nodiscard]] Error json_error(ondemand::document& document,
                                 const simdjson::simdjson_error& error,
                                 std::size_t begin) const {
    const char* place = nullptr;
    std::size_t offset = begin;
    // A document that never started has no place to tell.
    if (document.is_alive() && document.current_location().get(place) == simdjson::SUCCESS &&
        place >= text_.data()) {
      offset = std::min(static_cast<std::size_t>(place - text_.data()), text_.size());
    }
    return error_at(text_, offset, source_, fmt::format("expected JSON: {}", error.what()));
  }

  std::string_view text_;
  std::size_t capacity_;
  std::string_view source_;
  ondemand::parser parser_;
  EventPairing pairing_{Dialect{.nil_read_is_unknown = false, .failed_cas_compared = false}};
  FieldReader fields_;
};

}  // namespace

Result<History> read_jsonl(std::string_view text, std::size_t capacity, std::string_view source) {
  return JsonlReader(text, capacity, source).read();
}

}  // namespace sunder::history
