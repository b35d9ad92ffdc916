#include "harness/netlink/netem.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <linux/pkt_sched.h>
#include <netlink/attr.h>

#include "harness/base/assert.hpp"

namespace sunder::netlink {
namespace {

// Kernel 6.6; older headers lack the name, and older kernels ignore the attribute.
constexpr int kSeed = 14;
constexpr int kAttributeMax = kSeed;

constexpr std::size_t kAlignment = NLA_ALIGNTO;

class Options {
 public:
  template <typename T>
  void append(const T& value) {
    append_bytes(std::as_bytes(std::span<const T, 1>(&value, 1)));
  }

  template <typename T>
  void attribute(int type, const T& value) {
    bytes(type, std::as_bytes(std::span<const T, 1>(&value, 1)));
  }

  void bytes(int type, std::span<const std::byte> content) {
    nlattr head{};
    head.nla_len = static_cast<std::uint16_t>(sizeof head + content.size());
    head.nla_type = static_cast<std::uint16_t>(type);
    append(head);
    append_bytes(content);
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
  }

  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void append_bytes(std::span<const std::byte> content) {
    bytes_.insert(bytes_.end(), content.begin(), content.end());
  }

  std::vector<std::byte> bytes_;
};

// A probability in the kernel's 32 bits: all ones is certain.
std::uint32_t share(double probability) {
  constexpr double kCertain = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::llround(std::clamp(probability, 0.0, 1.0) * kCertain));
}

double probability(std::uint32_t share) {
  return static_cast<double>(share) / std::numeric_limits<std::uint32_t>::max();
}

// The field for kernels before 4.15, in units of 64 ns; the 64-bit attribute counts.
std::uint32_t old_time(std::chrono::nanoseconds time) {
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>(time.count() / 64, std::numeric_limits<std::uint32_t>::max()));
}

tc_netem_rate rate_of(std::uint64_t bytes) {
  tc_netem_rate rate{};
  rate.rate = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
  return rate;
}

tc_netem_qopt fixed_part(const Netem& options) {
  tc_netem_qopt fixed{};
  fixed.latency = old_time(options.delay);
  fixed.jitter = old_time(options.jitter);
  fixed.limit = options.limit;
  fixed.loss = options.burst ? 0 : share(options.loss);
  fixed.duplicate = share(options.duplicate);
  // Without a gap netem does not reorder at all.
  fixed.gap = options.reorder > 0 ? std::max(options.gap, 1U) : 0;
  return fixed;
}

void put_burst(const BurstLoss& burst, Options& encoded) {
  Options nested;
  tc_netem_gemodel model{};
  model.p = share(burst.enter);
  model.r = share(burst.leave);
  model.h = 0;   // of the bad state's packets this share passes
  model.k1 = 0;  // of the good state's packets this share is lost
  nested.attribute(NETEM_LOSS_GE, model);
  encoded.bytes(TCA_NETEM_LOSS | NLA_F_NESTED, nested.take());
}

template <typename T>
T read(const nlattr* attribute) {
  T value{};
  if (attribute == nullptr) return value;
  const auto length = static_cast<std::size_t>(nla_len(const_cast<nlattr*>(attribute)));
  std::memcpy(&value, nla_data(const_cast<nlattr*>(attribute)), std::min(sizeof value, length));
  return value;
}

void read_losses(nlattr* nested, Netem& options) {
  std::array<nlattr*, NETEM_LOSS_MAX + 1> models{};
  if (nla_parse_nested(models.data(), NETEM_LOSS_MAX, nested, nullptr) != 0) return;
  if (models[NETEM_LOSS_GE] == nullptr) return;
  const auto model = read<tc_netem_gemodel>(models[NETEM_LOSS_GE]);
  options.burst = BurstLoss{probability(model.p), probability(model.r)};
}

}  // namespace

BurstLoss burst_loss(double share_lost, double length) noexcept {
  SUNDER_ASSERT(share_lost > 0);
  SUNDER_ASSERT(share_lost < 1);
  SUNDER_ASSERT(length >= 1);
  // In the long run enter / (enter + leave) of all packets are lost. enter may not exceed 1.
  const double odds = share_lost / (1 - share_lost);
  const double leave = std::min(1 / length, 1 / odds);
  return BurstLoss{leave * odds, leave};
}

