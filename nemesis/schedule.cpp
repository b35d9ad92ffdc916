// Lays faults out in time: explicit items where they say, random ones in slots drawn from the seed.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/parameters.hpp"
#include "nemesis/schedule_text.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

// One fault of a random schedule before it has a place.
struct Pick {
  const FaultInfo* family = nullptr;
  const FaultShape* shape = nullptr;
  bool asked = false;   // by the user or a promise: keeps its shape, does not overlap
  bool needed = false;  // by a promise: has no parameters of its own
  std::map<std::string, std::string> parameters = {};  // as the user gave them
};

// What a random schedule may draw of one family.
struct Pool {
  const FaultInfo* family = nullptr;
  std::vector<const FaultShape*> shapes;
  std::map<std::string, std::string> parameters;
};

// A slot is a fault and the calm after it: long enough for an election, ten election time-outs of
// stability and some operations to judge.
constexpr nanoseconds kSlot = std::chrono::milliseconds(9'000);
constexpr nanoseconds kSlot_min = std::chrono::milliseconds(1'000);
constexpr double kOverlap_chance = 0.3;
constexpr std::size_t kOverlap_nodes_min = 5;  // two disabled nodes leave a majority
constexpr std::size_t kFaults_max = 1'000;
constexpr std::uint64_t kNo_seed = std::numeric_limits<std::uint64_t>::max();

nanoseconds in_milliseconds(double nanoseconds_count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(nanoseconds_count / 1e6));
}

const FaultShape* draw_shape(const std::vector<const FaultShape*>& shapes, base::Random& random) {
  std::vector<double> weights;
  for (const FaultShape* shape : shapes) weights.push_back(shape->random.weight);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  if (sum <= 0) return shapes.front();
  return shapes[random.weighted(weights)];
}

// The families without placement, each once, with the shapes that may be drawn.
std::vector<Pool> pools_of(const std::vector<ScheduleItem>& items, std::size_t nodes) {
  std::vector<Pool> pools;
  for (const FaultInfo& family : all_faults()) {
    Pool pool{&family, {}, {}};
    bool bare = false;
    for (const ScheduleItem& item : items) {
      if (item.family != &family || item.start) continue;
      bare = bare || item.shape == nullptr;
      pool.parameters.insert(item.parameters.begin(), item.parameters.end());
      if (item.shape != nullptr) pool.shapes.push_back(item.shape);
    }
    for (const FaultShape& shape : family.shapes) {
      if (bare && shape.nodes_min <= nodes && shape.random.weight > 0)
        pool.shapes.push_back(&shape);
    }
    if (!pool.shapes.empty()) pools.push_back(std::move(pool));
  }
  return pools;
}

bool is_picked(const std::vector<Pick>& picks, const FaultInfo* family, const FaultShape* shape) {
  return std::ranges::any_of(picks, [&](const Pick& pick) {
    return pick.family == family && (shape == nullptr || pick.shape == shape);
  });
}

// Shapes that promises need, for the families that the user named without a shape.
Result<void> add_required(const std::vector<ScheduleItem>& items,
                          const ScheduleOptions& options,
                          std::vector<Pick>& picks) {
  for (const std::string& text : options.required) {
    const auto needed = parse_items(text);
    if (needed.has_error()) return with_context(needed.error(), "required by a promise");
    for (const ScheduleItem& need : *needed) {
      const bool wanted = std::ranges::any_of(items, [&](const ScheduleItem& item) {
        return item.family == need.family && item.shape == nullptr;
      });
      const bool possible = need.shape != nullptr && need.shape->nodes_min <= options.nodes;
      if (wanted && possible && !is_picked(picks, need.family, need.shape)) {
        picks.push_back({need.family, need.shape, true, true});
      }
    }
  }
  return {};
}

Result<std::vector<Pick>> choose(const std::vector<ScheduleItem>& items,
                                 const std::vector<Pool>& pools,
                                 const ScheduleOptions& options,
                                 base::Random& random) {
  std::vector<Pick> picks;
  for (const ScheduleItem& item : items) {
    if (!item.start && item.shape != nullptr) {
      picks.push_back({item.family, item.shape, true, false, item.parameters});
    }
  }
  SUNDER_TRY(add_required(items, options, picks));
  for (const Pool& pool : pools) {
    if (is_picked(picks, pool.family, nullptr)) continue;
    picks.push_back({pool.family, draw_shape(pool.shapes, random), false, false, pool.parameters});
  }
  const auto room = static_cast<std::size_t>(options.duration / kSlot);
  while (!pools.empty() && picks.size() < std::min(room, kFaults_max)) {
    const Pool& pool = random.pick(pools);
    picks.push_back({pool.family, draw_shape(pool.shapes, random), false, false, pool.parameters});
  }
  random.shuffle(picks);
  return picks;
}

PlannedFault plan(const Pick& pick, nanoseconds start, nanoseconds duration) {
  PlannedFault fault;
  fault.family = pick.family->name;
  fault.shape = pick.shape->name;
  fault.start = start;
  fault.duration = duration;
  fault.seed = kNo_seed;
  return fault;
}

PlannedFault plan_random(const Pick& pick,
                         nanoseconds start,
                         nanoseconds duration,
                         base::Random& random) {
  PlannedFault fault = plan(pick, start, duration);
  if (pick.family->randomize != nullptr && !pick.needed) pick.family->randomize(fault, random);
  for (const auto& [name, value] : pick.parameters) fault.parameters.insert_or_assign(name, value);
  return fault;
}

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
      if (pool.family != main.family && shape->random.light)
        light.push_back({pool.family, shape, false, false, pool.parameters});
    }
  }
  if (light.empty()) return;
  const double length = static_cast<double>(first.duration.count());
  const nanoseconds offset = in_milliseconds(length * (0.2 + 0.2 * random.unit()));
  const nanoseconds duration = in_milliseconds(length * (0.3 + 0.2 * random.unit()));
  schedule.push_back(plan_random(random.pick(light), first.start + offset, duration, random));
}

