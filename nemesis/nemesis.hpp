// Nemesis: chooses and applies faults. A schedule says what happens when; a fault family knows how,
// and how to prove it.
//
// A schedule is resolved before the run from the seed alone (random ones too) so that run.json
// holds it and `replay` runs exactly it. Targets that only exist at run time ("leader") are
// resolved when the fault begins and recorded.
//
// Text form, for --faults and TOML: a comma-separated list of items (docs/faults.md).
//   partition              a family: faults of it are laid out at random (seeded), at least one
//   partition:leader       the same with this shape only, at least once
//   kill:all@10s+1s        by time: kill -9 all nodes 10 s into the load, start them 1 s later
//   kill:subject@became-leader+1s;after=2s;delay=50ms;count=3
//                          by event: 50 ms after the third such event that a node tells from 2 s
//                          into the load on; subject: the node that told it, others: all but it
//   partition:n1+n2/n3+n4+n5@2s+6s;flap=500ms
//                          named sides (A>B cuts only the direction from A to B); ;NAME=VALUE sets
//                          a parameter, ;seed=N the choices made when it begins
//   all, none              every family; no fault. Each stands alone.
//
// Threading: the run's single thread. An ActiveFault heals in its destructor with synchronous calls
// only.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::nemesis {

// When a fault begins that is placed by event: so long after the count-th such event since its
// `start`.
struct EventPlacement {
  std::string event;  // "became-leader"; empty: placed by time
  std::chrono::nanoseconds delay{0};
  std::uint32_t count = 1;

  friend bool operator==(const EventPlacement&, const EventPlacement&) = default;
};

// One fault as planned. `start` counts from the beginning of the load phase.
struct PlannedFault {
  std::uint32_t id = 0;
  std::string family;  // "partition"
  std::string shape;   // "halves", "leader", "one", … one of the family's shapes
  // For shapes "nodes" ("n1+n3") and "groups" ("n1+n2/n3"); for "subject" and "others" the node
  // that told the event, known when the fault begins; empty otherwise.
  std::string target;
  std::chrono::nanoseconds start{0};  // placed by event: events from then on count
  EventPlacement at;
  std::chrono::nanoseconds duration{0};
  std::map<std::string, double> parameters;  // {"flap_ms", 500}
  std::uint64_t seed = 0;                    // for choices made when it begins

  friend bool operator==(const PlannedFault&, const PlannedFault&) = default;
};

using Schedule = std::vector<PlannedFault>;

struct ScheduleOptions {
  std::size_t nodes = 5;
  std::chrono::nanoseconds duration{0};  // of the load phase
  base::Random random{0};
  // Shapes that a promise of the scenario needs at least once: {"partition:minority", "kill:all"}.
  std::vector<std::string> required;
};

// Parses --faults and lays the faults out in time. Errc::usage names the word and lists what
// exists.
[[nodiscard]] Result<Schedule> make_schedule(std::string_view text, const ScheduleOptions& options);
// The schedule as explicit items that make_schedule reads back.
[[nodiscard]] std::string to_text(const Schedule& schedule);
// Families named in a --faults text; for "which promises apply".
[[nodiscard]] Result<std::vector<std::string>> families_of(std::string_view text);

// What a fault sees of the run while it chooses targets.
struct NemesisContext {
  cluster::Cluster& cluster;
  const base::RunClock& clock;
  // Index of the node that says it leads with the highest term; none when nobody does. Fed from
  // node events.
  std::function<std::optional<std::size_t>()> leader;
  // The side of each client: index of the node it is pinned to.
  std::vector<std::size_t> client_nodes;
  bool clients_see_all = false;
  // Hands every node event from now on to the function; an empty one ends it.
  std::function<void(std::function<void(const history::NodeEvent&)>)> on_event;
  // The run's time at which faults that still wait for their event are given up.
  std::int64_t events_until = std::numeric_limits<std::int64_t>::max();
  // Called when a fault's record changes (begun, healed): write it down.
  std::function<void(const history::FaultRecord&)> record;
};

// A fault that stands. Destruction heals it (synchronously) if heal() was not called.
class ActiveFault {
 public:
  virtual ~ActiveFault() = default;
  // Undoes it and completes the record with evidence.
  [[nodiscard]] virtual Result<void> heal() = 0;

  // A flapping fault: toggle() is to be called each time this much has passed.
  [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> period() const {
    return std::nullopt;
  }

  [[nodiscard]] virtual Result<void> toggle() { return {}; }

  [[nodiscard]] virtual const history::FaultRecord& record() const noexcept = 0;
};

// How a random schedule uses a shape.
struct RandomUse {
  double weight = 0;       // how often it is drawn; 0: only when asked for
  double slot = 1;         // length of its slot relative to others: the fault and the calm after it
  double share_low = 0.3;  // part of the slot in which the fault stands
  double share_high = 0.6;
  bool light = false;  // touches one node: may overlap with a light fault of another family
};

struct FaultShape {
  std::string_view name;
  std::string_view summary;
  std::size_t nodes_min = 1;  // smaller clusters cannot have it
  RandomUse random;
};

// A duration that an item may set: ";flap=500ms", kept as parameters["flap_ms"].
struct FaultParameter {
  std::string_view name;
  std::string_view summary;
  std::chrono::nanoseconds low{0};
  std::chrono::nanoseconds high{0};
};

struct FaultInfo {
  std::string_view name;  // family
  std::string_view summary;
  std::span<const FaultShape> shapes;
  std::span<const FaultParameter> parameters;
  // Applies it now. Errc::usage: impossible target; Errc::unsupported: this machine cannot do it.
  // The record's `applying` and `active.begin` are filled in. A fault that found nothing to act on
  // still stands, and says so.
  boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> (*apply)(
      NemesisContext& context, PlannedFault fault) = nullptr;
};

// Sorted by name.
[[nodiscard]] std::span<const FaultInfo> all_faults();
[[nodiscard]] const FaultInfo* find_fault(std::string_view family);

// Runs a schedule from now (the beginning of the load phase) until it is through or cancelled;
// every fault is healed before it returns, also when cancelled or failed. Records are in the order
// of the schedule; a fault that never began has none. A fault that this machine cannot do is
// recorded with the reason.
[[nodiscard]] boost::asio::awaitable<Result<std::vector<history::FaultRecord>>> run_schedule(
    NemesisContext& context, Schedule schedule);

}  // namespace sunder::nemesis
