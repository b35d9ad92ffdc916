#include "harness/history/json_fault.hpp"

namespace sunder::history {
namespace {

constexpr std::size_t kDepthMax = 1000;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] std::optional<JsonFault> scan() {
    if (value() && next() != '\0') fail("expected the end after the JSON value");
    if (expected_.empty()) return std::nullopt;
    return JsonFault{at_, expected_};
  }

 private:
  // The next character that is not blank; 0 at the end.
  [[nodiscard]] char next() {
    const std::size_t found = text_.find_first_not_of(" \t\r\n", at_);
    at_ = found == std::string_view::npos ? text_.size() : found;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(char expected) {
    if (next() != expected || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  bool fail(std::string_view expected) {
    if (expected_.empty()) expected_ = expected;
    return false;
  }

  bool value() {
    if (++depth_ > kDepthMax) return fail("expected at most 1000 nested values");
    const bool good = any();
    --depth_;
    return good;
  }

  bool any() {
    switch (next()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return quoted();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool object() {
    ++at_;
    if (take('}')) return true;
    while (true) {
      if (next() != '"') return fail("expected a name in quotation marks");
      if (!quoted()) return false;
      if (!take(':')) return fail("expected ':' after the name");
      if (!value()) return false;
      if (take('}')) return true;
      if (!take(',')) return fail("expected ',' or '}'");
    }
  }

  bool array() {
    ++at_;
    if (take(']')) return true;
    while (true) {
      if (!value()) return false;
      if (take(']')) return true;
      if (!take(',')) return fail("expected ',' or ']'");
    }
  }

  bool quoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char character = text_[at_];
      if (character == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(character) < 0x20) {
        return fail("expected '\"' at the end of a string (control characters are written \\n)");
      }
      if (character == '\\' && !escape()) return false;
    }
    return fail("expected '\"' at the end of a string");
  }

  // At the backslash; moves to the last character of the escape.
  bool escape() {
    constexpr std::size_t kDigits = 4;
    const std::string_view rest = text_.substr(at_ + 1);
    if (rest.empty() || std::string_view("\"\\/bfnrtu").find(rest[0]) == std::string_view::npos) {
      return fail("expected one of \" \\ / b f n r t u after '\\'");
    }
    ++at_;
    if (rest[0] != 'u') return true;
    const std::size_t digits = rest.substr(1).find_first_not_of("0123456789abcdefABCDEF");
    if (rest.size() <= kDigits || digits < kDigits) {
      return fail("expected four hexadecimal digits after '\\u'");
    }
    at_ += kDigits;
    return true;
  }

  bool literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return fail("expected a JSON value");
    at_ += word.size();
    return true;
  }

  bool digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > begin || fail("expected a digit");
  }

  [[nodiscard]] bool follows(std::string_view any_of) const {
    return at_ < text_.size() && any_of.find(text_[at_]) != std::string_view::npos;
  }

  bool number() {
    if (!follows("-0123456789")) return fail("expected a JSON value");
    if (follows("-")) ++at_;
    if (follows("0")) {
      ++at_;
      if (follows("0123456789")) return fail("expected a number without leading zeros");
    } else if (!digits()) {
      return false;
    }
    if (follows(".")) {
      ++at_;
      if (!digits()) return false;
    }
    if (!follows("eE")) return true;
    ++at_;
    if (follows("+-")) ++at_;
    return digits();
  }

  std::string_view text_;
  std::string_view expected_;  // what was, where the first fault is
  std::size_t at_ = 0;
  std::size_t depth_ = 0;  // bounded: a hostile text must not overflow the stack
};

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text) {
  return Scanner(text).scan();
}

}  // namespace sunder::history
