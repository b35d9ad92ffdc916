// Population: how many messages of a queue were there at a time, at least and at most.
//
// At least: those whose sending had ended in success, less those whose acknowledgement may have
// begun to count. At most: those whose sending had begun and did not fail, less those whose
// acknowledgement had ended in success.
//
// Threading: immutable after construction.

#pragma once

#include <cstdint>
#include <vector>

#include "checkers/delivery/lives.hpp"

namespace sunder::checkers::delivery {

class Population {
 public:
  // Of the messages of one queue, those given up included; `sent_before` leaves out what was not
  // surely sent before that time.
  Population(const Lives& lives, history::Symbol queue, std::int64_t sent_before = history::kNever);

  // Throughout a window.
  [[nodiscard]] std::int64_t at_least(std::int64_t begin, std::int64_t end) const;
  // At any time in a window.
  [[nodiscard]] std::int64_t at_most(std::int64_t begin, std::int64_t end) const;

 private:
  std::vector<std::int64_t> sent_;         // ends of accepted sends, sorted
  std::vector<std::int64_t> may_be_gone_;  // of those: begins of their first possible ack, sorted
  std::vector<std::int64_t> may_be_sent_;  // begins of sends that did not fail, sorted
  std::vector<std::int64_t> gone_;         // ends of accepted acks, sorted
};

// Begin of the first operation that may have acknowledged it; kNever: none.
[[nodiscard]] std::int64_t first_possible_ack(const Lives& lives, const Life& life);
// End of the first that surely did; kNever: none.
[[nodiscard]] std::int64_t first_sure_ack(const Lives& lives, const Life& life);

// Queues that messages were sent to, also in vain, or whose messages were counted.
[[nodiscard]] std::vector<history::Symbol> queues_of(const Lives& lives);

}  // namespace sunder::checkers::delivery
