// Clock-skew: each chosen node's realtime clock is wrong by an amount of its own, as on machines
// whose clocks nobody synchronises.

#include <cmath>

#include "nemesis/clock_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;

constexpr std::array kParameters{
    FaultParameter{.name = "amount",
                   .summary = "the most; each node is wrong by half of it or more",
                   .kind = ParameterKind::duration,
                   .low = limit(1ms),
                   .high = limit(87600h),
                   .otherwise = "1s"},
    FaultParameter{.name = "direction",
                   .summary = "which way; either: drawn for each node",
                   .kind = ParameterKind::word,
                   .words = kClockDirections,
                   .otherwise = "either"}};

clock_shim::ClockError skew(const PlannedFault& fault, base::Random& random) {
  const double share = 0.5 + 0.5 * random.unit();
  const double most = limit(*duration_of(fault, "amount"));
  clock_shim::ClockError error;
  error.offset = std::chrono::nanoseconds(std::llround(most * share));
  error.offset *= clock_direction(fault, random);
  return error;
}

// From ten milliseconds to about two minutes, each power of ten as likely.
void randomize(PlannedFault& fault, base::Random& random) {
  const double seconds = 0.01 * std::pow(10.0, 4.0 * random.unit());
  set_duration(fault, "amount", std::chrono::milliseconds(std::llround(seconds * 1000)));
}

}  // namespace

FaultInfo clock_skew_fault() {
  return {.name = "clock-skew",
          .summary = "The realtime clock of each target is wrong by a constant of its own.",
          .shapes = kClockShapes,
          .parameters = kParameters,
          .evidence = kClockEvidence,
          .limits = kClockLimits,
          .example = "clock-skew:all@1s+8s;amount=500ms",
          .needs = kClockNeeds,
          .burden = {.skews = true},
          .usual = 4s,
          .randomize = randomize,
          .apply = apply_clock_fault<&skew>};
}

}  // namespace sunder::nemesis
