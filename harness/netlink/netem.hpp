// Netem: the leaf qdisc that delays, loses, duplicates, reorders and corrupts packets: its options
// and their encoding.
//
// Everything is always sent, zeros too, because a change leaves alone what it does not mention: a
// table once loaded would otherwise stay for ever. Times go in 64-bit nanosecond attributes. The
// only thing that cannot be cleared is a table, so an even spread is sent as a table as well.
//
// Bandwidth is not netem's here but the class' above it (HTB), which also works on kernels without
// netem. netem's own rate serves one purpose: with a rate, a packet is never due before the one
// before it, so jitter keeps the order. The rate for that is so high that it delays nothing.
//
// Threading: pure.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/netlink/delay_table.hpp"
#include "harness/netlink/traffic.hpp"

namespace sunder::netlink {

// Losses in bursts: Gilbert's model (good and bad state; all is lost in the bad one). netem moves
// between the states once a packet.
struct BurstLoss {
  double enter = 0;  // probability of going from good to bad
  double leave = 1;  // from bad to good; 1 / leave packets are lost in a row, on average

  friend bool operator==(const BurstLoss&, const BurstLoss&) noexcept = default;
};

// Burst losses of this share of packets (0 < share < 1) in bursts of this mean length (≥ 1). The
// length grows where so many losses cannot come in bursts so short.
[[nodiscard]] BurstLoss burst_loss(double share, double length) noexcept;

// Correlations are with the value before, as netem has them; its generator then misses the asked
// shares (tc-netem(8) advises against it), so faults do not use them.
struct NetemCorrelations {
  double delay = 0;
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;
  double corrupt = 0;

  friend bool operator==(const NetemCorrelations&, const NetemCorrelations&) noexcept = default;
};

// Shares are probabilities from 0 to 1.
struct Netem {
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds jitter{0};
  DelayTable table = {};                // shape of the jitter; null: even
  double loss = 0;                      // independent losses
  std::optional<BurstLoss> burst = {};  // instead of `loss`
  double duplicate = 0;
  double reorder = 0;          // passes at once while others wait; needs a delay
  std::uint32_t gap = 0;       // at most every gap-th packet is reordered; 0: any
  double corrupt = 0;          // one bit of the packet is inverted
  std::uint64_t rate = 0;      // bytes a second; 0: none
  std::uint32_t limit = 1000;  // packets held; more are dropped
  std::uint64_t seed =
      0;  // of netem's own chance, where the kernel takes one (6.6); 0: the kernel's
  NetemCorrelations correlations = {};
};

[[nodiscard]] Leaf netem(const Netem& options);

// Options as the kernel reports them: without the table, which it does not tell, and without a seed
// before 6.6. Nothing when they are not netem's.
[[nodiscard]] std::optional<Netem> parse_netem(std::span<const std::byte> options);

}  // namespace sunder::netlink
