// Small random histories of collections (sets, banks, counters, …) for comparing with brute force,
// and large ones for benchmarks.
//
// All are functions of their seed alone.

#pragma once

#include <cstdint>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

// A few operations on a simulated store, some of them with another result or outcome: a good part
// of them breaks what the model promises.
struct SmallCollectionOptions {
  std::string_view type;  // a model's name: "set", "set-full", "bank", …
  std::uint64_t seed = 1;
  std::uint64_t operations_max = 7;
};

[[nodiscard]] history::History small_collection_history(const SmallCollectionOptions& options);

// A store that keeps every promise, with many clients: as CHECKERS' containers, with other
// functions.
struct CollectionOptions {
  std::string_view type;
  std::uint64_t seed = 1;
  std::uint64_t operations = 1000;
  std::uint64_t clients = 16;
};

[[nodiscard]] history::History collection_history(const CollectionOptions& options);

}  // namespace sunder::test
