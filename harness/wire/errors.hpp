// The table of protocol errors: every error word a node may answer with, each marked definite or
// not.
//
// Definite: the command did not and will not take effect (the client records fail, and may retry
// elsewhere). Not definite: it may have taken effect, or still may (the client retries with the
// same session and number, and records info at its deadline). A word that is not in the table is
// not definite.

#pragma once

#include <optional>
#include <span>
#include <string>
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

// Stands for an absent value where the protocol has no null of its own: `CAS key (nil) to` expects
// that the key does not exist, and `-CASMISMATCH (nil)` says that it did not. A stored text "(nil)"
// can therefore not be compared with CAS.
constexpr std::string_view kNilMarker = "(nil)";

// What a refused CAS says: "CASMISMATCH 5", "CASMISMATCH (nil)" (absent), or only "CASMISMATCH"
// when the actual value does not fit an error line (long, not printable, or the marker itself).
struct CasMismatch {
  bool told = false;                  // the actual value is known
  std::optional<std::string> actual;  // none: the key was absent; only when told
};

[[nodiscard]] std::string cas_mismatch_text(const std::optional<std::string>& actual);
// None when the text is another error.
[[nodiscard]] std::optional<CasMismatch> parse_cas_mismatch(std::string_view text);

}  // namespace sunder::wire
