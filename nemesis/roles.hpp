// Roles in schedules: where nodes differ, faults name them by what they do.
//
//   kill:inventory@compensating+1s   partition:inventory>order@2s+1s
// A role stands wherever the name of a node does. Shapes keep their words: a role is never called
// like one.
//
// Threading: pure functions.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sunder::nemesis {

// The text of --faults with every role replaced by its node: roles[0] is n1.
[[nodiscard]] std::string name_nodes(std::string_view faults,
                                     const std::vector<std::string>& roles);

}  // namespace sunder::nemesis
