// Lines and words of a text, with their places, for the readers of line-based forms.
//
// Views into the text given; nothing is copied.

#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/history/value.hpp"

namespace sunder::history {

// One line without its newline and without blanks around it.
struct Line {
  std::string_view text;
  std::size_t offset = 0;   // of `text` in the whole
  bool has_newline = true;  // false: the last line of a text that may have been cut off
};

class Lines {
 public:
  explicit Lines(std::string_view text) noexcept : text_(text) {}

  // The next line that is not blank; nothing at the end.
  [[nodiscard]] std::optional<Line> next() noexcept {
    constexpr std::string_view kBlank = " \t\r";
    while (begin_ < text_.size()) {
      const std::size_t newline = text_.find('\n', begin_);
      const bool has_newline = newline != std::string_view::npos;
      const std::string_view whole =
          text_.substr(begin_, (has_newline ? newline : text_.size()) - begin_);
      const std::size_t start = begin_;
      begin_ += whole.size() + 1;
      const std::size_t first = whole.find_first_not_of(kBlank);
      if (first == std::string_view::npos) continue;
      const std::size_t last = whole.find_last_not_of(kBlank);
      return Line{whole.substr(first, last - first + 1), start + first, has_newline};
    }
    return std::nullopt;
  }

 private:
  std::string_view text_;
  std::size_t begin_ = 0;
};

// Takes the first word off `rest`, blanks before it too; empty at the end.
[[nodiscard]] inline std::string_view take_word(std::string_view& rest) noexcept {
  // Words are short: looking for any of several characters with the library takes longer.
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  std::size_t begin = 0;
  while (begin < rest.size() && is_blank(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

// The whole word as an integer.
[[nodiscard]] inline std::optional<std::int64_t> integer_of(std::string_view word) noexcept {
  std::int64_t integer = 0;
  const char* end = word.data() + word.size();
  const auto [stop, failure] = std::from_chars(word.data(), end, integer);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return integer;
}

// An integer when it is one, otherwise a text.
[[nodiscard]] inline Value value_of_word(ValuePool& pool, std::string_view word) {
  const std::optional<std::int64_t> integer = integer_of(word);
  return integer ? Value::integer(*integer) : pool.text(word);
}

}  // namespace sunder::history
