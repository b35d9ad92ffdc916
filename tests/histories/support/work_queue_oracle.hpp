// Decides small histories of a work queue by trying every order of their operations, with messages
// expiring in between: the oracle that the checkers of deliveries are compared with.
//
// The queue may answer nil at any time, and a delivery may stand for as long as it likes after its
// visibility time. A receive of unknown outcome may take a message and give it back at any time.
// Shares no code with the checkers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/history/history.hpp"

namespace sunder::test {

struct WorkQueueLimits {
  std::int64_t deliveries_max = 1'000;
  std::int64_t length_max = 1'000;
};

// Whether some execution explains the history. At most 16 operations.
[[nodiscard]] bool work_queue_oracle(const history::History& history, WorkQueueLimits limits);

struct SmallWorkQueueOptions {
  std::uint64_t seed = 0;
  WorkQueueLimits limits;
  bool unknown_receives = false;
  bool counts = false;  // stats and refused sends too
};

// A small execution of a queue, its operations stretched over intervals; in most, something is then
// changed.
[[nodiscard]] history::History small_work_queue_history(const SmallWorkQueueOptions& options);

}  // namespace sunder::test
