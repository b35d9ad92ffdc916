// The levels of registers: linearizability and what is weaker, down to single session guarantees.
//
// Whatever is linearizable satisfies all of them: that is asked first, since it is cheap and local.
// Otherwise the level's own test decides, for every way in which ambiguous reads (values written
// twice, failed compare-and-sets that tell nothing) can have come about, within the budget.
//
// Threading: one call in one thread; the linearizability test may use more.

#pragma once

#include <stop_token>
#include <string_view>

#include "checkers/checker.hpp"
#include "checkers/models/model.hpp"

namespace sunder::checkers::levels {

struct Routes {
  bool linearizable = true;  // off: the level's own test decides every history
};

// `kept`, `broken` or `undetermined`. Precondition: the level is one of kRegister_levels.
[[nodiscard]] Verdict check_register(const history::History& history,
                                     const ModelRow& row,
                                     std::string_view level,
                                     const CheckOptions& options,
                                     std::stop_token stop,
                                     Routes routes = {});

}  // namespace sunder::checkers::levels
