// Slots: few random faults, one after another, each with a calm after it.

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "nemesis/layout.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

// A slot is a fault and the calm after it: long enough for an election, ten election time-outs of
// stability and some operations to judge.
constexpr nanoseconds kSlot = std::chrono::milliseconds(9'000);
constexpr nanoseconds kSlot_easy = std::chrono::milliseconds(4'000);
constexpr nanoseconds kSlot_min = std::chrono::milliseconds(1'000);
constexpr double kOverlap_chance = 0.3;
constexpr std::size_t kOverlap_nodes_min = 5;  // two disabled nodes leave a majority
constexpr std::size_t kFaults_max = 1'000;

double share_of(const RandomUse& use, base::Random& random) {
  return use.share_low + (use.share_high - use.share_low) * random.unit();
}

// A second fault inside the first one's time; both touch one node, so a majority stays whole.
void add_companion(const Pick& main,
                   const std::vector<Pool>& pools,
                   std::size_t nodes,
                   base::Random& random,
                   Schedule& schedule) {
  const PlannedFault first = schedule.back();
  if (main.asked || !main.shape->random.light || nodes < kOverlap_nodes_min) return;
  if (!random.chance(kOverlap_chance)) return;
  std::vector<Pick> light;
  for (const Pool& pool : pools) {
    for (const FaultShape* shape : pool.shapes) {
      if (pool.family == main.family || !shape->random.light) continue;
      light.push_back({.family = pool.family, .shape = shape, .parameters = pool.parameters});
    }
  }
  if (light.empty()) return;
  const double length = static_cast<double>(first.duration.count());
  const nanoseconds offset = in_milliseconds(length * (0.2 + 0.2 * random.unit()));
  const nanoseconds duration = in_milliseconds(length * (0.3 + 0.2 * random.unit()));
  schedule.push_back(plan_random(random.pick(light), first.start + offset, duration, random));
}

}  // namespace

bool is_crowded(std::size_t picks, nanoseconds duration) noexcept {
  return kSlot_easy * static_cast<std::int64_t>(picks) > duration;
}

bool fits_slots(std::size_t picks, nanoseconds duration) noexcept {
  return kSlot_min * static_cast<std::int64_t>(picks) <= duration - lead_of(duration);
}

Result<void> lay_out_slots(std::vector<Pick> picks,
                           const std::vector<Pool>& pools,
                           const ScheduleOptions& options,
                           base::Random& random,
                           Schedule& schedule) {
  const auto room = static_cast<std::size_t>(options.duration / kSlot);
  while (!pools.empty() && picks.size() < std::min(room, kFaults_max)) {
    picks.push_back(draw(random.pick(pools), random));
  }
  random.shuffle(picks);
  const nanoseconds lead = lead_of(options.duration);
  const nanoseconds usable = options.duration - lead;
  double slots = 0;
  for (const Pick& pick : picks) slots += pick.shape->random.slot;
  double begin = static_cast<double>(lead.count());
  for (const Pick& pick : picks) {
    const double slot = static_cast<double>(usable.count()) * pick.shape->random.slot / slots;
    const double length = slot * share_of(pick.shape->random, random);
    // The calm comes mostly after the fault, where recovery is watched.
    const double start = begin + (slot - length) * 0.1 * random.unit();
    schedule.push_back(plan_random(pick, in_milliseconds(start), in_milliseconds(length), random));
    add_companion(pick, pools, options.nodes, random, schedule);
    begin += slot;
  }
  return {};
}

}  // namespace sunder::nemesis
