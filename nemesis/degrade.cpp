// Degrade: any combination of delay, loss, duplicates, reordering, corruption and rate, as one
// state of the links.

#include <array>

#include <fmt/format.h>

#include "nemesis/families.hpp"
#include "nemesis/link_fault.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::array<std::string_view, 6> kStrengths{
    "corrupt", "duplicate", "latency", "loss", "rate", "reorder"};

// Two to four of them. Duplicates are left out: most kernels have them on single links only.
void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  randomize_latency(fault, random);
  if (random.chance(0.5)) randomize_jitter(fault, random);
  randomize_loss(fault, random);
  if (random.chance(0.4)) randomize_share(fault, random, "reorder", 30);
  if (random.chance(0.4)) randomize_share(fault, random, "corrupt", 2);
}

Result<void> check(const PlannedFault& fault, std::size_t nodes) {
  SUNDER_TRY(check_links(fault, nodes));
  for (const std::string_view strength : kStrengths) {
    if (fault.parameters.contains(std::string(strength))) return {};
  }
  return base::make_error(
      Errc::usage,
      fmt::format("degrade:{} says nothing of how; give some of corrupt, duplicate, latency, loss, "
                  "rate, reorder",
                  fault.shape));
}

}  // namespace

FaultInfo degrade_fault() {
  static const std::array parameters{
      burst_parameter(),
      share_parameter("corrupt", "of this share of packets a bit is inverted", ""),
      distribution_parameter(),
      share_parameter("duplicate", "this share of packets arrives twice", ""),
      kEveryParameter,
      kFlapParameter,
      jitter_parameter(),
      latency_parameter(""),
      share_parameter("loss", "this share of packets disappears", ""),
      order_parameter(),
      rate_parameter(""),
      share_parameter("reorder", "this share of packets does not wait for the latency", ""),
      table_parameter()};
  FaultInfo row = link_fault_row();
  row.name = "degrade";
  row.summary = "Links get worse in several ways at once, as one state.";
  row.parameters = parameters;
  row.evidence =
      "What the families delay, loss, duplicate, reorder, corrupt and rate have, for each part "
      "that is asked for; all of them must show.";
  row.limits = "The limits of its parts; duplicates above all.";
  row.example = "degrade:one@2s+6s;latency=20ms;jitter=5ms;loss=5%;rate=2mbit";
  row.randomize = randomize;
  row.check = check;
  return row;
}

}  // namespace sunder::nemesis
