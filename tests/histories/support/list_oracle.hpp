// Decides small list-append histories by trying everything: which transactions of unknown outcome
// committed, every order of the appends to each key, and of equal elements that were appended to
// one, which each read showed.
//
// A level holds when some choice explains all reads and has none of the cycles that the level
// forbids. It shares no code with the checkers: it reads operations as recorded, and relations are
// small matrices.

#pragma once

#include <set>
#include <string>

#include "harness/history/history.hpp"

namespace sunder::test {

// The names of the levels that some choice explains. At most seven transactions, few appends a key.
[[nodiscard]] std::set<std::string> levels_explained(const history::History& history);

}  // namespace sunder::test