Result<void> lay_out(const std::vector<Pick>& picks,
                     const std::vector<Pool>& pools,
                     const ScheduleOptions& options,
                     base::Random& random,
                     Schedule& schedule) {
  if (picks.empty()) return {};
  const nanoseconds lead = std::min<nanoseconds>(std::chrono::seconds(1), options.duration / 20);
  const nanoseconds usable = options.duration - lead;
  if (usable < kSlot_min * static_cast<std::int64_t>(picks.size())) {
    return base::make_error(Errc::usage,
                            fmt::format("{} is too short for {} faults: each needs about {}",
                                        base::format_duration(options.duration),
                                        picks.size(),
                                        base::format_duration(kSlot)));
  }
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

Result<PlannedFault> plan_explicit(const ScheduleItem& item, const ScheduleOptions& options) {
  if (options.duration.count() > 0 && *item.start >= options.duration) {
    return base::make_error(Errc::usage,
                            fmt::format("fault {}:{} starts at {}, but the load lasts only {}",
                                        item.family->name,
                                        item.shape->name,
                                        base::format_duration(*item.start),
                                        base::format_duration(options.duration)));
  }
  PlannedFault fault = plan({item.family, item.shape, true}, *item.start, item.duration);
  fault.target = item.target;
  fault.at = item.at;
  fault.parameters = item.parameters;
  fault.seed = item.seed.value_or(kNo_seed);
  if (item.family->check != nullptr) SUNDER_TRY(item.family->check(fault, options.nodes));
  return fault;
}

// Sorts by start and gives each fault its number and, where the text gave none, its seed.
void number_faults(const base::Random& random, Schedule& schedule) {
  std::ranges::stable_sort(schedule, {}, &PlannedFault::start);
  std::uint32_t next = 1;
  for (PlannedFault& fault : schedule) {
    fault.id = next++;
    // 32 bits: short enough to read and to type.
    if (fault.seed == kNo_seed) fault.seed = random.fork("fault", fault.id).next() >> 32U;
  }
}

std::string event_parameters(const PlannedFault& fault) {
  return fmt::format(";after={};delay={};count={}",
                     exact_duration(fault.start),
                     exact_duration(fault.at.delay),
                     fault.at.count);
}

// What the machine lacks of what the family needs, with what adds it; empty: nothing.
std::string lacking(const FaultInfo& family, const ScheduleOptions& options) {
  if (!options.lacks) return {};
  for (const std::string_view need : family.needs) {
    std::string reason = options.lacks(need);
    if (!reason.empty()) return reason;
  }
  return {};
}

Result<void> check_machine(const FaultInfo& family, const ScheduleOptions& options) {
  const std::string reason = lacking(family, options);
  if (reason.empty()) return {};
  return base::make_error(Errc::unsupported,
                          fmt::format("fault {} cannot be here: {}", family.name, reason));
}

void drop_skipped(std::vector<ScheduleItem>& items, const ScheduleOptions& options) {
  std::erase_if(items,
                [&](const ScheduleItem& item) { return !lacking(*item.family, options).empty(); });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> skipped_families(std::string_view text,
                                                                  const ScheduleOptions& options) {
  std::vector<std::pair<std::string, std::string>> skipped;
  if (!means_all(text)) return skipped;
  for (const FaultInfo& family : all_faults()) {
    std::string reason = lacking(family, options);
    if (!reason.empty()) skipped.emplace_back(family.name, std::move(reason));
  }
  return skipped;
}

Result<Schedule> make_schedule(std::string_view text, const ScheduleOptions& options) {
  auto items = parse_items(text);
  if (items.has_error()) return items.error();
  if (means_all(text)) drop_skipped(*items, options);
  Schedule schedule;
  bool random_wanted = false;
  for (const ScheduleItem& item : *items) {
    SUNDER_TRY(check_item(item, options));
    SUNDER_TRY(check_machine(*item.family, options));
    random_wanted = random_wanted || !item.start;
    if (!item.start) continue;
    auto fault = plan_explicit(item, options);
    if (fault.has_error()) return fault.error();
    schedule.push_back(std::move(*fault));
  }
  if (random_wanted) {
    base::Random random = options.random.fork("schedule");
    const std::vector<Pool> pools = pools_of(*items, options.nodes);
    const auto picks = choose(*items, pools, options, random);
    if (picks.has_error()) return picks.error();
    SUNDER_TRY(lay_out(*picks, pools, options, random, schedule));
  }
  number_faults(options.random, schedule);
  return schedule;
}

std::string to_text(const Schedule& schedule) {
  if (schedule.empty()) return "none";
  std::string text;
  for (const PlannedFault& fault : schedule) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}:{}@{}+{}",
                        fault.family,
                        fault.target.empty() ? fault.shape : fault.target,
                        fault.at.event.empty() ? exact_duration(fault.start) : fault.at.event,
                        exact_duration(fault.duration));
    if (!fault.at.event.empty()) text += event_parameters(fault);
    for (const auto& [name, value] : fault.parameters) text += fmt::format(";{}={}", name, value);
    text += fmt::format(";seed={}", fault.seed);
  }
  return text;
}

Result<std::vector<std::string>> families_of(std::string_view text) {
  const auto items = parse_items(text);
  if (items.has_error()) return items.error();
  std::set<std::string> families;
  for (const ScheduleItem& item : *items) families.emplace(item.family->name);
  return std::vector<std::string>(families.begin(), families.end());
}

}  // namespace sunder::nemesis
