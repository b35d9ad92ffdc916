// Promises: what any machine that Raft replicates promises, and the bugs of Raft and of its shell
// that break such promises.
//
// Pure data for system definitions (nodes/system.hpp). A family adds what its own machine promises,
// among it `durable` and `durable-power-loss`, which need a checker that knows its operations.
//
// Threading: pure functions.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "nodes/system.hpp"

namespace sunder::nodes::raft {

// Follows from the defaults in nodes/host/command_line.hpp: the longest.
constexpr std::chrono::milliseconds kElectionTimeout{400};

// The leader loses its majority, but not all of its clients: the more of them are cut off with it,
// the more find a bug before they are stuck; two seconds later they try again.
constexpr auto kLeaderCut =
    "partition:leader-minority@2s+5s,partition:leader-minority@9s+5s,"
    "partition:leader-minority@16s+5s";

// Whatever the machine is.
[[nodiscard]] std::vector<Promise> shared_promises();

// Bugs of protocol, shell and storage, sorted by name. Breaks: those promises, `durable`,
// `durable-power-loss`, and `consistency`, the family's name of what an acknowledged write that is
// lost or applied twice breaks.
[[nodiscard]] std::vector<Sabotage> shared_sabotages(const std::string& consistency);

// What such nodes tell, sorted by name.
[[nodiscard]] std::vector<ModeEvent> shared_events();

}  // namespace sunder::nodes::raft
