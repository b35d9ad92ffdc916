// The bounds and intervals of a quorum store, in one place; ticks are 20 ms unless --tick says
// otherwise.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sunder::nodes::quorum {

constexpr std::uint64_t kHeartbeatTicks = 5;
// A node that was silent this long is not near: nobody waits for it.
constexpr std::uint64_t kNearTicks = 15;
// A node that was asked and is silent this long is replaced by the next one.
constexpr std::uint64_t kSilentTicks = 8;
// A request ends, one way or the other, before its client gives up on this node.
constexpr std::uint64_t kRequestTicks = 25;
constexpr std::uint64_t kExchangeTicks = 10;
constexpr std::uint64_t kTellTicks = 12;
// A hand-off without an answer is tried again.
constexpr std::uint64_t kHandoffTicks = 25;

constexpr std::size_t kRequestsMax = 1024;
constexpr std::size_t kHandoffsPerTick = 32;
constexpr std::size_t kListingsPerRound = 32;
constexpr std::size_t kKeysPerListing = 256;
constexpr std::size_t kTransferBytesMax = std::size_t{1} << 20;

// Sabotages.
constexpr std::size_t kLeakyRequestsMax = 16;             // leak-on-timeout
constexpr std::int64_t kCoarseClock_ns = 10'000'000'000;  // tie-without-order

}  // namespace sunder::nodes::quorum
