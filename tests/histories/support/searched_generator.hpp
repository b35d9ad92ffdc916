// Histories of simulated stores whose values repeat or whose operations need the search: texts,
// compare-and-sets, transactions over several registers.
//
// Clients in slots, as in the benchmark's register (generator.hpp): an operation takes effect at
// one instant between its start and its end; one of unknown outcome at any later instant, or never.
// Stamps may be equal. A function of the options alone.

#pragma once

#include <cstdint>

#include "harness/history/history.hpp"

namespace sunder::test {

// texts: get, put, append as porcupine's key-value files have them. compares: read, write and
// compare-and-set of few values, as the etcd logs. transactions: reads and writes of several
// registers at once, on one object.
enum class SearchedKind : std::uint8_t { texts, compares, transactions };

struct SearchedOptions {
  SearchedKind kind = SearchedKind::texts;
  std::uint64_t seed = 1;
  std::uint64_t operations = 1000;
  std::uint64_t clients = 5;
  std::uint64_t keys = 1;    // registers, of transactions
  std::uint64_t values = 5;  // different ones; 0: every write has its own
  std::uint64_t least = 1;   // of these
  std::uint64_t half_service_mean = 1000;
  std::uint64_t unknown_per_mille = 0;
  std::uint64_t steps_max = 3;  // of a transaction
  std::uint64_t wrong = 0;      // results that are changed
};

[[nodiscard]] history::History searched_history(const SearchedOptions& options);

// Porcupine's c50-ok: 1,712 operations of 50 clients on 10 keys.
constexpr SearchedOptions kContended_texts{
    .kind = SearchedKind::texts, .operations = 1712, .clients = 50, .keys = 10};

// One of the etcd logs: 84 operations of 5 clients on one register, some timed out.
constexpr SearchedOptions kCompare_log{
    .kind = SearchedKind::compares, .operations = 84, .clients = 5, .unknown_per_mille = 60};

}  // namespace sunder::test
