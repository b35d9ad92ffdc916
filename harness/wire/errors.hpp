// The table of protocol errors: every error word a node may answer with, each marked definite or
// not.
//
// Definite: the command did not and will not take effect (the client records fail, and may retry
// elsewhere). Not definite: it may have taken effect, or still may (the client retries with the
// same session and number, and records info at its deadline). A word that is not in the table is
// not definite.

#pragma once

#include <span>
#include <string_view>

namespace sunder::wire {

struct ErrorWord {
  std::string_view word;  // first word of the error's text: "NOTLEADER"
  bool definite = false;
  bool retry_elsewhere = false;  // another node may do better
  std::string_view meaning;      // for docs/promises.md and `sunder list`
};

// Sorted by word.
[[nodiscard]] std::span<const ErrorWord> error_words();
// The row for an error's text ("NOTLEADER n2"); null when the word is not in the table.
[[nodiscard]] const ErrorWord* find_error(std::string_view text);
[[nodiscard]] bool is_definite(std::string_view text);

}  // namespace sunder::wire
