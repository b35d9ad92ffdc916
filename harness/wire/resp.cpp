#include "harness/wire/resp.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::wire {
namespace {

using base::make_error;

// Consumed bytes are dropped once they are this many, so that the buffer does not move for every
// value.
constexpr std::size_t kCompactBytes = 64 * 1024;

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error malformed(std::string_view what) {
  return make_error(Errc::protocol, fmt::format("RESP: {}", what));
}

void append_line(char prefix, std::string_view text, std::string& out) {
  out.push_back(prefix);
  for (const char c : text) out.push_back(c == '\r' || c == '\n' ? ' ' : c);
  out.append("\r\n");
}

void append_bulk(std::string_view text, std::string& out) {
  fmt::format_to(std::back_inserter(out), "${}\r\n", text.size());
  out.append(text).append("\r\n");
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

// One word of an inline command from `at`, which moves past it; quotes group, a backslash escapes
// inside double quotes.
Result<std::string> take_word(std::string_view line, std::size_t& at) {
  std::string word;
  char quote = '\0';
  for (; at < line.size() && (quote != '\0' || !is_blank(line[at])); ++at) {
    const char c = line[at];
    if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote && quote != '\0') {
      quote = '\0';
    } else if (quote == '"' && c == '\\' && at + 1 < line.size()) {
      word.push_back(line[++at]);
    } else {
      word.push_back(c);
    }
  }
  if (quote != '\0') return malformed("unbalanced quotes in an inline command");
  return word;
}

}  // namespace

RespValue RespValue::simple(std::string text) {
  RespValue value;
  value.kind = RespKind::simple;
  value.text = std::move(text);
  return value;
}

RespValue RespValue::error(std::string text) {
  RespValue value;
  value.kind = RespKind::error;
  value.text = std::move(text);
  return value;
}

RespValue RespValue::number(std::int64_t number) {
  RespValue value;
  value.kind = RespKind::integer;
  value.integer = number;
  return value;
}

RespValue RespValue::bulk(std::string text) {
  RespValue value;
  value.kind = RespKind::bulk;
  value.text = std::move(text);
  return value;
}

RespValue RespValue::null() {
  return {};
}

RespValue RespValue::array(std::vector<RespValue> items) {
  RespValue value;
  value.kind = RespKind::array;
  value.items = std::move(items);
  return value;
}

void RespParser::feed(std::string_view bytes) {
  if (position_ == buffer_.size()) {
    buffer_.clear();
    position_ = 0;
  } else if (position_ >= kCompactBytes) {
    buffer_.erase(0, position_);
    position_ = 0;
  }
  buffer_.append(bytes);
}

void RespParser::begin_value() noexcept {
  items_seen_ = 0;
  bytes_seen_ = 0;
}

// Looks at the line that begins at the position without taking it.
Result<bool> RespParser::take_line(std::string_view& line) {
  const std::size_t end = buffer_.find('\n', position_ + scanned_);
  const std::size_t size = (end == std::string::npos ? buffer_.size() : end) - position_;
  if (size > limits_.inline_bytes) return malformed("line too long");
  if (end == std::string::npos) {
    scanned_ = size;
    return false;
  }
  scanned_ = size;
  line = std::string_view(buffer_).substr(position_, size + 1);
  return true;
}

Result<bool> RespParser::take_bulk(std::size_t header_size,
                                   std::int64_t length,
                                   RespValue& element) {
  if (length < -1) return malformed("negative length of a bulk string");
  if (length == -1) {
    position_ += header_size;
    scanned_ = 0;
    element = RespValue::null();
    return true;
  }
  const auto size = static_cast<std::size_t>(length);
  if (size > limits_.bulk_bytes) return malformed("bulk string too long");
  if (bytes_seen_ + size > limits_.total_bytes) return malformed("value too large");
  if (pending() < header_size + size + 2) return false;
  const std::size_t begin = position_ + header_size;
  if (buffer_.compare(begin + size, 2, "\r\n") != 0)
    return malformed("bulk string without its end");
  element = RespValue::bulk(buffer_.substr(begin, size));
  bytes_seen_ += size;
  position_ = begin + size + 2;
  scanned_ = 0;
  return true;
}

