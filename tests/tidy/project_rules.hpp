// Rules that look at the whole tree: sources that nobody builds, fixtures that nobody reads, links
// that lead nowhere.

#pragma once

#include <vector>

#include "tests/tidy/source.hpp"

namespace sunder::tidy {

// A file that needs no opening comment: foo.cpp whose header foo.hpp has it, and foo_test.cpp for
// any foo of the tree.
[[nodiscard]] bool is_introduced_elsewhere(const std::vector<Source>& tree, const Source& source);

// Every .cpp and .proto is named in a CMakeLists.txt above it.
[[nodiscard]] Violations check_listed_in_cmake(const std::vector<Source>& tree);

// Every file below tests/ that is neither code nor documentation is named, or lies in a folder that
// is named
// ("tests/histories"), in some test's source or CMakeLists.txt.
[[nodiscard]] Violations check_fixtures_read(const std::vector<Source>& tree);

// One `# ` title in a Markdown file, and its relative links lead to files of the tree.
[[nodiscard]] Violations check_markdown(const std::vector<Source>& tree, const Source& source);

// What headers of tests declare in a namespace has another name in each: two libraries that a test
// links may otherwise define one function twice, and the linker takes either without a word.
[[nodiscard]] Violations check_test_names(const std::vector<Source>& tree);

// A code block of a Markdown file whose first line is "// PATH" of a source of the tree quotes it:
// what stands between lines "// …" occurs there, whatever the layout.
[[nodiscard]] Violations check_quotations(const std::vector<Source>& tree, const Source& source);

}  // namespace sunder::tidy
