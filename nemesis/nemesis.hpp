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
//   kill:leader@committed=100  by event, the hundredth; the duration is the family's usual one
//   partition:n1+n2/n3+n4+n5@2s+6s;flap=500ms
//                          named sides (A>B cuts only the direction from A to B, A<>B these links
//                          alone, clients among them); ;NAME=VALUE sets a parameter, ;seed=N the
//                          choices made when it begins
//   all, none              every family; no fault. Each stands alone.
//   atlas, atlas:kill,pause  every event that the mode tells × every (named) family, one after the
//                          other
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

class Members;

// When a fault begins that is placed by event: so long after the count-th such event since its
// `start`.
struct EventPlacement {
  std::string event;  // "became-leader"; empty: placed by time
  std::chrono::nanoseconds delay{0};
  std::uint32_t count = 1;
  std::chrono::nanoseconds within{0};  // given up when it has not come by then; 0: to the end

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
  // Those that were given, as canonical text that was checked against the family's rows:
  // {"flap", "500ms"}. Read them with duration_of(), number_of() and word_of().
  std::map<std::string, std::string> parameters;
  std::uint64_t seed = 0;  // for choices made when it begins

  friend bool operator==(const PlannedFault&, const PlannedFault&) = default;
};

// A parameter's value: the given one, else the family's default; none when it has neither. The row
// must be of a fitting kind.
[[nodiscard]] std::optional<std::chrono::nanoseconds> duration_of(const PlannedFault& fault,
                                                                  std::string_view name);
// Percent as percent, rates as bit/s, counts as they are.
[[nodiscard]] std::optional<double> number_of(const PlannedFault& fault, std::string_view name);
// Words and patterns.
[[nodiscard]] std::optional<std::string> word_of(const PlannedFault& fault, std::string_view name);
// Sets a parameter: for FaultInfo::randomize. Precondition: the family has it and the value fits.
void set_duration(PlannedFault& fault, std::string_view name, std::chrono::nanoseconds value);
void set_number(PlannedFault& fault, std::string_view name, double value);
void set_word(PlannedFault& fault, std::string_view name, std::string_view value);

using Schedule = std::vector<PlannedFault>;

// How many nodes a fault touches.
enum class Extent : std::uint8_t { none, one, minority, majority, all };

// What the promises of a mode allow a random schedule. Never exceeded by faults that stand at the
// same time, or, for what lasts, by all faults of the schedule together.
struct Budget {
  Extent stopped = Extent::all;       // at once, for a while
  Extent cut = Extent::all;           // at once
  Extent skewed = Extent::all;        // wrong clocks, at once
  Extent ended = Extent::minority;    // down for good, over the whole run
  Extent lied_to = Extent::minority;  // disks that lied, over the whole run
};

struct ScheduleOptions {
  std::size_t nodes = 5;
  std::size_t clients = 0;               // 0: unknown, so any client may be named
  std::chrono::nanoseconds duration{0};  // of the load phase
  base::Random random{0};
  // Shapes that a promise of the scenario needs at least once: {"partition:minority", "kill:all"}.
  std::vector<std::string> required;
  // What the nodes of this mode tell; a fault cannot wait for anything else but what the harness
  // itself knows (harness_events()), nor be named after a leader where nobody tells that it leads.
  // Empty: unknown, so any word is taken.
  std::vector<std::string> events;
  // For the atlas: which of those events it tries, each with the faults that bring it about, as
  // explicit items counted from 0 s; empty when it comes by itself.
  std::map<std::string, std::string> atlas;
  // Why this machine (or mode) lacks a capability that a family needs, with what adds it; empty
  // when it is there. Null: nothing is lacking.
  std::function<std::string(std::string_view capability)> lacks;
  Budget budget;
};

// Events that the harness itself knows, beside those of nodes; sorted.
struct HarnessEvent {
  std::string_view name;
  std::string_view summary;
  bool of_node = false;  // a node is its subject
};

[[nodiscard]] std::span<const HarnessEvent> harness_events();

constexpr std::string_view kAfterAcks = "after-acks";  // told by whoever runs the clients
constexpr std::string_view kAtStart = "at-start";
constexpr std::string_view kBecameLeader = "became-leader";  // told by nodes of modes that have one
constexpr std::string_view kNodeStarted = "node-started";

