#include "harness/history/plain_edn.hpp"

#include <array>
#include <optional>
#include <span>

#include "harness/history/lines.hpp"

namespace sunder::history {
namespace {

constexpr std::size_t kDepthMax = 50;

// What a character is to a reader of tokens.
enum class Kind : std::uint8_t { token, blank, delimiter };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (const char character : std::string_view(" \t\r\n\f,")) {
    kinds.at(static_cast<unsigned char>(character)) = Kind::blank;
  }
  for (const char character : std::string_view(";()[]{}\"")) {
    kinds.at(static_cast<unsigned char>(character)) = Kind::delimiter;
  }
  return kinds;
}();

Kind kind_of(char character) noexcept {
  return kKinds[static_cast<unsigned char>(character)];
}

// A number as it is printed: "7", not "+7" or "07".
std::optional<std::int64_t> plain_integer(std::string_view word) noexcept {
  constexpr std::size_t kDigitsMax = 18;  // always fits
  const bool negative = word.front() == '-';
  const std::string_view digits = word.substr(negative ? 1 : 0);
  if (digits.empty() || digits.size() > kDigitsMax) return std::nullopt;
  if (digits.front() == '0' && (digits.size() > 1 || negative)) return std::nullopt;
  std::int64_t sum = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    sum = sum * 10 + (digit - '0');
  }
  return negative ? -sum : sum;
}

// What begins a tagged literal, a set, a character or metadata: not for us.
bool is_odd(char character) noexcept {
  return character == '#' || character == '\\' || character == '^';
}

bool starts_number(char character) noexcept {
  return (character >= '0' && character <= '9') || character == '-' || character == '+';
}

}  // namespace

const char* PlainEdn::skip_blanks(const char* at, const char* end) noexcept {
  while (at < end && kind_of(*at) == Kind::blank) ++at;
  return at;
}

const char* PlainEdn::read(const char* at, const char* end, TextEvent& event) {
  at_ = at;
  end_ = end;
  has_type_ = false;
  items_.clear();
  depth_ = 0;
  if (!take('{')) return nullptr;
  while (true) {
    skip();
    if (take('}')) break;
    if (!take(':')) return nullptr;
    const std::string_view name = token();
    skip();
    if (!field(name, event)) return nullptr;
  }
  return has_type_ ? at_ : nullptr;
}

bool PlainEdn::field(std::string_view name, TextEvent& event) {
  switch (name.size()) {
    case 1:
      if (name == "f") return name_field(event.function);
      break;
    case 3:
      if (name == "key") return name_field(event.key);
      break;
    case 4:
      if (name == "type") {
        has_type_ = take(':') && parse_event_type(token(), event.type);
        return has_type_;
      }
      if (name == "node") return name_field(event.node);
      if (name == "time") {
        const std::string_view word = token();
        const auto time = word.empty() ? std::nullopt : plain_integer(word);
        if (time) event.time = *time;
        return time.has_value();
      }
      break;
    case 5:
      if (name == "value") return value(event.value);
      if (name == "error") return name_field(event.error);
      break;
    case 7:
      if (name == "process") {
        Value process;
        if (!value(process)) return false;
        event.is_note = !process.is_integer();
        if (!event.is_note) event.process = process.raw();
        return true;
      }
      break;
    default:
      break;
  }
  return skip_value();
}

// Text as it is, a number as it is printed; nil is no name.
bool PlainEdn::name_field(std::string_view& name) {
  if (take('"')) return text(name);
  if (take(':')) {
    name = token();
    return !name.empty();
  }
  name = token();
  if (name.empty() || is_odd(name.front()) || name == "true" || name == "false") return false;
  if (starts_number(name.front())) return plain_integer(name).has_value();
  if (name == "nil") name = {};
  return true;
}

bool PlainEdn::value(Value& value) {
  if (at_ >= end_) return false;
  if (take('[')) return list(']', value);
  if (take('(')) return list(')', value);
  if (take('"')) {
    std::string_view content;
    if (!text(content)) return false;
    value = pool_->text(content);
    return true;
  }
  const std::string_view word = token();
  if (word.empty() || is_odd(word.front())) return false;
  if (starts_number(word.front())) {
    const std::optional<std::int64_t> number = plain_integer(word);
    if (number) value = Value::integer(*number);
    return number.has_value();
  }
  if (word == "nil") {
    value = Value::nil();
  } else if (word == "true" || word == "false") {
    value = Value::boolean(word == "true");
  } else {
    value = pool_->text(word.front() == ':' ? word.substr(1) : word);
  }
  return true;
}

bool PlainEdn::list(char close, Value& value) {
  if (depth_ >= kDepthMax) return false;
  ++depth_;
  const std::size_t begin = items_.size();
  while (true) {
    skip();
    if (take(close)) break;
    Value item;
    if (!this->value(item)) return false;
    items_.push_back(item);
  }
  --depth_;
  value = pool_->list(std::span<const Value>(items_).subspan(begin));
  items_.resize(begin);
  return true;
}

bool PlainEdn::text(std::string_view& content) {
  const char* begin = at_;
  while (at_ < end_ && *at_ != '"' && *at_ != '\\') ++at_;
  if (at_ >= end_ || *at_ == '\\') return false;
  content = {begin, static_cast<std::size_t>(at_ - begin)};
  ++at_;
  return true;
}

bool PlainEdn::skip_value() {
  std::string_view content;
  if (take('"')) return text(content);
  content = token();
  return !content.empty() && !is_odd(content.front());
}

std::string_view PlainEdn::token() noexcept {
  const char* begin = at_;
  while (at_ < end_ && kind_of(*at_) == Kind::token) ++at_;
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

}  // namespace sunder::history
