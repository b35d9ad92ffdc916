// Reads the plain EDN events that make up nearly all of a history, at a fraction of what the
// general parser costs; whatever is not plain it refuses, for EdnParser to read.
//
// Plain is a map from keywords to integers, keywords, symbols, texts without escapes, nil, true,
// false, and vectors or lists of these. What it accepts means the same to EdnParser.
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

class PlainEdn {
 public:
  // Values go to the pool of `pairing`, which is asked what is in flight.
  explicit PlainEdn(EventPairing& pairing)
      : pool_(&pairing.pool()), texts_(pairing.pool()), lists_(pairing) {}

  // Reads the map that begins at `at`; returns the place behind it, or null when it is not plain or
  // not before `end`. `event` is then half read. Precondition: kJsonPadding (readers.hpp) readable
  // bytes follow the text, the last of them zeros.
  [[nodiscard]] const char* read(const char* at, const char* end, TextEvent& event);

  // The first place from `at` on that is neither blank nor a comma.
  [[nodiscard]] static const char* skip_blanks(const char* at) noexcept;

 private:
  // Of these each reads what begins at `at`, and returns the place behind it or null.
  [[nodiscard]] const char* field(PackedText name, const char* at, TextEvent& event);
  [[nodiscard]] const char* type_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* process_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* value_field(const char* at, TextEvent& event);
  [[nodiscard]] const char* value(const char* at, Value& value);
  [[nodiscard]] const char* word_value(const char* at, Value& value);
  [[nodiscard]] const char* list(const char* at, char close, Value& value);
  [[nodiscard]] const char* part_items(const char* at, std::array<Value, 3>& items);

  ValuePool* pool_;
  ShortTexts texts_;
  PlainLists lists_;
  bool has_type_ = false;
};

}  // namespace sunder::history
