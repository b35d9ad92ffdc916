// Picks: what a random schedule has drawn before it has a place in time.
//
// Threading: pure functions; chance comes from the Random that is passed in.

#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/schedule_text.hpp"

namespace sunder::nemesis {

struct Pick {
  const FaultInfo* family = nullptr;
  const FaultShape* shape = nullptr;
  bool asked = false;       // by the user or a promise: keeps its shape
  bool needed = false;      // by a promise: has no parameters of its own, and its usual time
  std::string target = {};  // for shapes "nodes" and "groups"
  EventPlacement at = {};   // by event, from its place in time on
  std::chrono::nanoseconds lasts{0};                   // zero: as long as its place in time allows
  std::map<std::string, std::string> parameters = {};  // as the user gave them
};

// What a random schedule may draw of one family.
struct Pool {
  const FaultInfo* family = nullptr;
  std::vector<const FaultShape*> shapes;
  std::map<std::string, std::string> parameters;
};

// The families without placement, each once, with the shapes that may be drawn.
[[nodiscard]] std::vector<Pool> pools_of(const std::vector<ScheduleItem>& items,
                                         const ScheduleOptions& options);

[[nodiscard]] Pick draw(const Pool& pool, base::Random& random);

// What must be there: shapes that the user named, shapes that promises need of families that the
// user named without a shape, and every family at least once.
[[nodiscard]] Result<std::vector<Pick>> necessary_picks(const std::vector<ScheduleItem>& items,
                                                        const std::vector<Pool>& pools,
                                                        const ScheduleOptions& options,
                                                        base::Random& random);

// Stands for a seed that is still to be drawn.
constexpr std::uint64_t kNo_seed = std::numeric_limits<std::uint64_t>::max();

[[nodiscard]] PlannedFault plan(const Pick& pick,
                                std::chrono::nanoseconds start,
                                std::chrono::nanoseconds duration);
// The same with parameters drawn.
[[nodiscard]] PlannedFault plan_random(const Pick& pick,
                                       std::chrono::nanoseconds start,
                                       std::chrono::nanoseconds duration,
                                       base::Random& random);

// Whole milliseconds.
[[nodiscard]] std::chrono::nanoseconds in_milliseconds(double nanoseconds_count);

// Nothing happens for so long after the load has begun.
[[nodiscard]] std::chrono::nanoseconds lead_of(std::chrono::nanoseconds duration);

// What it does to a node outlasts it: a disk that lied, a node that stays down.
[[nodiscard]] bool is_lasting(const FaultInfo& family) noexcept;

// The nodes that such faults may touch in one run: a minority, drawn once; of few nodes, one.
[[nodiscard]] std::vector<std::size_t> draw_lasting_nodes(std::size_t nodes, base::Random& random);

}  // namespace sunder::nemesis
