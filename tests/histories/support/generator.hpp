// Histories to check: the benchmark's key-value register, and small random ones for comparing with
// brute force.
//
// Both are functions of their seed alone.

#pragma once

#include <cstdint>

#include "harness/history/history.hpp"

namespace sunder::test {

// How many random histories a test compares: SUNDER_CASES, or 10,000.
[[nodiscard]] std::uint64_t case_count();

// A simulated store with unique writes, values 1, 2, …, absent at first: linearizable unless
// `violation`.
struct RegisterOptions {
  std::uint64_t seed = 1;
  std::uint64_t operations = 1000;
  std::uint64_t clients = 32;
  std::uint64_t keys = 1;
  std::uint64_t put_percent = 50;
  std::uint64_t half_service_mean = 1000;
  std::uint64_t unknown_per_mille = 0;
  bool violation = false;  // a stale read after 99 % of the operations
};

[[nodiscard]] history::History register_history(const RegisterOptions& options);

// A few operations of one key with random intervals, outcomes and results; about half of them are
// linearizable.
struct SmallOptions {
  std::uint64_t seed = 1;
  std::uint64_t operations_max = 7;
  bool unique = false;  // every value is written once
  bool cas = true;
  bool compares = true;  // failed cas that do not tell what they found
  bool texts = false;    // kv-append: get, put, append
};

[[nodiscard]] history::History small_history(const SmallOptions& options);

}  // namespace sunder::test
