// What of the kernel makes a link's state: the leaf qdisc and the rate of the class above it.
//
// Bandwidth is the class' rate and everything else the leaf's, so a rate limit needs no netem, and
// a packet waits for its delay first and for the rate after it. Whether jitter keeps the order
// is netem's: with a rate of its own a packet is never due before the one before it
// (harness/netlink/netem.hpp).
//
// Threading: pure.

#pragma once

#include <cstdint>

#include "harness/cluster/cluster.hpp"
#include "harness/netlink/traffic.hpp"

namespace sunder::cluster {

// Bytes a second of a link without a limit: faster than the machine, so never felt.
constexpr std::uint64_t kFull_rate = 1'250'000'000;

// `number` tells links apart, so that their chances differ though the seed is one.
[[nodiscard]] netlink::Leaf leaf_of(const LinkState& state, std::uint64_t number);
// Whether the state takes sch_netem, which not every kernel has.
[[nodiscard]] bool needs_netem(const LinkState& state);
// Bytes a second of the class.
[[nodiscard]] std::uint64_t class_rate_of(const LinkState& state) noexcept;
// Packets that a leaf must hold so that only what the state says is lost: those under way during
// the delay, and a queue for the rate.
[[nodiscard]] std::uint32_t packets_held(const LinkState& state) noexcept;

}  // namespace sunder::cluster
