// Clock-drift: the realtime clocks of chosen nodes run too fast or too slow, and are set right at
// the end.

#include <cmath>

#include "nemesis/clock_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;

constexpr double kPpm_per_percent = 10'000;

constexpr std::array kParameters{
    FaultParameter{.name = "direction",
                   .summary = "forward: too fast, backward: too slow; either: drawn for each node",
                   .kind = ParameterKind::word,
                   .words = kClockDirections,
                   .otherwise = "either"},
    FaultParameter{.name = "rate",
                   .summary = "how much too fast or too slow",
                   .kind = ParameterKind::percent,
                   .low = 0,
                   .high = 90,
                   .otherwise = "5%"}};

clock_shim::ClockError drift(const PlannedFault& fault, base::Random& random) {
  clock_shim::ClockError error;
  error.drift_ppm = *number_of(fault, "rate") * kPpm_per_percent * clock_direction(fault, random);
  return error;
}

// From a hundredth of a percent, a bad crystal, to twenty percent; each power of ten as likely.
void randomize(PlannedFault& fault, base::Random& random) {
  const double percent = 0.01 * std::pow(10.0, 3.3 * random.unit());
  set_number(fault, "rate", std::round(percent * 1000) / 1000);
}

}  // namespace

FaultInfo clock_drift_fault() {
  return {.name = "clock-drift",
          .summary =
              "The realtime clock of each target runs too fast or too slow, and is set right "
              "at the end of the fault.",
          .shapes = kClockShapes,
          .parameters = kParameters,
          .evidence = kClockEvidence,
          .limits = kClockLimits,
          .example = "clock-drift:minority@1s+8s;rate=20%;direction=forward",
          .needs = kClockNeeds,
          .burden = {.skews = true},
          .usual = 4s,
          .randomize = randomize,
          .apply = apply_clock_fault<&drift>};
}

}  // namespace sunder::nemesis
