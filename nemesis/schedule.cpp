// Lays faults out in time: explicit items where they say, random ones in slots drawn from the seed.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "nemesis/layout.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/parameters.hpp"
#include "nemesis/picks.hpp"
#include "nemesis/schedule_text.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

Result<PlannedFault> plan_explicit(const ScheduleItem& item, const ScheduleOptions& options) {
  if (options.duration.count() > 0 && *item.start >= options.duration) {
    return base::make_error(Errc::usage,
                            fmt::format("fault {}:{} starts at {}, but the load lasts only {}",
                                        item.family->name,
                                        item.shape->name,
                                        base::format_duration(*item.start),
                                        base::format_duration(options.duration)));
  }
  const Pick pick{.family = item.family, .shape = item.shape, .target = item.target};
  PlannedFault fault = plan(pick, *item.start, item.duration);
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
  std::string text = fmt::format(";after={};delay={};count={}",
                                 exact_duration(fault.start),
                                 exact_duration(fault.at.delay),
                                 fault.at.count);
  if (fault.at.within.count() > 0) text += ";within=" + exact_duration(fault.at.within);
  return text;
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

// Why "all" leaves the family out; empty: it does not.
std::string why_skipped(const FaultInfo& family, const ScheduleOptions& options) {
  const Budget& budget = options.budget;
  if (family.burden.lies && budget.lied_to == Extent::none)
    return "no promise bears disks that lie";
  if (family.burden.ends && budget.ended == Extent::none) return "no promise bears nodes that end";
  if (family.burden.skews && budget.skewed == Extent::none) return "no promise bears wrong clocks";
  const bool possible = std::ranges::any_of(family.shapes, [&](const FaultShape& shape) {
    return shape.random.weight > 0 && is_possible(shape, options);
  });
  if (!possible) return fmt::format("impossible with {} nodes", options.nodes);
  return lacking(family, options);
}

void drop_skipped(std::vector<ScheduleItem>& items, const ScheduleOptions& options) {
  std::erase_if(
      items, [&](const ScheduleItem& item) { return !why_skipped(*item.family, options).empty(); });
}

// Whether what cannot be here is left out, not refused.
bool leaves_out(std::string_view text) {
  return means_all(text) || (means_atlas(text) && text.find(':') == std::string_view::npos);
}

// The whole seconds that the atlas takes.
Result<nanoseconds> add_atlas(std::string_view text,
                              std::vector<ScheduleItem> items,
                              const ScheduleOptions& options,
                              Schedule& schedule) {
  if (leaves_out(text)) drop_skipped(items, options);
  std::vector<const FaultInfo*> families;
  for (const ScheduleItem& item : items) {
    SUNDER_TRY(check_item(item, options));
    SUNDER_TRY(check_machine(*item.family, options));
    families.push_back(item.family);
  }
  const auto needed = lay_out_atlas(families, options, schedule);
  if (needed.has_error()) return needed.error();
  return std::chrono::ceil<std::chrono::seconds>(*needed);
}

// Lays out what has no placement of its own.
Result<void> add_random(const std::vector<ScheduleItem>& items,
                        const ScheduleOptions& options,
                        bool all,
                        Schedule& schedule) {
  base::Random random = options.random.fork("schedule");
  const std::vector<Pool> pools = pools_of(items, options);
  auto picks = necessary_picks(items, pools, options, random);
  if (picks.has_error()) return picks.error();
  if (picks->empty()) return {};
  const bool lasting = std::ranges::any_of(*picks, [](const Pick& pick) {
    return pick.family->burden.lies || pick.family->burden.ends;
  });
  if (all || lasting) return compose(*picks, pools, options, random, schedule);
  if (is_crowded(picks->size(), options.duration)) {
    const auto composed = compose(*picks, pools, options, random, schedule);
    // In a short run even what promises need must hurry.
    if (composed.has_value() || !fits_slots(picks->size(), options.duration)) return composed;
  }
  return lay_out_slots(std::move(*picks), pools, options, random, schedule);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> skipped_families(std::string_view text,
                                                                  const ScheduleOptions& options) {
  std::vector<std::pair<std::string, std::string>> skipped;
  if (!leaves_out(text)) return skipped;
  for (const FaultInfo& family : all_faults()) {
    std::string reason = why_skipped(family, options);
    if (!reason.empty()) skipped.emplace_back(family.name, std::move(reason));
  }
  return skipped;
}

Result<Schedule> make_schedule(std::string_view text, const ScheduleOptions& options) {
  auto items = parse_items(text);
  if (items.has_error()) return items.error();
  if (means_all(text)) drop_skipped(*items, options);
  Schedule schedule;
  if (means_atlas(text)) {
    auto needed = add_atlas(text, std::move(*items), options, schedule);
    if (needed.has_error()) return needed.error();
    if (options.duration.count() > 0 && *needed > options.duration) {
      return base::make_error(Errc::usage,
                              fmt::format("{} is too short for this atlas: give --duration {}",
                                          base::format_duration(options.duration),
                                          base::format_duration(*needed)));
    }
    number_faults(options.random, schedule);
    return schedule;
  }
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
  if (random_wanted) SUNDER_TRY(add_random(*items, options, means_all(text), schedule));
  number_faults(options.random, schedule);
  return schedule;
}

Result<nanoseconds> suitable_duration(std::string_view text, const ScheduleOptions& options) {
  auto items = parse_items(text);
  if (items.has_error()) return items.error();
  if (means_atlas(text)) {
    Schedule schedule;
    return add_atlas(text, std::move(*items), options, schedule);
  }
  if (!means_all(text)) return nanoseconds(0);
  drop_skipped(*items, options);
  base::Random random = options.random.fork("schedule");
  const std::vector<Pool> pools = pools_of(*items, options);
  const auto picks = necessary_picks(*items, pools, options, random);
  if (picks.has_error()) return picks.error();
  const nanoseconds needed = composed_duration(*picks, options, random);
  return std::chrono::ceil<std::chrono::seconds>(needed);
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
