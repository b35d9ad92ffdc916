// Reads the plain JSON events that make up nearly all of a history, at a fraction of what a general
// parser costs; whatever is not plain it refuses, for the general parser to read.
//
// Plain is an object of known fields whose texts are ASCII without escapes and whose numbers are
// integers. What it accepts is JSON, and means the same to the general parser (jsonl_reader.cpp).
//
// Nothing asks at every byte where the text ends: the zero behind it is in no plain event. Only of
// a file that grows meanwhile are there other bytes, and an event that reaches them is refused.

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "harness/history/eight_bytes.hpp"
#include "harness/history/event_pairing.hpp"
#include "harness/history/plain_lists.hpp"
#include "harness/history/short_texts.hpp"

namespace sunder::history {

class PlainJson {
 public:
  // Values go to the pool of `pairing`, which is asked what is in flight. `lines`: each event is
  // one line and names its process; otherwise newlines are blanks, and one without is process 0's.
  PlainJson(EventPairing& pairing, bool lines)
      : texts_(pairing.pool()), lists_(pairing), lines_(lines) {}

  // Reads the object that begins at `at`; returns the place behind it, or null when it is not plain
  // or not before `end`. `event` is then half read. Precondition: kJsonPadding (readers.hpp)
  // readable bytes follow the text, the last of them zeros.
  [[nodiscard]] const char* read(const char* at, const char* end, TextEvent& event);

  // The first place from `at` on that is no blank within a line.
  [[nodiscard]] static const char* skip_line_blanks(const char* at) noexcept {
    while (*at == ' ' || *at == '\t' || *at == '\r') ++at;
    return at;
  }

 private:
  [[nodiscard]] const char* skip_blanks(const char* at) const noexcept {
    if (*at > ' ') return at;
    while (*at == ' ' || *at == '\t' || *at == '\r' || (*at == '\n' && !lines_)) ++at;
    return at;
  }

  // Of these each reads what begins at `at`, and returns the place behind it or null. `short_name`
  // is the name packed, if it is short enough.
  [[nodiscard]] const char* field(PackedText short_name,
                                  const char* name,
                                  const char* at,
                                  TextEvent& event);
  [[nodiscard]] const char* name_field(const char* at, std::string_view& name);
  [[nodiscard]] const char* key_field(const char* at, std::string_view& name);
  [[nodiscard]] const char* type_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* process_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* value_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* value(const char* at, Value& value);
  [[nodiscard]] const char* list(const char* at, Value& value);
  [[nodiscard]] const char* part_items(const char* at, std::array<Value, 3>& items);

  ShortTexts texts_;
  PlainLists lists_;
  bool lines_;
  bool has_process_ = false;
  bool has_type_ = false;
};

}  // namespace sunder::history
