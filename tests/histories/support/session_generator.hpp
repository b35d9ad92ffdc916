// Histories of registers that several processes share, one operation after the other in each: small
// random ones, and runs of simulated stores that promise less than linearizability.
//
// Functions of their options alone.

#pragma once

#include <cstdint>

#include "harness/history/history.hpp"

namespace sunder::test {

struct SessionOptions {
  std::uint64_t seed = 1;
  std::uint64_t operations_max = 6;
  std::uint64_t processes = 3;
  std::uint64_t keys = 2;
  bool unique = true;   // every value is written once
  bool unknown = true;  // some outcomes are unknown
  bool cas = true;      // some are compare-and-sets
};

// A few operations; reads find any value at all.
[[nodiscard]] history::History session_history(const SessionOptions& options);

// What a simulated store promises.
enum class StoreKind : std::uint8_t {
  fifo,    // every process has a copy, and gets the others' writes in each one's order (PRAM)
  causal,  // the same, after what they depend on (causal memory)
  last,    // causal, and the write with the greatest stamp wins (convergent)
};

struct StoreOptions {
  StoreKind kind = StoreKind::causal;
  std::uint64_t seed = 1;
  std::uint64_t operations = 1000;
  std::uint64_t processes = 8;
  std::uint64_t keys = 10;
  std::uint64_t write_percent = 50;
  std::uint64_t lag = 20;   // how many deliveries wait, on average
  std::uint64_t wrong = 0;  // reads that find some other value of their key
};

[[nodiscard]] history::History store_history(const StoreOptions& options);

}  // namespace sunder::test
