// Linearizability of a whole history: splits it by key, picks the route for each, judges the keys
// in parallel.
//
// Routes per key: the closed-form zones (zones.hpp) where every value is written once, otherwise
// the search (frontier.hpp). Linearizability is local (Herlihy & Wing 1990): the history is
// linearizable when every key is.

#pragma once

#include <stop_token>

#include "checkers/checker.hpp"
#include "checkers/models/model.hpp"

namespace sunder::checkers {

struct Routes {
  bool zones = true;  // off: the search decides every key; for tests that compare the two
};

// `kept`, `broken` or `undetermined`; no exercise rule.
[[nodiscard]] Verdict check_linearizability(const history::History& history,
                                            const ModelRow& model,
                                            const CheckOptions& options,
                                            std::stop_token stop,
                                            Routes routes = {});

}  // namespace sunder::checkers
