#include "harness/cluster/link_leaf.hpp"

#include <algorithm>

#include "harness/base/random.hpp"
#include "harness/netlink/netem.hpp"

namespace sunder::cluster {
namespace {

constexpr std::uint32_t kQueue = 1000;   // packets
constexpr std::uint32_t kQueueMin = 64;  // so that a few small packets never overflow a slow link
constexpr std::uint32_t kHeldMax = 500'000;
// More packets a second than one link of this machine can carry, and the largest and smallest ones.
constexpr double kPacketRateMax = 250'000;
constexpr double kFrameBytesMax = 1514;
constexpr double kFrameBytesMin = 60;
// A slow link's queue drains in so long, as a router's buffer should: not in minutes.
constexpr double kQueueSeconds = 0.25;
// Shapes of jitter go up to four times the jitter above the delay.
constexpr double kJitterTail = 4;

double seconds(std::chrono::nanoseconds time) noexcept {
  return static_cast<double>(time.count()) / 1e9;
}

netlink::DelayTable table_of(const LinkState& state) {
  switch (state.distribution) {
    case Distribution::uniform:
      return netlink::uniform_delays();
    case Distribution::normal:
      return netlink::normal_delays();
    case Distribution::pareto_normal:
      return netlink::pareto_normal_delays();
    case Distribution::pareto:
      return netlink::pareto_delays();
    case Distribution::table:
      break;
  }
  return state.table;
}

// A seed of the link's own; 0 would leave the choice to the kernel.
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t number) {
  return base::Random(seed).fork("link", number).next() | 1U;
}

netlink::Netem netem_of(const LinkState& state, std::uint64_t number) {
  netlink::Netem netem;
  netem.delay = state.delay;
  netem.jitter = state.jitter;
  if (state.jitter.count() > 0) {
    netem.table = table_of(state);
    // Fast enough to delay nothing that can be measured.
    if (!state.overtaking) netem.rate = kFull_rate;
  }
  const bool bursts = state.loss_burst > 1 && state.loss > 0 && state.loss < 1;
  if (bursts) netem.burst = netlink::burst_loss(state.loss, state.loss_burst);
  netem.loss = state.loss;
  netem.duplicate = state.duplicate;
  // Without a delay there is nothing to pass by.
  if (state.delay.count() > 0) netem.reorder = state.reorder;
  netem.corrupt = state.corrupt;
  netem.limit = packets_held(state);
  netem.seed = seed_of(state.seed, number);
  return netem;
}

}  // namespace

std::uint32_t packets_held(const LinkState& state) noexcept {
  const double bytes_a_second = static_cast<double>(state.rate) / 8;
  std::uint32_t queue = kQueue;
  double packets_a_second = kPacketRateMax;
  if (state.rate > 0) {
    const auto drained =
        static_cast<std::uint32_t>(std::min(bytes_a_second * kQueueSeconds / kFrameBytesMax, 1e6));
    queue = std::clamp(drained, kQueueMin, kQueue);
    packets_a_second = std::min(kPacketRateMax, bytes_a_second / kFrameBytesMin);
  }
  const double delay = seconds(state.delay) + kJitterTail * seconds(state.jitter);
  const double held = queue + delay * packets_a_second;
  return static_cast<std::uint32_t>(std::min<double>(held, kHeldMax));
}

bool needs_netem(const LinkState& state) {
  if (state.blackhole) return false;
  LinkState besides = normalized(state);
  besides.rate = 0;  // the class'
  return !besides.healthy();
}

netlink::Leaf leaf_of(const LinkState& state, std::uint64_t number) {
  if (state.blackhole) return netlink::blackhole();
  if (!needs_netem(state)) return netlink::pfifo(packets_held(state));
  return netlink::netem(netem_of(normalized(state), number));
}

std::uint64_t class_rate_of(const LinkState& state) noexcept {
  if (state.blackhole || state.rate == 0) return kFull_rate;
  return std::clamp<std::uint64_t>(state.rate / 8, 1, kFull_rate);
}

}  // namespace sunder::cluster