Leaf netem(const Netem& options) {
  SUNDER_ASSERT(options.delay.count() >= 0);
  SUNDER_ASSERT(options.jitter.count() >= 0);
  Options encoded;
  encoded.append(fixed_part(options));
  encoded.attribute(TCA_NETEM_LATENCY64, options.delay.count());
  encoded.attribute(TCA_NETEM_JITTER64, options.jitter.count());
  const NetemCorrelations& with = options.correlations;
  const tc_netem_corr correlations{share(with.delay), share(with.loss), share(with.duplicate)};
  encoded.attribute(TCA_NETEM_CORR, correlations);
  const tc_netem_reorder reorder{share(options.reorder), share(with.reorder)};
  encoded.attribute(TCA_NETEM_REORDER, reorder);
  const tc_netem_corrupt corrupt{share(options.corrupt), share(with.corrupt)};
  encoded.attribute(TCA_NETEM_CORRUPT, corrupt);
  encoded.attribute(TCA_NETEM_RATE, rate_of(options.rate));
  if (options.rate > std::numeric_limits<std::uint32_t>::max()) {
    encoded.attribute(TCA_NETEM_RATE64, options.rate);
  }
  if (options.burst) put_burst(*options.burst, encoded);
  if (options.jitter.count() > 0) {
    const DelayTable& table = options.table ? options.table : uniform_delays();
    encoded.bytes(TCA_NETEM_DELAY_DIST, std::as_bytes(std::span(*table)));
  }
  if (options.seed != 0) encoded.attribute(kSeed, options.seed);
  return Leaf{"netem", encoded.take()};
}

std::optional<Netem> parse_netem(std::span<const std::byte> options) {
  tc_netem_qopt fixed{};
  if (options.size() < sizeof fixed) return std::nullopt;
  std::memcpy(&fixed, options.data(), sizeof fixed);
  options = options.subspan(sizeof fixed);
  // libnl's parsers only read, their parameters are not const for historical reasons.
  auto* const first = reinterpret_cast<nlattr*>(const_cast<std::byte*>(options.data()));
  std::array<nlattr*, kAttributeMax + 1> parts{};
  if (nla_parse(parts.data(), kAttributeMax, first, static_cast<int>(options.size()), nullptr) !=
      0) {
    return std::nullopt;
  }
  Netem result;
  result.limit = fixed.limit;
  result.gap = fixed.gap;
  result.loss = probability(fixed.loss);
  result.duplicate = probability(fixed.duplicate);
  result.delay = std::chrono::nanoseconds(read<std::int64_t>(parts[TCA_NETEM_LATENCY64]));
  result.jitter = std::chrono::nanoseconds(read<std::int64_t>(parts[TCA_NETEM_JITTER64]));
  const auto correlations = read<tc_netem_corr>(parts[TCA_NETEM_CORR]);
  const auto reorder = read<tc_netem_reorder>(parts[TCA_NETEM_REORDER]);
  const auto corrupt = read<tc_netem_corrupt>(parts[TCA_NETEM_CORRUPT]);
  result.correlations = {probability(correlations.delay_corr),
                         probability(correlations.loss_corr),
                         probability(correlations.dup_corr),
                         probability(reorder.correlation),
                         probability(corrupt.correlation)};
  result.reorder = probability(reorder.probability);
  result.corrupt = probability(corrupt.probability);
  result.rate = read<tc_netem_rate>(parts[TCA_NETEM_RATE]).rate;
  if (parts[TCA_NETEM_RATE64] != nullptr) {
    result.rate = read<std::uint64_t>(parts[TCA_NETEM_RATE64]);
  }
  if (parts[TCA_NETEM_LOSS] != nullptr) read_losses(parts[TCA_NETEM_LOSS], result);
  result.seed = read<std::uint64_t>(parts[kSeed]);
  return result;
}

}  // namespace sunder::netlink
