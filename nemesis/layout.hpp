// Layouts: how drawn faults become a schedule: in slots one after another, in compositions of
// several at once, or as an atlas of event and fault.
//
// Threading: pure functions; chance comes from the Random that is passed in. Errors: Errc::usage, a
// run too short for what was asked, with the least duration.

#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/picks.hpp"

namespace sunder::nemesis {

// Few faults: each in a slot of its own, now and then a second, light one inside it. Picks are
// added while there is room.
[[nodiscard]] Result<void> lay_out_slots(std::vector<Pick> picks,
                                         const std::vector<Pool>& pools,
                                         const ScheduleOptions& options,
                                         base::Random& random,
                                         Schedule& schedule);

// Whether so many faults are too many for slots in that time.
[[nodiscard]] bool is_crowded(std::size_t picks, std::chrono::nanoseconds duration) noexcept;

// Whether slots in that time would at least be long enough for a fault to bite.
[[nodiscard]] bool fits_slots(std::size_t picks, std::chrono::nanoseconds duration) noexcept;

// Many faults: several at once within the budget, with calm between the compositions. Picks are
// added while there is room.
[[nodiscard]] Result<void> compose(const std::vector<Pick>& picks,
                                   const std::vector<Pool>& pools,
                                   const ScheduleOptions& options,
                                   base::Random& random,
                                   Schedule& schedule);

// The load phase that compose() needs for these picks without haste.
[[nodiscard]] std::chrono::nanoseconds composed_duration(const std::vector<Pick>& picks,
                                                         const ScheduleOptions& options,
                                                         base::Random& random);

// One cell for each event of the options' atlas and each family: a short fault that waits for the
// event, and before it what brings the event about. Gives the time it takes.
[[nodiscard]] Result<std::chrono::nanoseconds> lay_out_atlas(
    const std::vector<const FaultInfo*>& families,
    const ScheduleOptions& options,
    Schedule& schedule);

}  // namespace sunder::nemesis
