// Clock-jump: the realtime clocks of chosen nodes jump by one amount at once, and back at the end.

#include <cmath>

#include "nemesis/clock_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;

constexpr std::array kParameters{
    FaultParameter{.name = "amount",
                   .summary = "how far",
                   .kind = ParameterKind::duration,
                   .low = limit(1ms),
                   .high = limit(87600h),
                   .otherwise = "3600s"},
    FaultParameter{.name = "direction",
                   .summary = "which way; either: drawn when it begins",
                   .kind = ParameterKind::word,
                   .words = kClockDirections,
                   .otherwise = "either"}};

clock_shim::ClockError jump(const PlannedFault& fault, base::Random& /*random*/) {
  // All targets jump together, as by one wrong time server: the draw is the fault's, not a node's.
  base::Random own = base::Random(fault.seed).fork("direction");
  clock_shim::ClockError error;
  error.offset = *duration_of(fault, "amount") * clock_direction(fault, own);
  return error;
}

// From a tenth of a second to a day, each power of ten as likely.
void randomize(PlannedFault& fault, base::Random& random) {
  constexpr double kPowersOfTen = 5.9;
  const double seconds = 0.1 * std::pow(10.0, kPowersOfTen * random.unit());
  set_duration(fault, "amount", std::chrono::milliseconds(std::llround(seconds * 1000)));
  set_word(fault, "direction", random.below(2) == 0 ? "backward" : "forward");
}

}  // namespace

FaultInfo clock_jump_fault() {
  return {.name = "clock-jump",
          .summary =
              "The realtime clock jumps by one amount on all targets at once, and back at "
              "the end of the fault.",
          .shapes = kClockShapes,
          .parameters = kParameters,
          .evidence = kClockEvidence,
          .limits = kClockLimits,
          .example = "clock-jump:leader@2s+3s;amount=1h;direction=backward",
          .needs = kClockNeeds,
          .burden = {.skews = true},
          .usual = 2s,
          .randomize = randomize,
          .apply = apply_clock_fault<&jump>};
}

}  // namespace sunder::nemesis
