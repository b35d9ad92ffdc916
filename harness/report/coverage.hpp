// Coverage: which fault families were planned, applied and bit, and which event met which fault.
//
// Threading: pure functions.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/report/report.hpp"

namespace sunder::report {

// One line for each fault family that was requested, applied or skipped.
struct FamilyCoverage {
  std::string family;
  std::size_t planned = 0;  // that came to their turn
  std::size_t applied = 0;
  std::size_t exercised = 0;
  std::string evidence;  // the first of a fault that bit
  std::string skipped;   // the reason, when this machine cannot do it
};

// Sorted by family.
[[nodiscard]] std::vector<FamilyCoverage> coverage_of(const RunReport& report);

// The faults of one family that waited for one kind of event.
struct EventCoverage {
  std::string event;
  std::string family;
  std::size_t planned = 0;
  std::size_t exercised = 0;
  std::string reason;  // why one of them was not exercised
};

// Sorted by family, then by event.
[[nodiscard]] std::vector<EventCoverage> event_coverage_of(const RunReport& report);

// The same as tables; without rows when there is nothing to say.
[[nodiscard]] CampaignTable family_table(const RunReport& report);
// One line a family, one column an event. `numbered`: the columns are numbers, and the note says
// what they are.
[[nodiscard]] CampaignTable event_table(const RunReport& report, bool numbered);

}  // namespace sunder::report
