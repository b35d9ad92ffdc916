// List-append histories to check: the benchmark's simulated database, and small random ones for
// comparing with brute force.
//
// Both are functions of their seed alone.

#pragma once

#include <cstdint>

#include "harness/history/history.hpp"

namespace sunder::test {

enum class ListLevel : std::uint8_t { serializable, snapshot_isolation, read_committed };

// A multi-version store that aborts what its level forbids. Transactions that are open at the end
// are of unknown outcome.
struct ListOptions {
  ListLevel level = ListLevel::serializable;
  std::uint64_t seed = 1;
  std::uint64_t attempts = 1000;  // transactions that ended
  std::uint64_t sessions = 20;
  std::uint64_t operations_max = 4;  // of a transaction
  std::uint64_t active_keys = 100;   // at any time
  std::uint64_t appends_per_key = 32;
  std::uint64_t append_percent = 50;
};

[[nodiscard]] history::History list_history(const ListOptions& options);

// A few transactions on one or two lists with random reads, some of them right, and intervals.
[[nodiscard]] history::History small_list_history(std::uint64_t seed);

// The same with two elements of one list made equal, where there are two.
[[nodiscard]] history::History small_list_history_with_equals(std::uint64_t seed);

// A valid history of a store of that level with one read changed: an element lost, swapped, or one
// from later.
[[nodiscard]] history::History with_flipped_read(const history::History& valid, std::uint64_t seed);

}  // namespace sunder::test
