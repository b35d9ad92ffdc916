// Reads the plain JSON events that make up nearly all of a history, at a fraction of what a general
// parser costs; whatever is not plain it refuses, for the general parser to read.
//
// Plain is an object of known fields whose texts are ASCII without escapes and whose numbers are
// integers. What it accepts is JSON, and means the same to the general parser (jsonl_reader.cpp).

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "harness/history/event_pairing.hpp"

namespace sunder::history {

class PlainJson {
 public:
  // `process_optional`: an event without a process is process 0's.
  PlainJson(ValuePool& pool, bool process_optional)
      : pool_(&pool), process_optional_(process_optional) {}

  // Reads the object that begins at `at`; returns the place behind it, or null when it is not
  // plain. `event` is then half read.
  [[nodiscard]] const char* read(const char* at, const char* end, TextEvent& event);

 private:
  [[nodiscard]] bool field(std::string_view name, TextEvent& event);
  [[nodiscard]] bool name_field(std::string_view& name);
  [[nodiscard]] bool key_field(std::string_view& name);
  [[nodiscard]] bool type_field(EventType& type);
  [[nodiscard]] bool process_field(TextEvent& event);
  [[nodiscard]] bool value(Value& value);
  [[nodiscard]] bool list(Value& value);
  [[nodiscard]] bool text(std::string_view& content);
  [[nodiscard]] bool integer(std::int64_t& number);
  [[nodiscard]] bool literal(std::string_view word);
  [[nodiscard]] bool skip_value();

  void skip_blanks() noexcept {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }

  [[nodiscard]] bool take(char expected) noexcept {
    if (at_ >= end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  [[nodiscard]] char next() const noexcept { return at_ < end_ ? *at_ : '\0'; }

  ValuePool* pool_;
  bool process_optional_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool has_process_ = false;
  bool has_type_ = false;
  std::vector<Value> items_;  // of the lists being read, the innermost last
  std::size_t depth_ = 0;
};

}  // namespace sunder::history
