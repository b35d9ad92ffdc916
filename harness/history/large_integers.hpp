// LargeIntegers: the integers that need all of 64 bits, each known by a number.
//
// A Value has room for 63 bits of an integer (value.hpp). The few beyond, as random hashes are, lie
// here, for the whole process and until its end: a Value of an integer belongs to no pool.
//
// Threading: any. Who has a number from another thread got it through what orders the two.

#pragma once

#include <cstdint>

namespace sunder::history {

// The same for the same integer, counted from 0; takes a lock.
[[nodiscard]] std::uint64_t number_of_large(std::int64_t integer);

// Precondition: number_of_large() returned it. Takes no lock.
[[nodiscard]] std::int64_t large_integer(std::uint64_t number) noexcept;

}  // namespace sunder::history
