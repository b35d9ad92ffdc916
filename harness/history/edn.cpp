#include "harness/history/edn.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <fmt/format.h>

#include "harness/history/readers.hpp"
#include "harness/history/unordered.hpp"

namespace sunder::history {
namespace {

constexpr std::size_t kDepthMax = 100;

bool is_blank(char character) noexcept {
  return std::string_view(" \t\r\n\f,").find(character) != std::string_view::npos;
}

bool ends_token(char character) noexcept {
  return std::string_view(" \t\r\n\f,;()[]{}\"").find(character) != std::string_view::npos;
}

// Four hexadecimal digits at the start of `text`; nothing when they are none.
std::optional<std::uint32_t> code_unit(std::string_view text) noexcept {
  constexpr std::size_t kDigits = 4;
  if (text.size() < kDigits) return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = text.data() + kDigits;
  const auto [stop, failure] = std::from_chars(text.data(), end, unit, 16);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return unit;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&out, code](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000U) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// "+7", "7N": an integer of any size, as the number alone is written. Empty: not one.
std::string_view integer_digits(std::string_view word) noexcept {
  if (word.front() == '+') word.remove_prefix(1);
  if (word.size() > 1 && word.back() == 'N') word.remove_suffix(1);
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  const bool all = !digits.empty() && std::ranges::all_of(digits, [](char character) {
    return character >= '0' && character <= '9';
  });
  return all ? word : std::string_view();
}

}  // namespace

Error EdnParser::error(std::string_view what) const {
  return error_at(text_, offset_, source_, what);
}

Result<char> EdnParser::peek() {
  while (offset_ < text_.size()) {
    const char next = text_[offset_];
    if (is_blank(next)) {
      ++offset_;
    } else if (next == ';') {
      const std::size_t newline = text_.find('\n', offset_);
      offset_ = newline == std::string_view::npos ? text_.size() : newline;
    } else if (text_.substr(offset_, 2) == "#_") {
      offset_ += 2;
      if (++depth_ > kDepthMax) return error("expected at most 100 nested forms");
      const Result<Value> discarded = value();
      --depth_;
      if (discarded.has_error()) return discarded.error();
    } else {
      return next;
    }
  }
  return '\0';
}

bool EdnParser::take(char expected) noexcept {
  if (offset_ >= text_.size() || text_[offset_] != expected) return false;
  ++offset_;
  return true;
}

void EdnParser::skip_tag() noexcept {
  const std::size_t begin = offset_;
  if (!take('#') || take_token().empty()) {
    offset_ = begin;
    return;
  }
  while (offset_ < text_.size() && is_blank(text_[offset_])) ++offset_;
}

std::string_view EdnParser::take_token() noexcept {
  const std::size_t begin = offset_;
  // A character may be any, also one that ends tokens: \( and \" and \,
  if (text_.substr(offset_).starts_with('\\')) offset_ = std::min(offset_ + 2, text_.size());
  while (offset_ < text_.size() && !ends_token(text_[offset_])) ++offset_;
  return text_.substr(begin, offset_ - begin);
}

Result<Value> EdnParser::value() {
  const Result<char> next = peek();
  if (next.has_error()) return next.error();
  if (++depth_ > kDepthMax) return error("expected at most 100 nested forms");
  Result<Value> result = [&]() -> Result<Value> {
    switch (*next) {
      case '[':
        ++offset_;
        return sequence(']');
      case '(':
        ++offset_;
        return sequence(')');
      case '{':
        ++offset_;
        return pairs();
      case '"':
        ++offset_;
        return quoted();
      case '#':
        ++offset_;
        return dispatch();
      case '\0':
      case ']':
      case ')':
      case '}':
        return error("expected a value");
      default:
        return token();
    }
  }();
  --depth_;
  return result;
}

Result<Value> EdnParser::sequence(char close) {
  std::vector<Value> items;
  while (true) {
    const Result<char> next = peek();
    if (next.has_error()) return next.error();
    if (*next == '\0') return error(fmt::format("expected '{}'", close));
    if (take(close)) return pool_->list(items);
    const Result<Value> item = value();
    if (item.has_error()) return item;
    items.push_back(*item);
  }
}

Result<Value> EdnParser::set() {
  const Result<Value> items = sequence('}');
  if (items.has_error()) return items;
  const std::span<const Value> given = pool_->items_of(*items);
  std::vector<Value> copy(given.begin(), given.end());
  return set_of(*pool_, copy);
}

Result<Value> EdnParser::pairs() {
  std::vector<Value> items;
  while (true) {
    const Result<char> next = peek();
    if (next.has_error()) return next.error();
    if (*next == '\0') return error("expected '}'");
    if (take('}')) return map_of(*pool_, items);
    const Result<Value> key = value();
    if (key.has_error()) return key;
    const Result<Value> content = value();
    if (content.has_error()) return content;
    items.push_back(pool_->list({*key, *content}));
  }
}

Result<Value> EdnParser::quoted() {
  std::string content;
  while (offset_ < text_.size()) {
    const char next = text_[offset_++];
    if (next == '"') return pool_->text(content);
    if (next != '\\') {
      content += next;
      continue;
    }
    if (offset_ >= text_.size()) break;
    const char escaped = text_[offset_++];
    switch (escaped) {
      case 'n':
        content += '\n';
        break;
      case 't':
        content += '\t';
        break;
      case 'r':
        content += '\r';
        break;
      case 'b':
        content += '\b';
        break;
      case 'f':
        content += '\f';
        break;
      case 'u':
        if (!append_code(content)) return error("expected four hexadecimal digits after '\\u'");
        break;
      default:
        content += escaped;
    }
  }
  return error("expected '\"' at the end of a string");
}

// Behind "\u". Characters beyond 16 bits come as two halves; a half alone is kept as written.
bool EdnParser::append_code(std::string& content) {
  const std::optional<std::uint32_t> unit = code_unit(text_.substr(offset_));
  if (!unit) return false;
  const std::string_view written = text_.substr(offset_, 4);
  offset_ += written.size();
  const bool first_half = *unit >= 0xD800U && *unit < 0xDC00U;
  const bool second_half = *unit >= 0xDC00U && *unit < 0xE000U;
  if (first_half && text_.substr(offset_).starts_with("\\u")) {
    const std::optional<std::uint32_t> low = code_unit(text_.substr(offset_ + 2));
    if (low && *low >= 0xDC00U && *low < 0xE000U) {
      offset_ += 6;
      append_utf8(content, 0x10000U + ((*unit - 0xD800U) << 10U) + (*low - 0xDC00U));
      return true;
    }
  }
  if (first_half || second_half) {
    content += "\\u";
    content += written;
  } else {
    append_utf8(content, *unit);
  }
  return true;
}

Result<Value> EdnParser::dispatch() {
  if (take('{')) return set();
  const std::string_view tag = take_token();
  if (tag.empty()) return error("expected a tag or a set after '#'");
  if (tag.front() == '#') return pool_->text(tag);  // ##NaN, ##Inf
  return value();
}

Result<Value> EdnParser::token() {
  const std::string_view word = take_token();
  if (word.empty()) return error("expected a value");
  if (word == "nil") return Value::nil();
  if (word == "true") return Value::boolean(true);
  if (word == "false") return Value::boolean(false);
  if (word.front() == ':') return pool_->text(word.substr(1));
  if (word.front() == '^') {  // metadata, which says nothing of the value behind it
    offset_ -= word.size() - 1;
    const Result<Value> said = value();
    return said.has_error() ? said : value();
  }
  const std::string_view digits = integer_digits(word);
  if (digits.empty()) return pool_->text(word);
  std::int64_t integer = 0;
  const auto failure = std::from_chars(digits.data(), digits.data() + digits.size(), integer).ec;
  return failure == std::errc() ? Value::integer(integer) : pool_->text(digits);
}

}  // namespace sunder::history
