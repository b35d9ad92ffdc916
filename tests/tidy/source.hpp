// Source: one file of the project as the rules see it, and the walk that finds them all.
//
// C++ text comes in three views of equal length and line structure: as written; code, in which
// comments, the contents of literals and preprocessor lines are blank; and comments alone. Rules
// match the view they mean, so a banned word in a string or a brace in a comment is none.

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sunder::tidy {

struct Source {
  std::string path;  // from the repository's root: "harness/base/error.hpp"
  std::string text;
  std::string code;      // C++ only, else empty
  std::string comments;  // C++ only, else empty

  [[nodiscard]] bool is_header() const { return path.ends_with(".hpp"); }

  [[nodiscard]] bool is_cpp() const { return is_header() || path.ends_with(".cpp"); }

  [[nodiscard]] bool is_markdown() const { return path.ends_with(".md"); }

  [[nodiscard]] bool is_cmake() const { return path.ends_with("CMakeLists.txt"); }
};

// One finding: where, and a sentence that says what to do instead.
struct Violation {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the whole file
  std::string message;
};

using Violations = std::vector<Violation>;

// Makes the views.
[[nodiscard]] Source make_source(std::string path, std::string text);

// Every file that git tracks or would track (without git: every file outside build/, runs/ and
// hidden folders), sorted.
[[nodiscard]] std::vector<Source> load_tree(const std::filesystem::path& root);

[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
// Line number, from 1, of a position in a text.
[[nodiscard]] std::size_t line_at(std::string_view text, std::size_t position);
// "harness/base" of "harness/base/error.hpp"; empty at the root.
[[nodiscard]] std::string directory_of(std::string_view path);

}  // namespace sunder::tidy
