// Lifetimes: between which instants each saga began and ended, as far as a run shows.
//
// The order service numbers sagas as they begin, so what is known of one bounds its neighbours: a
// saga began after its order was sent and after every lower number began, and before it, or any
// higher number, was told of. It ended before somebody was told its end or saw it in the log, and
// before the order service told that all lower numbers than some higher one had ended. Times are in
// nanoseconds since the run's start. What is unknown stays open: a time-out says nothing, since
// what was sent may arrive much later. Used by checkers/saga/ends.cpp.
//
// Threading: pure functions. Lifetimes point into the record.

#pragma once

#include <cstdint>
#include <vector>

#include "checkers/saga/record.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers::saga {

struct Lifetime {
  std::uint64_t number = 0;
  const Saga* saga = nullptr;  // null: an order of which no saga was read
  std::string_view order;
  std::int64_t begun_after = 0;
  std::int64_t begun_before = history::kNever;
  std::int64_t ended_before = history::kNever;
  std::int64_t open_at =
      history::kUnknownTime;  // the last instant at which it was seen not to have ended
};

// One answer to "how many are open", and when that may have been counted.
struct OpenCount {
  std::size_t operation = 0;
  std::int64_t count = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Of every saga that was read, by number; then, when not all were read, of every order that may
// have one. What `open` counts say is not in them.
[[nodiscard]] std::vector<Lifetime> lifetimes_of(const history::History& history,
                                                 const history::RunContext& context,
                                                 const Record& record);
// In the order in which they were asked for.
[[nodiscard]] std::vector<OpenCount> open_counts_of(const history::History& history);

}  // namespace sunder::checkers::saga
