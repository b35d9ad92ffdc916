// Escaping: makes text that came from outside safe inside HTML, XML, scripts, Markdown and
// terminals.
//
// Nothing here trusts its input to be UTF-8: bytes that are not become U+FFFD, so that every
// document we write parses.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sunder::report {

// Valid UTF-8: bad bytes, surrogates and non-characters replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);
// valid_utf8, and control characters (except newline and tab) shown as their pictures: ESC is "␛".
[[nodiscard]] std::string printable(std::string_view text);

// printable, and & < > " ' as entities: for HTML and XML, content and quoted attributes alike.
[[nodiscard]] std::string escape_markup(std::string_view text);
// For a JSON document inside <script>: < > & and the two line separators as \u escapes.
[[nodiscard]] std::string escape_script(std::string_view json);
// printable on one line, without meaning to Markdown tables, emphasis, links or HTML.
[[nodiscard]] std::string escape_markdown(std::string_view text);

// Code points, which is columns for the texts we write.
[[nodiscard]] std::size_t column_count(std::string_view text) noexcept;
// The longest prefix of at most `bytes_max` bytes that does not cut a character.
[[nodiscard]] std::string_view prefix_of(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace sunder::report
