#include "harness/history/plain_edn.hpp"

#include <array>

namespace sunder::history {
namespace {

// What a character is to a reader of tokens.
enum class Kind : std::uint8_t { token, blank, delimiter };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (const char character : std::string_view(" \t\r\n\f,")) {
    kinds.at(static_cast<unsigned char>(character)) = Kind::blank;
  }
  for (const char character : std::string_view(";()[]{}\"\0", 9)) {
    kinds.at(static_cast<unsigned char>(character)) = Kind::delimiter;
  }
  return kinds;
}();

Kind kind_of(char character) noexcept {
  return kKinds[static_cast<unsigned char>(character)];
}

// What begins a tagged literal, a set, a character or metadata: not for us.
bool is_odd(char character) noexcept {
  return character == '#' || character == '\\' || character == '^';
}

bool starts_number(char character) noexcept {
  return (character >= '0' && character <= '9') || character == '-' || character == '+';
}

struct Token {
  std::string_view content;
  PackedText packed = kNotPacked;
};

const char* read_token(const char* const begin, Token& token) noexcept {
  const char* at = begin;
  while (kind_of(*at) == Kind::token) ++at;
  token.content = {begin, static_cast<std::size_t>(at - begin)};
  token.packed = token.content.size() <= kPackedMax
                     ? packed(eight::load(begin), static_cast<unsigned>(token.content.size()))
                     : kNotPacked;
  return at;
}

// A number as it is printed: "7", not "+7", "07" or "7N".
const char* read_integer(const char* at, std::int64_t& number) noexcept {
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const behind = read_digits(at, number);
  if (behind == nullptr || kind_of(*behind) == Kind::token) return nullptr;
  if (*at == '0' && (negative || behind > at + 1)) return nullptr;
  if (negative) number = -number;
  return behind;
}

// A text whose quote before it was read already.
const char* read_text(const char* const begin, std::string_view& content) noexcept {
  const char* at = begin;
  while (true) {
    const std::uint64_t word = eight::load(at);
    const std::uint64_t marks =
        eight::equal(word, '"') | eight::equal(word, '\\') | eight::equal(word, '\0');
    const unsigned size = eight::bytes_before(marks);
    at += size;
    if (size < 8) break;
  }
  if (*at != '"') return nullptr;
  content = {begin, static_cast<std::size_t>(at - begin)};
  return at + 1;
}

const char* skip_value(const char* at) noexcept {
  std::string_view content;
  if (*at == '"') return read_text(at + 1, content);
  Token token;
  const char* const behind = read_token(at, token);
  return behind == at || is_odd(*at) ? nullptr : behind;
}

// Text as it is, a number as it is printed; nil is no name.
const char* name_field(const char* at, std::string_view& name) noexcept {
  if (*at == '"') return read_text(at + 1, name);
  Token token;
  if (*at == ':') {
    at = read_token(at + 1, token);
    name = token.content;
    return name.empty() ? nullptr : at;
  }
  const char* const behind = read_token(at, token);
  const bool refused = behind == at || is_odd(*at) || token.packed == packed("true") ||
                       token.packed == packed("false");
  if (refused) return nullptr;
  name = token.packed == packed("nil") ? std::string_view() : token.content;
  std::int64_t number = 0;
  return starts_number(*at) ? read_integer(at, number) : behind;
}

}  // namespace

const char* PlainEdn::skip_blanks(const char* at) noexcept {
  while (kind_of(*at) == Kind::blank) ++at;
  return at;
}

const char* PlainEdn::read(const char* at, const char* end, TextEvent& event) {
  has_type_ = false;
  lists_.begin_event();
  if (*at != '{') return nullptr;
  at = skip_blanks(at + 1);
  while (*at != '}') {
    if (*at != ':') return nullptr;
    Token name;
    at = skip_blanks(read_token(at + 1, name));
    at = field(name.packed, at, event);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at);
  }
  return has_type_ && at < end ? at + 1 : nullptr;
}

