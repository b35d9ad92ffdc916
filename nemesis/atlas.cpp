// Atlas: each kind of event meets each family once, in cells one after another on one cluster.
//
// Most failures need few events in the right order, so what a fault does at an event is worth more
// than its length. A cell lasts long enough for its event to come, the fault to stand and the
// cluster to be well again; an event that did not come in its cell is given up, so that no fault
// runs into the cells behind it.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nemesis/layout.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds kFault_max = 500ms;
constexpr nanoseconds kSweep_max = 4s;       // of what goes from node to node
constexpr nanoseconds kPatience = 800ms;     // for an event that comes by itself
constexpr nanoseconds kConsequence = 700ms;  // for one that a fault brings about, when it is over
constexpr nanoseconds kCalm = 500ms;         // for an election, after a fault that stops or cuts
constexpr nanoseconds kCalm_min = 200ms;     // after another
// The same where connections must be made anew: retransmissions have backed off.
constexpr nanoseconds kReconnection = 1500ms;
constexpr nanoseconds kLong = 6s;  // ten election time-outs of stability, and some operations
constexpr nanoseconds kRecovery = 1500ms;
constexpr std::uint32_t kAcknowledgements = 100;

// Where a fault hurts most: at the node that told the event, else at the leader, else anywhere.
const FaultShape& shape_for(const FaultInfo& family, const ScheduleOptions& options, bool of_node) {
  constexpr std::array<std::string_view, 3> preferred{"subject", "leader", "one"};
  for (const std::string_view name : preferred) {
    const FaultShape* const shape = find_shape(family, name);
    const bool fits = shape != nullptr && is_possible(*shape, options);
    if (fits && (of_node || name != preferred.front())) return *shape;
  }
  const auto drawn = std::ranges::find_if(family.shapes, [&](const FaultShape& shape) {
    return shape.random.weight > 0 && is_possible(shape, options);
  });
  return drawn == family.shapes.end() ? family.shapes.front() : *drawn;
}

// What the promises of the mode need to be judged, behind the cells: the shapes they name, and one
// node out of the way for long enough to see whether the others go on.
nanoseconds add_needed(const std::vector<const FaultInfo*>& families,
                       const ScheduleOptions& options,
                       nanoseconds begin,
                       Schedule& schedule) {
  const auto add = [&](const FaultInfo& family, const FaultShape& shape, nanoseconds duration) {
    const Pick pick{.family = &family, .shape = &shape, .asked = true, .needed = true};
    schedule.push_back(plan(pick, begin, duration));
    begin += duration + kRecovery;
  };
  bool long_one = false;
  for (const std::string& text : options.required) {
    const auto items = parse_items(text);
    if (items.has_error()) continue;  // the scenario's own words: a test parses them
    for (const ScheduleItem& item : *items) {
      if (std::ranges::find(families, item.family) == families.end()) continue;
      if (item.shape == nullptr || !is_possible(*item.shape, options)) continue;
      const bool cuts = item.family->burden.cuts;
      long_one = long_one || cuts;
      add(*item.family, *item.shape, cuts ? kLong : kFault_max);
    }
  }
  const auto found = std::ranges::find_if(families, [](const FaultInfo* family) {
    return family->burden.stops && find_shape(*family, "one") != nullptr;
  });
  if (!long_one && found != families.end()) add(**found, *find_shape(**found, "one"), kLong);
  return begin;
}

struct AtlasEvent {
  std::string_view name;
  Schedule provocation;  // from 0 s on
  nanoseconds patience{kPatience};
  std::uint32_t count = 1;
  bool of_node = true;
};

