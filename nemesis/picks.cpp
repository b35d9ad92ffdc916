#include "nemesis/picks.hpp"

#include <algorithm>
#include <numeric>

#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

const FaultShape* draw_shape(const std::vector<const FaultShape*>& shapes, base::Random& random) {
  std::vector<double> weights;
  for (const FaultShape* shape : shapes) weights.push_back(shape->random.weight);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  if (sum <= 0) return shapes.front();
  return shapes[random.weighted(weights)];
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
      const bool possible = need.shape != nullptr && is_possible(*need.shape, options);
      const bool named = !need.target.empty();
      if (wanted && possible && (named || !is_picked(picks, need.family, need.shape))) {
        picks.push_back({.family = need.family,
                         .shape = need.shape,
                         .asked = true,
                         .needed = true,
                         .target = need.target,
                         .at = need.at,
                         .lasts = need.start ? need.duration : std::chrono::nanoseconds(0)});
      }
    }
  }
  return {};
}

}  // namespace

std::vector<Pool> pools_of(const std::vector<ScheduleItem>& items, const ScheduleOptions& options) {
  std::vector<Pool> pools;
  for (const FaultInfo& family : all_faults()) {
    Pool pool{&family, {}, {}};
    bool bare = false;
    for (const ScheduleItem& item : items) {
      if (item.family != &family || item.start) continue;
      bare = bare || item.shape == nullptr;
      pool.parameters.insert(item.parameters.begin(), item.parameters.end());
      if (item.shape != nullptr && item.target.empty()) pool.shapes.push_back(item.shape);
    }
    for (const FaultShape& shape : family.shapes) {
      if (bare && is_possible(shape, options) && shape.random.weight > 0)
        pool.shapes.push_back(&shape);
    }
    if (!pool.shapes.empty()) pools.push_back(std::move(pool));
  }
  return pools;
}

Pick draw(const Pool& pool, base::Random& random) {
  return {.family = pool.family,
          .shape = draw_shape(pool.shapes, random),
          .parameters = pool.parameters};
}

Result<std::vector<Pick>> necessary_picks(const std::vector<ScheduleItem>& items,
                                          const std::vector<Pool>& pools,
                                          const ScheduleOptions& options,
                                          base::Random& random) {
  std::vector<Pick> picks;
  for (const ScheduleItem& item : items) {
    if (item.start || item.shape == nullptr) continue;
    picks.push_back({.family = item.family,
                     .shape = item.shape,
                     .asked = true,
                     .target = item.target,
                     .parameters = item.parameters});
  }
  SUNDER_TRY(add_required(items, options, picks));
  for (const Pool& pool : pools) {
    if (!is_picked(picks, pool.family, nullptr)) picks.push_back(draw(pool, random));
  }
  return picks;
}

PlannedFault plan(const Pick& pick, nanoseconds start, nanoseconds duration) {
  PlannedFault fault;
  fault.family = pick.family->name;
  fault.shape = pick.shape->name;
  fault.target = pick.target;
  fault.at = pick.at;
  fault.start = start;
  fault.duration = duration;
  fault.seed = kNo_seed;
  return fault;
}

PlannedFault plan_random(const Pick& pick,
                         nanoseconds start,
                         nanoseconds duration,
                         base::Random& random) {
  const bool shorter = pick.lasts.count() > 0 && pick.lasts < duration;
  PlannedFault fault = plan(pick, start, shorter ? pick.lasts : duration);
  if (pick.family->randomize != nullptr && !pick.needed) pick.family->randomize(fault, random);
  for (const auto& [name, value] : pick.parameters) fault.parameters.insert_or_assign(name, value);
  return fault;
}

nanoseconds in_milliseconds(double nanoseconds_count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(nanoseconds_count / 1e6));
}

nanoseconds lead_of(nanoseconds duration) {
  return std::min<nanoseconds>(std::chrono::seconds(1), duration / 20);
}

bool is_lasting(const FaultInfo& family) noexcept {
  return family.burden.lies || family.burden.ends;
}

std::vector<std::size_t> draw_lasting_nodes(std::size_t nodes, base::Random& random) {
  std::vector<std::size_t> drawn(nodes);
  std::iota(drawn.begin(), drawn.end(), std::size_t{0});
  random.shuffle(drawn);
  drawn.resize(std::max<std::size_t>(1, minority_of(nodes)));
  return drawn;
}

}  // namespace sunder::nemesis
