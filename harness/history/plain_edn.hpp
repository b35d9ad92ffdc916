// Reads the plain EDN events that make up nearly all of a history, at a fraction of what the
// general parser costs; whatever is not plain it refuses, for EdnParser to read.
//
// Plain is a map from keywords to integers, keywords, symbols, texts without escapes, nil, true,
// false, and vectors or lists of these. What it accepts means the same to EdnParser.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "harness/history/event_pairing.hpp"

namespace sunder::history {

class PlainEdn {
 public:
  explicit PlainEdn(ValuePool& pool) : pool_(&pool) {}

  // Reads the map that begins at `at`; returns the place behind it, or null when it is not plain.
  // `event` is then half read.
  [[nodiscard]] const char* read(const char* at, const char* end, TextEvent& event);

  // The first place from `at` on that is neither blank nor a comma.
  [[nodiscard]] static const char* skip_blanks(const char* at, const char* end) noexcept;

 private:
  [[nodiscard]] bool field(std::string_view name, TextEvent& event);
  [[nodiscard]] bool name_field(std::string_view& name);
  [[nodiscard]] bool value(Value& value);
  [[nodiscard]] bool list(char close, Value& value);
  [[nodiscard]] bool text(std::string_view& content);
  [[nodiscard]] bool skip_value();
  [[nodiscard]] std::string_view token() noexcept;

  void skip() noexcept { at_ = skip_blanks(at_, end_); }

  [[nodiscard]] bool take(char expected) noexcept {
    if (at_ >= end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  ValuePool* pool_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool has_type_ = false;
  std::vector<Value> items_;  // of the lists being read, the innermost last
  std::size_t depth_ = 0;
};

}  // namespace sunder::history
