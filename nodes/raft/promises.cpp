#include "nodes/raft/promises.hpp"

#include <algorithm>
#include <iterator>

namespace sunder::nodes::raft {
namespace {

constexpr double kRecoverWithinMs = 5000;
constexpr double kElectionTimeoutMs = kElectionTimeout.count();

constexpr auto kPowerLost =
    "power-loss:all@2s+300ms,power-loss:all@5s+300ms,power-loss:all@8s+300ms";
// Bits that are wrong on the disk from then on; each node is killed afterwards and reads them.
constexpr auto kBitsFlipped =
    "bit-flip:all@1s+1500ms;rate=20%,bit-flip:all@5s+1500ms;rate=20%,"
    "bit-flip:all@9s+1500ms;rate=20%";
constexpr auto kAllKilled =
    "kill:all@3s+500ms,kill:all@7s+500ms,kill:all@11s+500ms,kill:all@15s+500ms,kill:all@19s+500ms";

// Each round loses the connections of one node more, until no majority is left that is connected.
constexpr auto kLeadersLost =
    "partition:leader@2s+1s,partition:leader@5s+1s,partition:leader@8s+1s";
// Everybody dies as soon as somebody campaigns, before the new term is in any log: its votes are
// forgotten and given again.
constexpr auto kVotersKilled =
    "kill:leader@1s+100ms,kill:all@became-candidate+100ms;after=1s,"
    "kill:leader@3s+100ms,kill:all@became-candidate+100ms;after=3s,"
    "kill:leader@5s+100ms,kill:all@became-candidate+100ms;after=5s,"
    "kill:leader@7s+100ms,kill:all@became-candidate+100ms;after=7s,"
    "kill:leader@9s+100ms,kill:all@became-candidate+100ms;after=9s,"
    "kill:leader@11s+100ms,kill:all@became-candidate+100ms;after=11s";
// A leader sleeps through the election of its successor, while commands of its clients and of its
// followers' clients wait in its sockets. Deaf to the other nodes from before the election until a
// while after it wakes, it does not hear that it was deposed, and sends those commands as entries
// of its old term. At a low rate: a follower must not have put those positions into a snapshot by
// then.
constexpr auto kLeaderAsleep =
    "pause:leader@1s+900ms,partition:leader-deaf@1120ms+1080ms,"
    "pause:leader@4s+900ms,partition:leader-deaf@4120ms+1080ms,"
    "pause:leader@7s+900ms,partition:leader-deaf@7120ms+1080ms,"
    "pause:leader@10s+900ms,partition:leader-deaf@10120ms+1080ms";

// A leader that is cut off with a minority is told, before it notices, to remove whom it cannot
// reach.
constexpr auto kUnreachableRemoved =
    "partition:leader-minority@1s+2500ms,membership:remove-unreachable@1040ms+2s,"
    "membership:replace@4500ms+1s,"
    "partition:leader-minority@6500ms+2s,membership:remove-unreachable@6540ms+1500ms";

// Bugs of the storage, seen only by a disk that forgets or lies.
std::vector<Sabotage> storage_sabotages(const std::string& consistency) {
  return {
      {.name = "ack-before-sync",
       .summary = "A write is acknowledged once it is written to the log, which is never synced.",
       .breaks = {"durable-power-loss"},
       .faults = kPowerLost,
       .duration = std::chrono::seconds(10)},
      {.name = "no-directory-sync",
       .summary =
           "The directory of the database is made and never synced: its name is not durable.",
       .breaks = {"durable-power-loss"},
       .faults = kPowerLost,
       .duration = std::chrono::seconds(10)},
      {.name = "trust-checksum-less-log",
       .summary = "The log has no checksums, and is believed as it is read.",
       .breaks = {"raft-invariants", consistency},
       .faults = kBitsFlipped,
       .duration = std::chrono::seconds(12)},
  };
}

// Bugs of the protocol.
std::vector<Sabotage> protocol_sabotages(const std::string& consistency) {
  return {
      {.name = "ack-before-append",
       .summary = "The leader answers a write before its log holds it.",
       .breaks = {"durable"},
       .faults = kAllKilled,
       .duration = std::chrono::seconds(24)},
      {.name = "ack-before-quorum",
       .summary = "The leader takes its own append for a commit.",
       .breaks = {consistency, "minority-refuses"},
       .faults = kLeaderCut,
       .duration = std::chrono::seconds(24)},
      {.name = "commit-old-term",
       .summary = "Entries of older terms are committed by counting replicas, without a no-op.",
       .breaks = {"raft-invariants"},
       .faults = "kill:leader@1s+300ms,kill:leader@3s+300ms,kill:leader@5s+300ms,"
                 "kill:leader@7s+300ms,kill:leader@9s+300ms",
       .duration = std::chrono::seconds(11)},
      {.name = "ignore-term",
       .summary = "A follower accepts entries from leaders of older terms.",
       .breaks = {"raft-invariants"},
       .faults = kLeaderAsleep,
       .duration = std::chrono::seconds(13),
       .rate = 300},
      {.name = "skip-config-commit",
       .summary = "The leader begins the next change of members before the last is committed.",
       .breaks = {"membership-safe", consistency, "raft-invariants"},
       .faults = kUnreachableRemoved,
       .duration = std::chrono::seconds(9),
       .keys = 8},
      {.name = "vote-twice",
       .summary = "Term and vote are kept in memory only: a restarted node votes again in the same "
                  "term.",
       .breaks = {"raft-invariants"},
       .faults = kVotersKilled,
       .duration = std::chrono::seconds(14)},
      {.name = "wait-for-all",
       .summary = "The leader commits only what every node has, not what a majority has.",
       .breaks = {"available"},
       .faults = "partition:leader@2s+9s",
       .duration = std::chrono::seconds(14)},
  };
}

// Bugs around it: sessions, snapshots, connections.
std::vector<Sabotage> node_sabotages(const std::string& consistency) {
  return {
      {.name = "apply-twice",
       .summary = "No client sessions: a retry of an operation is applied again.",
       .breaks = {consistency},
       .faults = "partition:leader@3s+3s,kill:leader@9s+1s",
       .duration = std::chrono::seconds(15),
       .keys = 8},
      {.name = "lose-snapshot-tail",
       .summary = "Snapshots miss the effects of the last entries that they claim to include.",
       .breaks = {"durable"},
       .faults = kAllKilled,
       .duration = std::chrono::seconds(24),
       .keys = 512},
      {.name = "no-reconnect",
       .summary = "A connection to a peer that was lost is never made again.",
       .breaks = {"recovers"},
       .faults = kLeadersLost,
       .duration = std::chrono::seconds(11),
       .keys = 4},
  };
}

}  // namespace

std::vector<Promise> shared_promises() {
  return {
      {.name = "raft-invariants",
       .sentence = "One leader per term; equal positions hold equal logs; a leader holds every "
                   "committed entry; "
                   "all nodes apply the same entry at the same index.",
       .condition = "always",
       .checker = "replicated-log",
       .source = "Ongaro 2014, figure 3.2"},
      {.name = "membership-safe",
       .sentence =
           "Whoever the members are, one majority decides: they change one at a time, and a "
           "majority of those in force holds whatever is committed.",
       .condition = "while nodes are added, removed and replaced",
       .checker = "membership",
       .needs = {"membership"},
       .source = "Ongaro 2014, chapter 4"},
      {.name = "available",
       .sentence = "Clients that reach a connected majority are answered.",
       .condition = "while one majority is fully connected and stable for ten election time-outs",
       .checker = "availability",
       .parameters = {{"election_timeout_ms", kElectionTimeoutMs}},
       .time_based = true,
       .source = "Ongaro 2014, §3.9 and §9.6"},
      {.name = "minority-refuses",
       .sentence =
           "Nothing invoked on the minority side after the cut stands is acknowledged there.",
       .condition = "on the minority side of a partition",
       .checker = "minority-refuses",
       .needs = {"partition"},
       .source = "Gilbert & Lynch 2002; Ongaro 2014, §6.4"},
      {.name = "recovers",
       .sentence =
           "After the last fault is healed, every client is served again within five seconds.",
       .condition = "after heal",
       .checker = "recovery",
       .parameters = {{"recover_within_ms", kRecoverWithinMs},
                      {"election_timeout_ms", kElectionTimeoutMs}},
       .needs = {"partition", "kill", "pause", "membership", "power-loss", "restart", "torn-write"},
       .time_based = true,
       .source = "Ongaro 2014, §9"},
  };
}

std::vector<Sabotage> shared_sabotages(const std::string& consistency) {
  std::vector<Sabotage> all = protocol_sabotages(consistency);
  std::ranges::move(node_sabotages(consistency), std::back_inserter(all));
  std::ranges::move(storage_sabotages(consistency), std::back_inserter(all));
  std::ranges::sort(all, {}, &Sabotage::name);
  return all;
}

// nodes/raft/event.hpp, sorted by name.
std::vector<ModeEvent> shared_events() {
  return {
      {"applied", "committed entries were applied"},
      {"appended", "entries were appended to the log", true},
      {"became-candidate", "it campaigns", true, "pause:leader@0s+600ms"},
      {"became-follower", "it follows another node or a newer term"},
      {"became-leader", "it won an election", true, "pause:leader@0s+600ms"},
      {"committed", "it learned that more of the log is committed", true},
      {"configuration-changed", "another set of members is in force in its log"},
      {"configuration-committed", "it learned that a change of members is committed"},
      {"recovered",
       "it has read its durable state and begins: the first of every incarnation",
       true,
       "kill:one@0s+100ms"},
      // Down for longer than the leader keeps what it needs.
      {"snapshot-installed",
       "it replaced its state by a snapshot of the leader's",
       true,
       "kill:one@0s+1400ms"},
      {"snapshot-started", "it begins to take a snapshot of its state", true},
      {"snapshot-taken", "it has taken a snapshot of its state"},
      // A leader without a majority goes on appending, and learns better when it is back.
      {"truncated",
       "entries that contradict the leader's are gone from its log",
       true,
       "partition:leader-minority@0s+1200ms"},
      {"vote-granted", "it gave its vote", true, "pause:leader@0s+600ms"},
  };
}

}  // namespace sunder::nodes::raft
