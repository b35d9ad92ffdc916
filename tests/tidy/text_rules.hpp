// Rules that look at one C++ file at a time: its opening comment, its sizes, words that have a
// better replacement.
//
// A line (or the line above it) may carry "tidy-allow: WORD because …" in a comment: the banned
// word is then accepted there, and the reason is in the code for whoever asks.

#pragma once

#include <string_view>
#include <vector>

#include "tests/tidy/source.hpp"

namespace sunder::tidy {

constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kFileLinesMax = 800;
constexpr std::size_t kFunctionLinesMax = 70;

// The file opens with a comment whose first paragraph is a sentence; headers have #pragma once.
[[nodiscard]] Violations check_opening(const Source& source);
// Columns are characters, not bytes. Lines with a URL, a raw string or an
// #include may be longer.
[[nodiscard]] Violations check_columns(const Source& source);
[[nodiscard]] Violations check_file_length(const Source& source);
// A function is a brace after parentheses outside of any other function: a heuristic that misses
// some.
[[nodiscard]] Violations check_function_length(const Source& source);
[[nodiscard]] Violations check_words(const Source& source);

}  // namespace sunder::tidy
