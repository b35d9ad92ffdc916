// Clock-strobe: the realtime clocks of chosen nodes jump to and fro, half of each period wrong and
// half of it right.

#include <cmath>

#include "nemesis/clock_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;

constexpr std::array kParameters{FaultParameter{.name = "amount",
                                                .summary = "how far",
                                                .kind = ParameterKind::duration,
                                                .low = limit(1ms),
                                                .high = limit(87600h),
                                                .otherwise = "10s"},
                                 FaultParameter{.name = "direction",
                                                .summary = "which way; either: drawn for each node",
                                                .kind = ParameterKind::word,
                                                .words = kClockDirections,
                                                .otherwise = "either"},
                                 FaultParameter{.name = "period",
                                                .summary = "from one jump away to the next",
                                                .kind = ParameterKind::duration,
                                                .low = limit(2ms),
                                                .high = limit(10min),
                                                .otherwise = "200ms"}};

clock_shim::ClockError strobe(const PlannedFault& fault, base::Random& random) {
  clock_shim::ClockError error;
  error.strobe = *duration_of(fault, "amount") * clock_direction(fault, random);
  error.period = *duration_of(fault, "period");
  return error;
}

void randomize(PlannedFault& fault, base::Random& random) {
  const double seconds = 0.05 * std::pow(10.0, 4.0 * random.unit());
  set_duration(fault, "amount", std::chrono::milliseconds(std::llround(seconds * 1000)));
  set_duration(fault, "period", std::chrono::milliseconds(random.between(20, 1000)));
}

}  // namespace

FaultInfo clock_strobe_fault() {
  return {.name = "clock-strobe",
          .summary = "The realtime clock of each target jumps away and back again, over and over.",
          .shapes = kClockShapes,
          .parameters = kParameters,
          .evidence = kClockEvidence,
          .limits = kClockLimits,
          .example = "clock-strobe:all@1s+4s;amount=10s;period=100ms",
          .needs = kClockNeeds,
          .burden = {.skews = true},
          .usual = 2s,
          .randomize = randomize,
          .apply = apply_clock_fault<&strobe>};
}

}  // namespace sunder::nemesis
