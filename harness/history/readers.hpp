// The readers of the single text forms, behind read_history() (text.hpp).
//
// Errors name the place: "source:line:column: expected …", Errc::unreadable_input.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/history/text.hpp"

namespace sunder::history {

// The error of a place in `text`.
[[nodiscard]] Error error_at(std::string_view text,
                             std::size_t offset,
                             std::string_view source,
                             std::string_view what);

// One event a line, or one array of them. The bytes [text.size(), capacity) behind the text must be
// readable: simdjson looks ahead by kJsonPadding bytes.
constexpr std::size_t kJsonPadding = 64;
[[nodiscard]] Result<History> read_jsonl(std::string_view text,
                                         std::size_t capacity,
                                         std::string_view source);

// Jepsen's EDN and porcupine's kv files; `format` says afterwards which it was.
[[nodiscard]] Result<History> read_edn(std::string_view text,
                                       std::string_view source,
                                       Format& format);

// Lines "INFO  jepsen.util - 2\t:invoke\t:write\t4" and Jepsen's history.txt.
[[nodiscard]] Result<History> read_jepsen_log(std::string_view text, std::string_view source);

}  // namespace sunder::history
