// RunContext: what happened around the operations of a run: phases, faults with evidence, node
// events, host load.
//
// Plain data in the run's own time (nanoseconds since its start). Written by the nemesis and the
// run, read by checkers whose promise depends on conditions ("while a majority is connected") and
// by the report. faults.jsonl and events.jsonl are its text forms (text.hpp).

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/history/event_log.hpp"

namespace sunder::history {

// [begin, end) in nanoseconds since the run's start; end is kNever while it lasts.
struct Window {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  [[nodiscard]] bool contains(std::int64_t time) const noexcept {
    return begin <= time && time < end;
  }

  [[nodiscard]] bool overlaps(const Window& other) const noexcept {
    return begin < other.end && other.begin < end;
  }
};

struct Phase {
  std::string name;  // "set up", "warm up", "load", "heal", "settle", "final reads", "tear down"
  Window window;
};

// One measured number that shows that a fault bit: {"packets dropped", 2314}.
struct Evidence {
  std::string name;
  double value = 0;
  std::string unit;  // "packets", "ms", "" …
};

struct FaultRecord {
  std::uint32_t id = 0;
  std::string family;                // "partition", "kill", "pause", "restart"
  std::string shape;                 // "halves", "one", …
  std::string description;           // "partition halves: n1,n2 | n3,n4,n5"
  std::vector<std::string> targets;  // nodes acted on, sorted
  std::string event;                 // that it was to wait for; empty: placed by time
  std::int64_t requested = 0;        // when the schedule wanted it
  Window applying;                   // installing took this long
  Window active;  // the effect stood: from the end of applying to the start of healing
  // A flapping fault's effect came and went: when it stood, inside `active`. Empty: throughout.
  std::vector<Window> standing;
  std::int64_t healed = 0;  // healing finished
  bool exercised = false;   // evidence shows that it bit
  std::string reason;       // why it was not exercised, or was skipped
  std::vector<Evidence> evidence;
  // Directed pairs of endpoint names cut while active: {"n1","n2"}, {"c3","n1"}.
  std::vector<std::pair<std::string, std::string>> cut_links;
  // Nodes that cannot work while active (killed, paused).
  std::vector<std::string> disabled_nodes;
  // From its beginning until it was healed, who the members are is not certain: at most one more or
  // less than `RunContext::nodes`, or another in one's place.
  bool changes_members = false;
  // Something may get through the cut links, or the nodes work at times: such a fault excuses a
  // system that does not answer, and does not accuse one that does.
  bool porous = false;
  // Nodes that ended by themselves because of it and did not work again in this run.
  std::vector<std::string> ended_nodes = {};
};

// One reading of the harness watching itself.
struct HostSample {
  std::int64_t time = 0;
  double loop_delay_ms = 0;  // how late the harness' own timer fired
  double cpu_pressure = 0;   // PSI "some avg10", percent; 0 when not available
};

struct RunContext {
  std::vector<std::string> nodes;    // "n1"…
  std::vector<std::string> clients;  // "c1"… endpoint names, as in FaultRecord::cut_links
  // Which client endpoint a process used: process → index into `clients`; a retired client's
  // successor shares it.
  std::vector<std::pair<std::int64_t, std::uint32_t>> process_endpoints;
  // The node each client endpoint is pinned to first: index into `nodes`.
  std::vector<std::uint32_t> client_nodes;
  bool clients_see_all = false;  // a partition does not put clients on a side
  std::vector<Phase> phases;
  std::vector<FaultRecord> faults;
  EventLog events;
  std::vector<HostSample> host;
  std::uint64_t dropped_events = 0;  // node events lost because the pipe was full
  std::string host_overload;         // empty, or the sentence that says how the host was overloaded
};

}  // namespace sunder::history
