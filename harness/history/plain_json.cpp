#include "harness/history/plain_json.hpp"

namespace sunder::history {
namespace {

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}

struct Text {
  std::string_view content;
  PackedText packed = kNotPacked;
};

// A text whose quote before it was read already.
const char* read_text(const char* const begin, Text& text) noexcept {
  const char* at = begin;
  while (true) {
    const std::uint64_t word = eight::load(at);
    const std::uint64_t quotes = eight::equal(word, '"');
    const std::uint64_t others = eight::equal(word, '\\') | eight::controls(word) | word;
    const std::uint64_t marks = (quotes | others) & eight::kHighs;
    const unsigned size = eight::bytes_before(marks);
    at += size;
    if (size == 8) continue;
    if (*at != '"') return nullptr;
    text.content = {begin, static_cast<std::size_t>(at - begin)};
    text.packed = text.content.size() == size ? packed(word, size) : kNotPacked;
    return at + 1;
  }
}

// A text of at most seven bytes whose quote before it was read already, as it is written: the same
// as a text without escapes when it is one of those already read. Null: it is longer.
const char* read_short_text(const char* at, PackedText& text) noexcept {
  const std::uint64_t word = eight::load(at);
  const unsigned size = eight::bytes_before(eight::equal(word, '"'));
  if (size > kPackedMax) return nullptr;
  text = packed(word, size);
  return at + size + 1;
}

const char* read_integer(const char* at, std::int64_t& number) noexcept {
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const behind = read_digits(at, number);
  if (behind == nullptr || (*at == '0' && behind > at + 1)) return nullptr;
  if (*behind == '.' || *behind == 'e' || *behind == 'E') return nullptr;
  if (negative) number = -number;
  return behind;
}

const char* read_literal(const char* at, std::string_view word) noexcept {
  for (const char character : word) {
    if (*at != character) return nullptr;
    ++at;
  }
  return at;
}

const char* skip_value(const char* at) noexcept {
  Text text;
  std::int64_t number = 0;
  switch (*at) {
    case '"':
      return read_text(at + 1, text);
    case 'n':
      return read_literal(at, "null");
    case 't':
      return read_literal(at, "true");
    case 'f':
      return read_literal(at, "false");
    default:
      return read_integer(at, number);
  }
}

}  // namespace

const char* PlainJson::read(const char* at, const char* end, TextEvent& event) {
  has_process_ = !lines_;
  has_type_ = false;
  lists_.begin_event();
  if (*at != '{') return nullptr;
  do {
    at = skip_blanks(at + 1);
    if (*at != '"') return nullptr;
    const char* const name = at + 1;
    PackedText short_name = kNotPacked;
    Text long_name;
    at = read_short_text(name, short_name);
    if (at == nullptr) at = read_text(name, long_name);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at);
    if (*at != ':') return nullptr;
    at = skip_blanks(at + 1);
    at = field(short_name, name, at, event);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at);
  } while (*at == ',');
  if (*at != '}' || at >= end) return nullptr;
  return has_process_ && has_type_ ? at + 1 : nullptr;
}

const char* PlainJson::field(PackedText short_name,
                             const char* name,
                             const char* at,
                             TextEvent& event) {
  switch (short_name) {
    case packed("f"):
      return name_field(at, event.function);
    case packed("key"):
      return key_field(at, event.key);
    case packed("time"):
      return read_integer(at, event.time);
    case packed("type"):
      return type_field(at, event);
    case packed("node"):
      return name_field(at, event.node);
    case packed("value"):
      return value_field(at, event);
    case packed("error"):
      return name_field(at, event.error);
    case packed("actual"):
      return value(at, event.actual);
    case packed("output"):
      return value(at, event.output);
    case packed("process"):
      return process_field(at, event);
    default:
      break;
  }
  Text text;
  return read_text(name, text) != nullptr ? skip_value(at) : nullptr;
}

const char* PlainJson::name_field(const char* at, std::string_view& name) {
  if (*at != '"') {
    name = {};
    return read_literal(at, "null");
  }
  Text text;
  at = read_text(at + 1, text);
  name = text.content;
  return at;
}

// Numbers are keys too, as they are written.
const char* PlainJson::key_field(const char* at, std::string_view& name) {
  if (*at != '-' && !is_digit(*at)) return name_field(at, name);
  std::int64_t number = 0;
  const char* const behind = read_integer(at, number);
  if (behind != nullptr) name = {at, static_cast<std::size_t>(behind - at)};
  return behind;
}

const char* PlainJson::type_field(const char* at, TextEvent& event) {
  if (!event.answers.empty()) return nullptr;  // a second one
  if (*at != '"') return nullptr;
  PackedText text = kNotPacked;
  at = read_short_text(at + 1, text);
  has_type_ = at != nullptr;
  switch (text) {
    case packed("invoke"):
      event.type = EventType::invoke;
      return at;
    case packed("ok"):
      event.type = EventType::ok;
      return at;
    case packed("fail"):
      event.type = EventType::fail;
      return at;
    case packed("info"):
      event.type = EventType::info;
      return at;
    default:
      return nullptr;
  }
}

const char* PlainJson::process_field(const char* at, TextEvent& event) {
  if (!event.answers.empty()) return nullptr;  // a second one, and another's
  has_process_ = true;
  event.is_note = *at == '"';
  Text name;
  return event.is_note ? read_text(at + 1, name) : read_integer(at, event.process);
}

const char* PlainJson::value_field(const char* at, TextEvent& event) {
  if (!lists_.begin_value(event)) return nullptr;
  const char* const behind = value(at, event.value);
  lists_.end_value(event);
  return behind;
}

const char* PlainJson::value(const char* at, Value& value) {
  switch (*at) {
    case '"': {
      Text text;
      at = read_text(at + 1, text);
      if (at != nullptr) value = texts_.text(text.packed, text.content);
      return at;
    }
    case '[':
      return list(at + 1, value);
    case 'n':
      value = Value::nil();
      return read_literal(at, "null");
    case 't':
      value = Value::boolean(true);
      return read_literal(at, "true");
    case 'f':
      value = Value::boolean(false);
      return read_literal(at, "false");
    default: {
      std::int64_t number = 0;
      at = read_integer(at, number);
      value = Value::integer(number);
      return at;
    }
  }
}

// A list whose bracket was read already.
const char* PlainJson::list(const char* at, Value& value) {
  std::size_t begin = 0;
  if (!lists_.open(begin)) return nullptr;
  at = skip_blanks(at);
  bool complete = *at == ']';
  while (!complete) {
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
    complete = *at == ']';
    if (complete) break;
    if (*at != ',') return nullptr;
    at = skip_blanks(at + 1);
  }
  value = lists_.close(begin);
  return at + 1;
}

// The place of the bracket behind the items of a part: ["w",7,12].
const char* PlainJson::part_items(const char* at, std::array<Value, 3>& items) {
  PackedText function = kNotPacked;
  if (*at != '"') return nullptr;
  at = read_short_text(at + 1, function);
  if (at == nullptr || *at != ',') return nullptr;
  items[0] = texts_.find(function);
  if (items[0].is_none()) return nullptr;  // the first time
  at = value(skip_blanks(at + 1), items[1]);
  if (at == nullptr || *at != ',') return nullptr;
  at = value(skip_blanks(at + 1), items[2]);
  return at != nullptr && *at == ']' ? at : nullptr;
}

}  // namespace sunder::history
