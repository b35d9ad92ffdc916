// Redelivery: how long messages that nobody acknowledged took to come again, and receives that came
// back empty although a message was due.
//
// A message is due once its visibility time, as last extended, is over at the latest; when it was
// given back; and when it was sent. A receive that finds nothing is judged when the system was at
// rest: no fault stood, no operation of unknown outcome was under way, and since the last one and
// the last such operation, which may have taken a message with it, the longest visibility time and
// `within` are over. A change of leaders gives every owner its whole visibility time anew, so that
// is allowed for, too.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <vector>

#include "checkers/delivery/problems.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers::delivery {

struct Redelivery {
  std::vector<std::int64_t> delays;  // from due to received again, after a visibility time; sorted
  std::size_t given_back = 0;        // messages that came again after a nack
  std::size_t empty_receives = 0;    // that were judged
  std::vector<Problem> problems;     // overdue
};

struct RedeliveryLimits {
  std::int64_t within = 0;
  std::int64_t deliveries_max = 0;  // 0: not known, and what may be a dead letter is not judged
};

// Precondition: the lives are timed.
[[nodiscard]] Redelivery find_redeliveries(const Lives& lives,
                                           const history::RunContext& context,
                                           const RedeliveryLimits& limits);

}  // namespace sunder::checkers::delivery
