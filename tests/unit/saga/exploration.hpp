// Exploration: one order, four services, and everything that can happen to them within a budget.
//
// The cores run as they are; network and disks are modelled. Messages are lost, doubled and
// reordered; the orchestrator and each participant die before a save, after it and before what
// follows from it, or between calls; steps and undos are given up. From every state that can be
// reached the world is then left in peace: everything is delivered, in both orders, until nothing
// happens any more, and must then be done as a whole or undone as a whole.
//
// Threading: none.

#pragma once

#include <cstddef>
#include <string>

#include "nodes/saga/step.hpp"

namespace sunder::nodes::saga {

// How much may go wrong on one path.
struct Budget {
  unsigned crashes = 1;     // of any service
  unsigned timeouts = 2;    // steps given up, or requests sent again
  unsigned duplicates = 1;  // messages that come twice
  unsigned losses = 1;
};

struct Explored {
  std::size_t states = 0;
  std::string violation;  // empty: none was found; else what, and the path to it
};

[[nodiscard]] Explored explore(Sabotage sabotage, const Budget& budget, std::int64_t stock);

}  // namespace sunder::nodes::saga
