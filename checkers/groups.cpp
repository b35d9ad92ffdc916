#include "checkers/groups.hpp"

namespace sunder::checkers {

Groups group_by(std::span<const std::uint32_t> group_of, std::size_t groups) {
  Groups made;
  made.begin.assign(groups + 1, 0);
  for (const std::uint32_t group : group_of) {
    if (group != kNo_group) ++made.begin[group + 1];
  }
  for (std::size_t group = 0; group < groups; ++group) made.begin[group + 1] += made.begin[group];
  made.members.resize(made.begin[groups]);
  std::vector<std::uint32_t> next(made.begin.begin(), made.begin.end() - 1);
  for (std::uint32_t i = 0; i < group_of.size(); ++i) {
    if (group_of[i] != kNo_group) made.members[next[group_of[i]]++] = i;
  }
  return made;
}

}  // namespace sunder::checkers
