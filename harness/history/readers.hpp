// The readers of the single text forms, behind read_history() (text.hpp).
//
// Errors name the place: "source:line:column: expected …", Errc::unreadable_input.

#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/history/text.hpp"

namespace sunder::history {

// The error of a place in `text`.
[[nodiscard]] Error error_at(std::string_view text,
                             std::size_t offset,
                             std::string_view source,
                             std::string_view what);

// How far a reader has come, for whoever waits and to give memory back (never called with an offset
// before which anything of the text is still needed), and what it has to say beside the history.
struct ReadProgress {
  std::function<void(std::size_t offset)> report;
  std::size_t next = 0;
  std::vector<std::string> remarks;

  void at(std::size_t offset) {
    constexpr std::size_t kStep = std::size_t{4} << 20;
    if (offset < next || !report) return;
    report(offset);
    next = offset + kStep;
  }

  // Said once, however often the text is read.
  void remark(std::string_view text) {
    if (std::ranges::find(remarks, text) == remarks.end()) remarks.emplace_back(text);
  }
};

// Remarks of several readers.
constexpr std::string_view kCutOff =
    "the last line ends early, as that of a run that died: it was left out";
constexpr std::string_view kWithoutInvocations =
    "no operation has an invocation: each may have begun at any time after the one before it of "
    "its process had ended";

// One event a line (jsonl), or one array of them (json); `format` says afterwards which. The bytes
// [text.size(), capacity) behind the text must be readable: parsers look ahead by kJsonPadding
// bytes. The last of these are zeros.
constexpr std::size_t kJsonPadding = 64;
[[nodiscard]] Result<History> read_jsonl(std::string_view text,
                                         std::size_t capacity,
                                         std::string_view source,
                                         Format& format,
                                         ReadProgress& progress);

// Jepsen's EDN and porcupine's kv files; `format` says afterwards which it was. Behind the text as
// above.
[[nodiscard]] Result<History> read_edn(std::string_view text,
                                       std::string_view source,
                                       Format& format,
                                       ReadProgress& progress);

// Lines "INFO  jepsen.util - 2\t:invoke\t:write\t4" of porcupine and of jepsen.log, and Jepsen's
// history.txt; `format` says afterwards which it was.
[[nodiscard]] Result<History> read_jepsen_log(std::string_view text,
                                              std::string_view source,
                                              Format& format,
                                              ReadProgress& progress);

// Transactions with sessions and without times.
[[nodiscard]] Result<History> read_awdit(std::string_view text,
                                         std::string_view source,
                                         ReadProgress& progress);
[[nodiscard]] Result<History> read_plume(std::string_view text,
                                         std::string_view source,
                                         ReadProgress& progress);
[[nodiscard]] Result<History> read_dbcop(std::string_view bytes, std::string_view source);
[[nodiscard]] bool looks_like_dbcop(std::string_view bytes);

// One concurrent object: calls and returns, or whole calls with their stamps, and behind the text
// as above.
[[nodiscard]] Result<History> read_object(std::string_view text, std::string_view source);
[[nodiscard]] Result<History> read_intervals(std::string_view text, std::string_view source);

// The form of a text by its first lines; an empty text is jsonl.
[[nodiscard]] Format detect_format(std::string_view text);

}  // namespace sunder::history
