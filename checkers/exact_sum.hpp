// ExactSum: a sum of 64-bit numbers that cannot overflow, however many a history holds.

#pragma once

namespace sunder::checkers {

__extension__ using ExactSum = __int128;

}  // namespace sunder::checkers