Result<bool> RespParser::take_element(RespValue& element, std::size_t& items_to_come) {
  items_to_come = 0;
  std::string_view line;
  Result<bool> whole = take_line(line);
  if (whole.has_error() || !*whole) return whole;
  if (line.size() < 3 || line[line.size() - 2] != '\r') return malformed("line without its end");
  const char kind = line.front();
  const std::string_view body = line.substr(1, line.size() - 3);
  if (kind == '+' || kind == '-') {
    element =
        kind == '+' ? RespValue::simple(std::string(body)) : RespValue::error(std::string(body));
    bytes_seen_ += body.size();
    if (bytes_seen_ > limits_.total_bytes) return malformed("value too large");
  } else if (kind == ':' || kind == '$' || kind == '*') {
    const std::optional<std::int64_t> number = parse_integer(body);
    if (!number) return malformed("not a number");
    if (kind == '$') return take_bulk(line.size(), *number, element);
    if (kind == ':') {
      element = RespValue::number(*number);
    } else {
      if (*number < -1) return malformed("negative length of an array");
      element = *number < 0 ? RespValue::null() : RespValue::array({});
      items_to_come = *number < 0 ? 0 : static_cast<std::size_t>(*number);
      if (items_to_come > limits_.arguments) return malformed("too many items");
    }
  } else {
    return malformed("unknown type of value");
  }
  position_ += line.size();
  scanned_ = 0;
  return true;
}

Result<bool> RespParser::next_value(RespValue& value) {
  // Every turn takes at least three bytes of the buffer, or returns.
  while (true) {
    RespValue element;
    std::size_t items_to_come = 0;
    if (open_.empty() && items_seen_ != 0) begin_value();
    Result<bool> taken = take_element(element, items_to_come);
    if (taken.has_error() || !*taken) return taken;
    if (++items_seen_ > limits_.arguments + 1) return malformed("too many items");
    if (items_to_come > 0) {
      if (open_.size() == limits_.depth) return malformed("nested too deeply");
      Open opened;
      opened.array = std::move(element);
      opened.remaining = items_to_come;
      open_.push_back(std::move(opened));
      continue;
    }
    while (!open_.empty()) {
      open_.back().array.items.push_back(std::move(element));
      if (--open_.back().remaining > 0) break;
      element = std::move(open_.back().array);
      open_.pop_back();
    }
    if (!open_.empty()) continue;
    begin_value();
    value = std::move(element);
    return true;
  }
}

Result<bool> RespParser::take_inline(std::vector<std::string>& arguments) {
  std::string_view line;
  Result<bool> whole = take_line(line);
  if (whole.has_error() || !*whole) return whole;
  const std::string_view body = line.substr(0, line.size() - 1);
  arguments.clear();
  for (std::size_t at = 0; at < body.size();) {
    if (is_blank(body[at])) {
      ++at;
      continue;
    }
    Result<std::string> word = take_word(body, at);
    if (word.has_error()) return std::move(word).error();
    if (arguments.size() == limits_.arguments) return malformed("too many arguments");
    arguments.push_back(std::move(*word));
  }
  position_ += line.size();
  scanned_ = 0;
  return true;
}

Result<bool> RespParser::next_request(std::vector<std::string>& arguments) {
  // Empty commands are skipped; every turn takes at least one byte, or returns.
  while (pending() > 0) {
    if (open_.empty() && buffer_[position_] != '*') {
      Result<bool> taken = take_inline(arguments);
      if (taken.has_error() || !*taken) return taken;
      if (arguments.empty()) continue;
      return true;
    }
    RespValue request;
    Result<bool> taken = next_value(request);
    if (taken.has_error() || !*taken) return taken;
    if (request.kind == RespKind::null || request.items.empty()) continue;
    arguments.clear();
    for (RespValue& item : request.items) {
      if (item.kind != RespKind::bulk) return malformed("a request holds bulk strings only");
      arguments.push_back(std::move(item.text));
    }
    return true;
  }
  return false;
}

void encode(const RespValue& value, std::string& out) {
  switch (value.kind) {
    case RespKind::simple:
      append_line('+', value.text, out);
      return;
    case RespKind::error:
      append_line('-', value.text, out);
      return;
    case RespKind::integer:
      fmt::format_to(std::back_inserter(out), ":{}\r\n", value.integer);
      return;
    case RespKind::bulk:
      append_bulk(value.text, out);
      return;
    case RespKind::null:
      out.append("$-1\r\n");
      return;
    case RespKind::array:
      fmt::format_to(std::back_inserter(out), "*{}\r\n", value.items.size());
      for (const RespValue& item : value.items) encode(item, out);
      return;
  }
  SUNDER_ASSERT_MESSAGE(false, "a RespKind outside the enumeration");
}

std::string encode_request(const std::vector<std::string>& arguments) {
  std::string out;
  fmt::format_to(std::back_inserter(out), "*{}\r\n", arguments.size());
  for (const std::string& argument : arguments) append_bulk(argument, out);
  return out;
}

}  // namespace sunder::wire