// Parses --faults and lays the faults out in time. Errc::usage names the word and lists what
// exists. Errc::unsupported: a family was named that this machine cannot do.
[[nodiscard]] Result<Schedule> make_schedule(std::string_view text, const ScheduleOptions& options);
// The load phase that "all" or "atlas" needs without haste here; zero for any other text.
[[nodiscard]] Result<std::chrono::nanoseconds> suitable_duration(std::string_view text,
                                                                 const ScheduleOptions& options);
// The families that "all" leaves out here, each with the reason.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> skipped_families(
    std::string_view text, const ScheduleOptions& options);
// Whether a fault of the schedule needs the capability.
[[nodiscard]] bool needs(const Schedule& schedule, std::string_view capability);
// The schedule as explicit items that make_schedule reads back.
[[nodiscard]] std::string to_text(const Schedule& schedule);
// Families named in a --faults text; for "which promises apply".
[[nodiscard]] Result<std::vector<std::string>> families_of(std::string_view text);

// What is asked of a schedule while it runs: a schedule made by hand (sunder up). Fill in, then
// call wake().
struct ScheduleRequests {
  std::vector<PlannedFault> begin;  // with numbers of their own; `start` counts as usual
  std::vector<std::uint32_t> heal;  // numbers of faults that are to end now
  std::function<void()> wake;       // empty while no schedule runs
};

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
  // Hands every event from now on to the function, those of nodes and the harness' own; an empty
  // one ends it.
  std::function<void(std::function<void(const history::NodeEvent&)>)> on_event;
  // The run's time at which faults that still wait for their event are given up.
  std::int64_t events_until = std::numeric_limits<std::int64_t>::max();
  // Called when a fault's record changes (begun, healed): write it down.
  std::function<void(const history::FaultRecord&)> record;
  // Nodes that a standing fault stops, damages or misleads, kept by the schedule: who chooses at
  // random prefers others.
  std::vector<std::size_t> held = {};
  // None: the schedule is all there is. Else it runs until it is cancelled, and a fault that cannot
  // be applied is recorded with the reason and is the end of nothing else.
  ScheduleRequests* requests = nullptr;
  Members* members = nullptr;  // carries out changes of members; null: nobody does
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
  RandomUse random = {};
  std::optional<Extent> touches = {};  // none given: what the name says (extent_of)
};

[[nodiscard]] Extent extent_of(const FaultShape& shape) noexcept;

enum class ParameterKind : std::uint8_t {
  duration,  // 500ms
  percent,   // 2.5%; the sign may be left out
  number,    // 42, 0.5
  bit_rate,  // 10mbit; bit, kbit, mbit, gbit
  word,      // one of `words`
  pattern,   // of file names: *.log
};

// What an item may set: ";flap=500ms". A value outside of its limits is refused with them.
struct FaultParameter {
  std::string_view name;
  std::string_view summary;
  ParameterKind kind = ParameterKind::duration;
  double low = 0;  // nanoseconds, percent, a number or bit/s
  double high = 0;
  std::span<const std::string_view> words = {};
  std::string_view otherwise = {};  // the default; empty: as if it did not exist
};

// Limits of a duration parameter.
[[nodiscard]] constexpr double limit(std::chrono::nanoseconds duration) noexcept {
  return static_cast<double>(duration.count());
}

// What becomes of the nodes that a shape touches, for the budgets of random schedules.
struct Burden {
  bool stops = false;  // they cannot work while it stands
  bool cuts = false;   // they are cut off while it stands
  bool slows = false;  // they or their links may be too slow to be of use while it stands
  bool skews = false;  // their clocks are wrong while it stands
  bool lies = false;   // their disks lost or changed what they acknowledged: for good
  bool ends = false;   // they may stay down after it: for good
};

struct FaultInfo {
  std::string_view name;  // family
  std::string_view summary;
  std::span<const FaultShape> shapes;
  std::span<const FaultParameter> parameters;
  // For docs/faults.md: what its record holds that only the real effect can produce, what it cannot
  // do or show, and an item that uses its parameters. Sentences.
  std::string_view evidence = {};
  std::string_view limits = {};
  std::string_view example = {};
  // Capabilities by their names in harness/cluster/capabilities.hpp without which it cannot be.
  std::span<const std::string_view> needs = {};
  Burden burden = {};
  std::chrono::nanoseconds usual = std::chrono::seconds(1);  // where no duration is given
  // Gives a fault of a random schedule, whose shape and duration are set, its parameters.
  void (*randomize)(PlannedFault& fault, base::Random& random) = nullptr;
  // What single rows cannot say: parameters that exclude or need each other. Errc::usage.
  Result<void> (*check)(const PlannedFault& fault, std::size_t nodes) = nullptr;
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
