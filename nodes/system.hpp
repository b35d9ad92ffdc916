// System definition: everything the harness knows of a system under test.
//
// Plain data: how to start it, what it promises in each mode, which sabotages it has. Ours are rows
// in registry.cpp; nothing outside nodes/ knows that a node is ours. Program paths are resolved by
// the harness beside its own binary.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sunder::nodes {

// When a promise must hold; shown in docs/promises.md.
struct Promise {
  std::string name;  // "linearizable"
  std::string
      sentence;  // "Every operation takes effect at one instant between its call and its return."
  std::string condition;   // "always", "while one majority is fully connected …"
  std::string checker;     // a name in the checkers' registry
  std::string model = {};  // for the checker; may be empty
  std::map<std::string, double> parameters = {};
  // Fault families of which at least one must have been requested for the promise to apply; empty:
  // always applies.
  std::vector<std::string> needs = {};
  // Fault families under which the mode does not claim it: with any of them requested it is no more
  // than a price.
  std::vector<std::string> unless = {};
  bool time_based = false;  // host overload turns `broken` into `undetermined`
  // What the mode gives up, and does not promise: a run that shows it tells it with a
  // counter-example, as a price, and breaks nothing.
  bool price = false;
  std::string source;  // paper or document
};

struct Sabotage {
  std::string name;                 // "ack-before-quorum"
  std::string summary;              // what the bug is
  std::vector<std::string> breaks;  // names of promises, the surest first
  // What suits it, used where the user says nothing else; empty or zero: the scenario's defaults.
  std::string faults = {};  // as --faults takes it
  std::chrono::seconds duration{0};
  std::size_t keys = 0;
  double rate = 0;       // as --rate
  std::string mix = {};  // as --mix
};

// What a node tells on file descriptor 3: a fault may wait for it.
struct ModeEvent {
  std::string name;      // "became-leader"
  std::string sentence;  // when it is told
  // Whether `--faults atlas` tries faults at it, and the faults that bring it about, as --faults
  // takes them, counted from 0 s; empty: it comes by itself under load.
  bool atlas = false;
  std::string provoked_by = {};
};

// A part of the nodes.
enum class Share : std::uint8_t { none, one, minority, majority, all };

// How much the mode's promises bear: random schedules stay within it, so that a broken promise is a
// finding.
struct Tolerance {
  Share stopped = Share::all;     // at once, for a while
  Share cut = Share::all;         // at once
  Share skewed = Share::all;      // wrong clocks, at once
  Share ended = Share::minority;  // down for good, over the whole run
  Share lied_to = Share::none;    // disks that lost or changed what they acknowledged
};

// A place among nodes that are not alike.
struct Role {
  std::string name;                    // "inventory"
  std::vector<std::string> arguments;  // added to its node's command line
  bool serves_clients = false;
};

struct Mode {
  std::string name;  // "raft"
  std::string summary;
  std::vector<std::string> arguments;  // added to the node's command line
  std::vector<Promise> promises;
  std::vector<Sabotage> sabotages;
  std::chrono::milliseconds election_timeout{
      300};                            // the longest; conditions are stated in multiples of it
  std::vector<ModeEvent> events = {};  // sorted by name
  Tolerance tolerance = {};
  bool membership = false;  // nodes can be added and removed while it runs
  // Of n1, n2, … in this order, one node each; empty: the nodes are alike, and any number will do.
  std::vector<Role> roles = {};
  // Its nodes know sessions (SESSION OPEN, SEQ): a retried command takes effect once. Without, a
  // client does not retry a write that may have taken effect.
  bool sessions = true;
};

// The nodes that clients of the mode connect to, as indices from 0: all of them when they are
// alike.
[[nodiscard]] std::vector<std::size_t> serving_nodes(const Mode& mode, std::size_t nodes);

struct System {
  std::string name;     // "kv"
  std::string program;  // "sunder-kv"
  std::string client;   // kind of client driver: "resp"
  std::vector<Mode> modes;
};

// Sorted by name.
[[nodiscard]] std::span<const System> all_systems();

}  // namespace sunder::nodes
