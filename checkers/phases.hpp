// Phases: one lookup of a run's phases by their names.
//
// Threading: pure.

#pragma once

#include <algorithm>
#include <string_view>

#include "harness/history/run_context.hpp"

namespace sunder::checkers {

// Null: the run did not get there, or does not tell its phases.
[[nodiscard]] inline const history::Phase* find_phase(const history::RunContext& context,
                                                      std::string_view name) {
  const auto found = std::ranges::find(context.phases, name, &history::Phase::name);
  return found == context.phases.end() ? nullptr : &*found;
}

}  // namespace sunder::checkers
