// Samples: rich reports as a real run would give them, for tests of the report and for looking at
// it.
//
// Seeded: the same sample at every call.

#pragma once

#include <cstddef>
#include <string>

#include "harness/history/history.hpp"
#include "harness/report/report.hpp"

namespace sunder::report::testing {

struct Sample {
  RunReport report;
  history::History history;
};

// Thirty seconds of raft/register under partition, kill and pause: every promise kept.
[[nodiscard]] Sample healthy_sample();
// The same with a sabotage: a stale read, with its counter-example.
[[nodiscard]] Sample broken_sample();
// Every text that a user, node or history can supply holds this.
[[nodiscard]] Sample hostile_sample(const std::string& text);
// `operations` register operations in a minute, and nothing else.
[[nodiscard]] history::History long_history(std::size_t operations);

}  // namespace sunder::report::testing
