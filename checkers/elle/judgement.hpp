// Judgement: what is done alike for every type of object once its dependencies are known: looking
// for the forbidden cycles and putting the verdict into words.
//
// Threading: pure.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"
#include "checkers/elle/anomalies.hpp"
#include "checkers/elle/dependencies.hpp"
#include "checkers/elle/sightings.hpp"
#include "checkers/elle/transactions.hpp"

namespace sunder::checkers::elle {

// What a level forbids, prepared.
struct Forbidden {
  std::string_view level;
  AnomalySet anomalies = 0;
  AnomalySet cycles = 0;  // those that are cycles of ww, wr, rw and order arcs
  ArcKinds kinds = 0;     // the arcs that those are made of
};

[[nodiscard]] Forbidden forbid(std::string_view level);
[[nodiscard]] Forbidden forbid(std::string_view level, AnomalySet anomalies);

// For each transaction when it seems to have committed: by the end of the operation, of unknown
// ones before whoever depends on them.
[[nodiscard]] std::vector<std::int64_t> commit_ranks(const history::History& history,
                                                     const Transactions& transactions,
                                                     const Digraph& graph);

// Why nothing can be said of the history; empty when something can.
[[nodiscard]] std::string unjudgeable(const Transactions& transactions, std::string_view model);

// How many cycles of different names are told.
constexpr std::size_t kCycles_max = 5;

// Looks for forbidden cycles in a graph whose arcs are all that is known, and adds them.
void decide_cycles(Verdict& verdict,
                   const history::History& history,
                   const Transactions& transactions,
                   Dependencies& dependencies,
                   const Forbidden& forbidden);

// Adds what was found, up to five counter-examples, and sets kind and summary.
void conclude(Verdict& verdict,
              const history::History& history,
              const Transactions& transactions,
              const Forbidden& forbidden,
              const Sightings& sightings);

}  // namespace sunder::checkers::elle
