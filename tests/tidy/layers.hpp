// Who may include and link whom: the project's shape as a table, checked on #include lines and on
// CMake links.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source.hpp"

namespace sunder::tidy {

// The folder of the table to which a path belongs ("nodes/raft" for nodes/raft/core.hpp); empty:
// none.
[[nodiscard]] std::string folder_of(std::string_view path);

// #include lines of a C++ file: edges of the table; headers that one folder keeps to itself (libnl,
// awaitable operators); folders that stay pure (no sockets, no files); quoted paths start at the
// repository's root.
[[nodiscard]] Violations check_includes(const Source& source);

// sunder::NAME in a folder's CMakeLists.txt: the same edges.
[[nodiscard]] Violations check_links(const Source& source);

}  // namespace sunder::tidy
