// Appends JSON to a string: escaped text and the values of a history's pool.
//
// The writers of the text forms share it. Text that is not valid UTF-8 is written with U+FFFD for
// each bad byte, so that a line of a history is always JSON.

#pragma once

#include <string>
#include <string_view>

#include "harness/history/value.hpp"

namespace sunder::history {

// Appends `text` with its quotes.
void append_json_text(std::string& out, std::string_view text);

// Appends a value: none and nil become null.
void append_json_value(std::string& out, const ValuePool& pool, Value value);

}  // namespace sunder::history
