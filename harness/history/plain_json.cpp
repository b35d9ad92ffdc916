#include "harness/history/plain_json.hpp"

#include <span>

namespace sunder::history {
namespace {

constexpr std::size_t kDepthMax = 50;

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}

}  // namespace

const char* PlainJson::read(const char* at, const char* end, TextEvent& event) {
  at_ = at;
  end_ = end;
  has_process_ = process_optional_;
  has_type_ = false;
  items_.clear();
  depth_ = 0;
  if (!take('{')) return nullptr;
  skip_blanks();
  if (next() == '}') return nullptr;
  while (true) {
    std::string_view name;
    if (!take('"') || !text(name)) return nullptr;
    skip_blanks();
    if (!take(':')) return nullptr;
    skip_blanks();
    if (!field(name, event)) return nullptr;
    skip_blanks();
    if (take('}')) break;
    if (!take(',')) return nullptr;
    skip_blanks();
  }
  return has_process_ && has_type_ ? at_ : nullptr;
}

bool PlainJson::field(std::string_view name, TextEvent& event) {
  switch (name.size()) {
    case 1:
      if (name == "f") return name_field(event.function);
      break;
    case 3:
      if (name == "key") return key_field(event.key);
      break;
    case 4:
      if (name == "time") return integer(event.time);
      if (name == "type") return type_field(event.type);
      if (name == "node") return name_field(event.node);
      break;
    case 5:
      if (name == "value") return value(event.value);
      if (name == "error") return name_field(event.error);
      break;
    case 6:
      if (name == "actual") return value(event.actual);
      if (name == "output") return value(event.output);
      break;
    case 7:
      if (name == "process") return process_field(event);
      break;
    default:
      break;
  }
  return skip_value();
}

bool PlainJson::name_field(std::string_view& name) {
  if (take('"')) return text(name);
  name = {};
  return literal("null");
}

// Numbers are keys too, as they are written.
bool PlainJson::key_field(std::string_view& name) {
  if (next() != '-' && !is_digit(next())) return name_field(name);
  const char* begin = at_;
  std::int64_t number = 0;
  if (!integer(number)) return false;
  name = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

bool PlainJson::type_field(EventType& type) {
  std::string_view word;
  has_type_ = take('"') && text(word) && parse_event_type(word, type);
  return has_type_;
}

bool PlainJson::process_field(TextEvent& event) {
  has_process_ = true;
  std::string_view name;
  event.is_note = take('"');
  return event.is_note ? text(name) : integer(event.process);
}

bool PlainJson::value(Value& value) {
  switch (next()) {
    case '"': {
      ++at_;
      std::string_view content;
      if (!text(content)) return false;
      value = pool_->text(content);
      return true;
    }
    case '[':
      return list(value);
    case 'n':
      value = Value::nil();
      return literal("null");
    case 't':
      value = Value::boolean(true);
      return literal("true");
    case 'f':
      value = Value::boolean(false);
      return literal("false");
    default: {
      std::int64_t number = 0;
      if (!integer(number)) return false;
      value = Value::integer(number);
      return true;
    }
  }
}

bool PlainJson::list(Value& value) {
  if (depth_ >= kDepthMax) return false;
  ++at_;
  ++depth_;
  const std::size_t begin = items_.size();
  skip_blanks();
  bool complete = take(']');
  while (!complete) {
    Value item;
    if (!this->value(item)) return false;
    items_.push_back(item);
    skip_blanks();
    complete = take(']');
    if (!complete && !take(',')) return false;
    skip_blanks();
  }
  --depth_;
  value = pool_->list(std::span<const Value>(items_).subspan(begin));
  items_.resize(begin);
  return true;
}

bool PlainJson::text(std::string_view& content) {
  const char* begin = at_;
  while (at_ < end_) {
    const auto character = static_cast<unsigned char>(*at_);
    if (character == '"') {
      content = {begin, static_cast<std::size_t>(at_ - begin)};
      ++at_;
      return true;
    }
    if (character == '\\' || character < 0x20 || character >= 0x80) return false;
    ++at_;
  }
  return false;
}

bool PlainJson::integer(std::int64_t& number) {
  constexpr std::ptrdiff_t kDigitsMax = 18;  // always fits
  const bool negative = take('-');
  const char* begin = at_;
  std::int64_t sum = 0;
  while (at_ < end_ && is_digit(*at_) && at_ - begin <= kDigitsMax) sum = sum * 10 + (*at_++ - '0');
  const std::ptrdiff_t digits = at_ - begin;
  if (digits == 0 || digits > kDigitsMax || (digits > 1 && *begin == '0')) return false;
  if (next() == '.' || next() == 'e' || next() == 'E') return false;
  number = negative ? -sum : sum;
  return true;
}

bool PlainJson::literal(std::string_view word) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool PlainJson::skip_value() {
  std::string_view content;
  if (take('"')) return text(content);
  if (next() == 'n') return literal("null");
  if (next() == 't') return literal("true");
  if (next() == 'f') return literal("false");
  std::int64_t number = 0;
  return integer(number);
}

}  // namespace sunder::history