Result<std::vector<AtlasEvent>> events_of(const ScheduleOptions& options) {
  std::vector<AtlasEvent> events;
  for (const auto& [name, provoked_by] : options.atlas) {
    AtlasEvent event;
    event.name = name;
    if (name == kAfterAcks) {
      event.count = kAcknowledgements;
      event.of_node = false;
    }
    if (!provoked_by.empty()) {
      auto provocation = make_schedule(provoked_by, options);
      if (provocation.has_error()) return with_context(provocation.error(), "atlas at " + name);
      event.provocation = std::move(*provocation);
    }
    for (const PlannedFault& fault : event.provocation) {
      const bool cuts = find_fault(fault.family)->burden.cuts;
      const nanoseconds consequence = cuts ? kReconnection : kConsequence;
      event.patience = std::max(event.patience, fault.start + fault.duration + consequence);
    }
    events.push_back(std::move(event));
  }
  return events;
}

// Lays cells out one after another. Cells of what lasts all act on one minority of the nodes, drawn
// once, whichever node told the event: a majority stays whole.
class Cells {
 public:
  Cells(const ScheduleOptions& options, nanoseconds begin)
      : random_(options.random.fork("atlas")),
        options_(options),
        begin_(begin),
        lasting_nodes_(draw_lasting_nodes(options.nodes, random_)) {}

  [[nodiscard]] nanoseconds end() const { return begin_; }

  void skip_to(nanoseconds begin) { begin_ = begin; }

  void add(const FaultInfo& family, const AtlasEvent& event, Schedule& schedule) {
    const PlannedFault fault = cell_fault(family, event);
    schedule.push_back(fault);
    for (PlannedFault provoking : event.provocation) {
      provoking.start += begin_;
      provoking.seed = kNo_seed;
      schedule.push_back(std::move(provoking));
    }
    const bool disturbs = family.burden.stops || family.burden.cuts || family.burden.ends;
    begin_ += event.patience + fault.duration + (disturbs ? kCalm : kCalm_min);
  }

 private:
  PlannedFault cell_fault(const FaultInfo& family, const AtlasEvent& event);

  base::Random random_;
  const ScheduleOptions& options_;
  nanoseconds begin_;
  std::vector<std::size_t> lasting_nodes_;
  std::size_t lasting_ = 0;
};

PlannedFault Cells::cell_fault(const FaultInfo& family, const AtlasEvent& event) {
  Pick pick{.family = &family, .shape = &shape_for(family, options_, event.of_node)};
  const FaultShape* const named = find_shape(family, "nodes");
  if (is_lasting(family) && named != nullptr) {
    pick.shape = named;
    pick.target = fmt::format("n{}", lasting_nodes_[lasting_++ % lasting_nodes_.size()] + 1);
  }
  const bool sweeps = find_shape(family, "one") == nullptr && extent_of(*pick.shape) == Extent::all;
  const nanoseconds longest = sweeps ? kSweep_max : kFault_max;
  PlannedFault fault = plan_random(pick, begin_, std::min(family.usual, longest), random_);
  fault.at.event = event.name;
  fault.at.count = event.count;
  fault.at.within = event.patience;
  return fault;
}

}  // namespace

Result<nanoseconds> lay_out_atlas(const std::vector<const FaultInfo*>& families,
                                  const ScheduleOptions& options,
                                  Schedule& schedule) {
  ScheduleOptions explicit_only = options;
  explicit_only.duration = nanoseconds(0);
  const auto events = events_of(explicit_only);
  if (events.has_error()) return events.error();
  // A whole cluster for what promises need; then for what may end nodes, all of it at the end.
  std::vector<const FaultInfo*> order = families;
  const auto lasting = std::ranges::stable_partition(order, [](const FaultInfo* family) {
                         return !is_lasting(*family);
                       }).begin();
  Cells cells(options, 1s);
  const auto add = [&](auto first, auto last) {
    for (auto family = first; family != last; ++family) {
      for (const AtlasEvent& event : *events) cells.add(**family, event, schedule);
    }
  };
  add(order.begin(), lasting);
  cells.skip_to(add_needed(families, options, cells.end(), schedule));
  add(lasting, order.end());
  return cells.end();
}

}  // namespace sunder::nemesis