const char* PlainEdn::field(PackedText name, const char* at, TextEvent& event) {
  switch (name) {
    case packed("f"):
      return name_field(at, event.function);
    case packed("key"):
      return name_field(at, event.key);
    case packed("type"):
      return type_field(at, event);
    case packed("node"):
      return name_field(at, event.node);
    case packed("time"):
      return read_integer(at, event.time);
    case packed("value"):
      return value_field(at, event);
    case packed("error"):
      return name_field(at, event.error);
    case packed("process"):
      return process_field(at, event);
    default:
      return skip_value(at);
  }
}

const char* PlainEdn::type_field(const char* at, TextEvent& event) {
  if (!event.answers.empty()) return nullptr;  // a second one
  if (*at != ':') return nullptr;
  Token token;
  at = read_token(at + 1, token);
  has_type_ = parse_event_type(token.content, event.type);
  return has_type_ ? at : nullptr;
}

const char* PlainEdn::process_field(const char* at, TextEvent& event) {
  if (!event.answers.empty()) return nullptr;  // a second one, and another's
  Value process;
  at = value(at, process);
  event.is_note = !process.is_integer();
  if (!event.is_note) event.process = process.raw();
  return at;
}

const char* PlainEdn::value_field(const char* at, TextEvent& event) {
  if (!lists_.begin_value(event)) return nullptr;
  const char* const behind = value(at, event.value);
  lists_.end_value(event);
  return behind;
}

const char* PlainEdn::value(const char* at, Value& value) {
  switch (*at) {
    case '[':
      return list(at + 1, ']', value);
    case '(':
      return list(at + 1, ')', value);
    case '"': {
      std::string_view content;
      at = read_text(at + 1, content);
      if (at != nullptr) value = pool_->text(content);
      return at;
    }
    default:
      break;
  }
  if (!starts_number(*at)) return word_value(at, value);
  std::int64_t number = 0;
  at = read_integer(at, number);
  value = Value::integer(number);
  return at;
}

// A keyword is its name; any other symbol is itself.
const char* PlainEdn::word_value(const char* at, Value& value) {
  if (is_odd(*at)) return nullptr;
  Token token;
  const bool keyword = *at == ':';
  const char* const behind = read_token(keyword ? at + 1 : at, token);
  if (behind == at) return nullptr;
  if (keyword) {
    value = texts_.text(token.packed, token.content);
    return behind;
  }
  switch (token.packed) {
    case packed("nil"):
      value = Value::nil();
      return behind;
    case packed("true"):
      value = Value::boolean(true);
      return behind;
    case packed("false"):
      value = Value::boolean(false);
      return behind;
    default:
      value = texts_.text(token.packed, token.content);
      return behind;
  }
}

// A list whose bracket was read already.
const char* PlainEdn::list(const char* at, char close, Value& value) {
  std::size_t begin = 0;
  if (!lists_.open(begin)) return nullptr;
  at = skip_blanks(at);
  while (*at != close) {
    Value item;
    std::int64_t number = 0;
    const char* behind = read_small_number(at, number);
    if (behind != nullptr) {
      item = Value::integer(number);
    } else if (*at == '[' && lists_.reads_parts()) {
      behind = lists_.read_part(
          at + 1, item, [this](const char* from, auto& items) { return part_items(from, items); });
    }
    at = behind != nullptr ? behind : this->value(at, item);
    if (at == nullptr) return nullptr;
    lists_.add(item);
    at = skip_blanks(at);
  }
  value = lists_.close(begin);
  return at + 1;
}

// The place of the bracket behind the items of a part: [:w 7 12].
const char* PlainEdn::part_items(const char* at, std::array<Value, 3>& items) {
  Token function;
  if (*at != ':') return nullptr;
  at = read_token(at + 1, function);
  if (*at != ' ' || function.content.empty()) return nullptr;
  items[0] = texts_.text(function.packed, function.content);
  at = value(at + 1, items[1]);
  if (at == nullptr || *at != ' ') return nullptr;
  at = value(at + 1, items[2]);
  return at != nullptr && *at == ']' ? at : nullptr;
}

}  // namespace sunder::history
