#include "nemesis/roles.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sunder::nemesis {
namespace {

// The name of the node whose role the word is; else the word.
std::string node_or_word(std::string_view word, const std::vector<std::string>& roles) {
  const auto found = std::ranges::find(roles, word);
  return found == roles.end() ? std::string(word) : fmt::format("n{}", found - roles.begin() + 1);
}

}  // namespace

std::string name_nodes(std::string_view faults, const std::vector<std::string>& roles) {
  if (roles.empty()) return std::string(faults);
  // Targets stand between the family's colon and the placement or the parameters.
  std::string named;
  std::string word;
  bool in_targets = false;
  for (const char c : faults) {
    const bool ends = std::string_view(":@;,+/<>").find(c) != std::string_view::npos;
    if (!ends) {
      word += c;
      continue;
    }
    named += in_targets ? node_or_word(word, roles) : word;
    named += c;
    word.clear();
    if (c == ':') in_targets = true;
    if (c == '@' || c == ';' || c == ',') in_targets = false;
  }
  return named + (in_targets ? node_or_word(word, roles) : word);
}

}  // namespace sunder::nemesis
