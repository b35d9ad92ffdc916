#include "harness/history/edn.hpp"

#include <charconv>

#include <fmt/format.h>

#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

constexpr std::size_t kDepthMax = 100;

bool ends_token(char character) noexcept {
  return std::string_view(" \t\r\n\f,;()[]{}\"").find(character) != std::string_view::npos;
}

}  // namespace

Error EdnParser::error(std::string_view what) const {
  return error_at(text_, offset_, source_, what);
}

Result<char> EdnParser::peek() {
  while (offset_ < text_.size()) {
    const char next = text_[offset_];
    if (std::string_view(" \t\r\n\f,").find(next) != std::string_view::npos) {
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
  if (take('#') && offset_ < text_.size() && text_[offset_] != '{') (void)take_token();
}

std::string_view EdnParser::take_token() noexcept {
  const std::size_t begin = offset_;
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

Result<Value> EdnParser::pairs() {
  std::vector<Value> items;
  while (true) {
    const Result<char> next = peek();
    if (next.has_error()) return next.error();
    if (*next == '\0') return error("expected '}'");
    if (take('}')) return pool_->list(items);
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
      case 'u':  // kept as written: equal texts stay equal
        content += "\\u";
        break;
      default:
        content += escaped;
    }
  }
  return error("expected '\"' at the end of a string");
}

Result<Value> EdnParser::dispatch() {
  if (take('{')) return sequence('}');
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
  std::string_view digits = word.front() == '+' ? word.substr(1) : word;
  if (digits.size() > 1 && digits.back() == 'N') digits.remove_suffix(1);
  std::int64_t integer = 0;
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (failure == std::errc() && end == digits.data() + digits.size()) {
    return Value::integer(integer);
  }
  return pool_->text(word);
}

}  // namespace sunder::history
