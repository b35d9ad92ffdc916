// Nemesis: chooses and applies faults. A schedule says what happens when; a fault family knows how,
// and how to prove it.
//
// A schedule is resolved before the run from the seed alone (random ones too) so that run.json
// holds it and `replay` runs exactly it. Targets that only exist at run time ("leader") are
// resolved when the fault begins and recorded.
//
// Text form, for --faults and TOML: a comma-separated list of families ("partition,kill,pause")
// asks for a random schedule in which each family appears; items with a placement are explicit:
//   partition:leader@3s+4s      family:shape-or-target @ start + duration
//   kill:all@10s+1s             kill -9 all nodes at 10 s, restart them 1 s later
//
// Threading: the run's single thread. An ActiveFault heals in its destructor with synchronous calls
// only.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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

// One fault as planned. `start` counts from the beginning of the load phase.
struct PlannedFault {
  std::uint32_t id = 0;
  std::string family;  // "partition"
  std::string shape;   // "halves", "leader", "one", … a word of the family
  std::string target;  // "leader", "minority", "n2", "n1+n2"; empty: the shape's own
  std::chrono::nanoseconds start{0};
  std::chrono::nanoseconds duration{0};
  std::map<std::string, double> parameters;
  std::uint64_t seed = 0;  // for choices made when it begins
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
  // Called when a fault's record changes (begun, healed): write it down.
  std::function<void(const history::FaultRecord&)> record;
};

// A fault that stands. Destruction heals it (synchronously) if heal() was not called.
class ActiveFault {
 public:
  virtual ~ActiveFault() = default;
  // Undoes it and completes the record with evidence.
  [[nodiscard]] virtual Result<void> heal() = 0;
  [[nodiscard]] virtual const history::FaultRecord& record() const noexcept = 0;
};

struct FaultShape {
  std::string_view name;
  std::string_view summary;
};

struct FaultInfo {
  std::string_view name;  // family
  std::string_view summary;
  std::span<const FaultShape> shapes;
  std::span<const FaultShape> targets;
  // Applies it now. Errc::usage: impossible target. The record's `applying` and `active.begin` are
  // filled in.
  boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> (*apply)(
      NemesisContext& context, PlannedFault fault) = nullptr;
};

// Sorted by name.
[[nodiscard]] std::span<const FaultInfo> all_faults();
[[nodiscard]] const FaultInfo* find_fault(std::string_view family);

// Runs a schedule from now (the beginning of the load phase) until it is through or cancelled;
// every fault is healed before it returns, also when cancelled. Fault records are in the order of
// the schedule.
[[nodiscard]] boost::asio::awaitable<Result<std::vector<history::FaultRecord>>> run_schedule(
    NemesisContext& context, Schedule schedule);

}  // namespace sunder::nemesis
