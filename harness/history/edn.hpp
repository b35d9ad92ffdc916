// A reader of EDN values into a history's pool: what Jepsen writes, tolerant of what we have no
// kind for.
//
// Keywords, symbols and characters become text; sets, lists and vectors become lists; maps become
// lists of [key value]; tagged literals become what they tag; fractions and numbers beyond 64 bits
// become text. Sets and maps that are equal become equal lists, whatever order they are written in.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/history/value.hpp"

namespace sunder::history {

class EdnParser {
 public:
  EdnParser(std::string_view text, std::string_view source, ValuePool& pool)
      : text_(text), source_(source), pool_(&pool) {}

  // Skips blanks, commas, comments and discarded forms (#_); the next character, or 0 at the end.
  [[nodiscard]] Result<char> peek();
  // Any value.
  [[nodiscard]] Result<Value> value();
  // Takes the next character when it is `expected` (after peek()).
  [[nodiscard]] bool take(char expected) noexcept;
  // Takes a tag before a map, as in #jepsen.history.Op{…}, and the blanks behind it.
  void skip_tag() noexcept;

  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

  // For whoever has read a part of the text otherwise.
  void move_to(std::size_t offset) noexcept { offset_ = offset; }

  [[nodiscard]] Error error(std::string_view what) const;

 private:
  [[nodiscard]] Result<Value> sequence(char close);
  [[nodiscard]] Result<Value> set();
  [[nodiscard]] Result<Value> pairs();
  [[nodiscard]] bool append_code(std::string& content);
  [[nodiscard]] Result<Value> quoted();
  [[nodiscard]] Result<Value> dispatch();
  [[nodiscard]] Result<Value> token();
  [[nodiscard]] std::string_view take_token() noexcept;

  std::string_view text_;
  std::string_view source_;
  ValuePool* pool_;
  std::size_t offset_ = 0;
  std::size_t depth_ = 0;  // bounded: a hostile file must not overflow the stack
};

}  // namespace sunder::history
