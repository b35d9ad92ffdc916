// The system definition of sunder-kv: what each of its modes promises, and the sabotages that break
// the promises.
//
// Pure data. What anything that Raft replicates promises is in nodes/raft/promises.hpp.

#include "nodes/system.hpp"

#include <algorithm>
#include <iterator>

#include "nodes/kv/modes.hpp"
#include "nodes/raft/promises.hpp"

namespace sunder::nodes {
namespace {

std::vector<Promise> raft_promises() {
  std::vector<Promise> all = {
      {.name = "linearizable",
       .sentence = "Every operation takes effect at one instant between its call and its return.",
       .condition = "always",
       .checker = "linearizable",
       .model = "register",
       .source = "Ongaro 2014, §6.3 and §6.4; Herlihy & Wing 1990"},
      {.name = "durable",
       .sentence = "Every acknowledged write survives kill -9 of all nodes at once: a process "
                   "crash, not a power loss.",
       .condition = "always",
       .checker = "durability",
       .model = "register",
       .needs = {"kill"},
       .source = "Ongaro 2014, §3.8"},
      {.name = "durable-power-loss",
       .sentence = "Every acknowledged write survives a loss of power on all nodes at once, when "
                   "whatever was not synced is forgotten: bytes, names and renames.",
       .condition = "always",
       .checker = "durability",
       .model = "register",
       .parameters = {{"power_loss", 1}},
       .needs = {"power-loss", "torn-write"},
       .source = "Ongaro 2014, §3.8; Alagappan et al., FAST'18"},
  };
  std::ranges::move(raft::shared_promises(), std::back_inserter(all));
  return all;
}

// The leader's clock goes back before it is cut off with others: the answers of before stand for a
// connection that it has no more. Neither fault alone shows anything.
constexpr auto kLeaderInThePast =
    "clock-jump:leader@500ms+6s;amount=1h;direction=backward,partition:leader-minority@1s+5s";

// Bugs that only a read shows.
std::vector<Sabotage> read_sabotages() {
  return {
      {.name = "lease-by-wall-clock",
       .summary = "The leader tells by its realtime clock whether it still leads, for its reads "
                  "and for itself.",
       .breaks = {"linearizable", "minority-refuses"},
       .faults = kLeaderInThePast,
       .duration = std::chrono::seconds(7),
       .keys = 8},
      {.name = "stale-read",
       .summary = "The leader answers reads without confirming that it still leads.",
       .breaks = {"linearizable", "minority-refuses"},
       .faults = raft::kLeaderCut,
       .duration = std::chrono::seconds(24),
       .keys = 8},
  };
}

std::vector<Sabotage> raft_sabotages() {
  std::vector<Sabotage> all = raft::shared_sabotages("linearizable");
  std::ranges::move(read_sabotages(), std::back_inserter(all));
  std::ranges::sort(all, {}, &Sabotage::name);
  return all;
}

}  // namespace

System kv_system() {
  Mode raft;
  raft.name = "raft";
  raft.summary = "Raft: one leader, a replicated log, reads through ReadIndex.";
  raft.arguments = {"--snapshot-every", "1000"};
  raft.promises = raft_promises();
  raft.sabotages = raft_sabotages();
  raft.election_timeout = raft::kElectionTimeout;
  raft.events = raft::shared_events();
  raft.membership = true;
  raft.tolerance.lied_to = Share::minority;

  System system;
  system.name = "kv";
  system.program = "sunder-kv";
  system.client = "resp";
  system.modes.push_back(kv::available_quorum_mode());
  system.modes.push_back(kv::strict_quorum_mode());
  system.modes.push_back(std::move(raft));
  return system;
}

}  // namespace sunder::nodes
