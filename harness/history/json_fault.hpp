// Where a text stops to be JSON, and what was expected there: for messages, once a parser that is
// fast has refused it.
//
// RFC 8259, to 1,000 nested values. Threading: pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace sunder::history {

struct JsonFault {
  std::size_t offset = 0;
  std::string_view expected;  // "expected ',' or '}'"
};

// Of the one value that `text` should consist of; nothing when it does.
[[nodiscard]] std::optional<JsonFault> find_json_fault(std::string_view text);

}  // namespace sunder::history
