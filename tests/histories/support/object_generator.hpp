// Random histories of sets, counters and locks: small ones for comparing with brute force, long
// ones for comparing routes and for benchmarks.
//
// A few clients run against a simulated object, one step at a time: an operation begins, takes
// effect, ends. What an operation of unknown outcome does may happen at any later step, or never.
// A function of the options alone.

#pragma once

#include <cstdint>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

struct ObjectOptions {
  std::string_view model = "set";  // one of kObject_models
  std::uint64_t seed = 1;
  std::uint64_t operations = 6;
  std::uint64_t clients = 3;
  std::uint64_t elements = 1;         // of a set
  std::uint64_t unknown_percent = 0;  // of operations whose outcome is unknown
  std::uint64_t wrong = 0;            // results that are changed; a lock then also errs
  bool mixed = false;                 // additions of different sizes
  bool negative = false;              // additions that go down
  bool tells = false;                 // additions to a counter tell the new sum
  bool silent = false;                // some results are not told
  bool refuses = false;               // a lock that is taken may say so
  std::uint64_t permits = 2;          // of a semaphore; acquires of a reentrant mutex
};

constexpr std::string_view kObject_models[] = {"counter",
                                               "fenced-lease",
                                               "fetch-add",
                                               "mutex",
                                               "reentrant-mutex",
                                               "rw-lock",
                                               "semaphore",
                                               "set"};

[[nodiscard]] history::History object_history(const ObjectOptions& options);

}  // namespace sunder::test
