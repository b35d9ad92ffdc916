// The quorum modes of sunder-kv: what each promises, what it gives up as a price, and the sabotages
// that break the promises.
//
// Pure data. `quorum` chooses availability (R = W = 1 of N = 3, sloppy), `quorum-strict` freshness
// (R = W = 2 of N = 3, keepers only).

#include <algorithm>
#include <iterator>
#include <utility>

#include "nodes/kv/modes.hpp"

namespace sunder::nodes::kv {
namespace {

constexpr double kConvergeWithinMs = 3000;
constexpr double kRecoverWithinMs = 5000;

const std::vector<std::string>& clock_families() {
  static const std::vector<std::string> families{
      "clock-drift", "clock-jump", "clock-skew", "clock-strobe"};
  return families;
}

// What both modes promise.
std::vector<Promise> common_promises() {
  return {
      {.name = "no-invented-value",
       .sentence = "Every value that is read was written to that key.",
       .condition = "always",
       .checker = "valid-reads",
       .source = "Lamport 1986, On Interprocess Communication"},
      {.name = "converges",
       .sentence = "Replicas hold the same three seconds after the last write and heal.",
       .condition = "after heal, once nothing is written",
       .checker = "replica-digests",
       .parameters = {{"within_ms", kConvergeWithinMs}},
       .time_based = true,
       .source = "DeCandia et al. 2007, §4.7; Petersen et al. 1997"},
      {.name = "last-write-wins",
       .sentence = "Then all reads agree, on a value that no acknowledged write came after.",
       .condition = "after heal, once nothing is written; while clocks are right",
       .checker = "final-reads",
       .unless = clock_families(),
       .source = "Kulkarni et al. 2014; Vogels 2009, Eventually Consistent"},
      {.name = "recovers",
       .sentence =
           "After the last fault is healed, every client is served again within five seconds.",
       .condition = "after heal",
       .checker = "recovery",
       .parameters = {{"recover_within_ms", kRecoverWithinMs}},
       .needs = {"partition", "kill", "pause", "power-loss", "restart", "torn-write"},
       .time_based = true,
       .source = "DeCandia et al. 2007, §4.6"},
  };
}

// `final_reads`: it is owed only once replicas had time to converge.
std::vector<Promise> durability_promises(double final_reads) {
  return {
      {.name = "durable",
       .sentence = "Every acknowledged write survives kill -9 of all nodes at once: a process "
                   "crash, not a power loss.",
       .condition = final_reads > 0 ? "after heal, once nothing is written" : "always",
       .checker = "durability",
       .model = "register",
       .parameters = {{"final_reads", final_reads}},
       .needs = {"kill"},
       .unless = clock_families(),
       .source = "DeCandia et al. 2007, §5"},
      {.name = "durable-power-loss",
       .sentence = "Every acknowledged write survives a loss of power on all nodes at once, when "
                   "whatever was not synced is forgotten: bytes, names and renames.",
       .condition = final_reads > 0 ? "after heal, once nothing is written" : "always",
       .checker = "durability",
       .model = "register",
       .parameters = {{"power_loss", 1}, {"final_reads", final_reads}},
       .needs = {"power-loss", "torn-write"},
       .unless = clock_families(),
       .source = "Alagappan et al., FAST'18"},
  };
}

Promise linearizable_price() {
  return {
      .name = "linearizable",
      .sentence = "Every operation takes effect at one instant between its call and its return.",
      .condition = "not promised: what quorums of replicas do not give",
      .checker = "linearizable",
      .model = "register",
      .price = true,
      .source = "Herlihy & Wing 1990; Kleppmann 2017, chapter 9"};
}

std::vector<Promise> available_promises() {
  std::vector<Promise> all{
      {.name = "answers-both-sides",
       .sentence = "Every client that reaches a node that works is answered, on every side of a "
                   "partition.",
       .condition = "always",
       .checker = "availability-everywhere",
       .needs = {"partition"},
       .time_based = true,
       .source = "Gilbert & Lynch 2002; DeCandia et al. 2007, §4.6"},
  };
  std::ranges::move(common_promises(), std::back_inserter(all));
  std::ranges::move(durability_promises(1), std::back_inserter(all));
  all.push_back(linearizable_price());
  all.push_back({.name = "no-stale-read",
                 .sentence = "No read finds anything older than a write acknowledged before it.",
                 .condition = "not promised: R + W ≤ N",
                 .checker = "fresh-reads",
                 .price = true,
                 .source = "Bailis et al. 2012, Probabilistically Bounded Staleness"});
  all.push_back(
      {.name = "no-dropped-write",
       .sentence = "No acknowledged write is replaced by one that cannot have known of it.",
       .condition = "not promised: the last write wins",
       .checker = "blind-overwrites",
       .needs = {"partition"},
       .price = true,
       .source = "Kleppmann 2017, chapter 5"});
  return all;
}

std::vector<Promise> strict_promises() {
  std::vector<Promise> all{
      {.name = "no-stale-read",
       .sentence = "No read finds anything older than a write acknowledged before it.",
       .condition = "while clocks are right: R + W > N",
       .checker = "fresh-reads",
       .unless = clock_families(),
       .source = "Gifford 1979; Shao et al. 2011"},
  };
  std::ranges::move(common_promises(), std::back_inserter(all));
  std::ranges::move(durability_promises(0), std::back_inserter(all));
  all.push_back(linearizable_price());
  return all;
}

constexpr auto kAllKilled =
    "kill:all@2s+300ms,kill:all@4s+300ms,kill:all@6s+300ms,kill:all@8s+300ms";
constexpr auto kPowerLost =
    "power-loss:all@2s+300ms,power-loss:all@5s+300ms,power-loss:all@8s+300ms";
// Most keys are still served, by two of their three keepers, and the third is waited for.
constexpr auto kOneCutOff =
    "partition:n1/n2+n3+n4+n5@1s+2s,partition:n3/n1+n2+n4+n5@4s+2s,"
    "partition:n5/n1+n2+n3+n4@7s+2s";
constexpr auto kHalves = "partition:n1+n2/n3+n4+n5@1s+3s,partition:n1+n4/n2+n3+n5@6s+3s";
// Coordinators die after the cut and before they notice it: what they alone have is hinted nowhere.
constexpr auto kCoordinatorsKilled =
    "partition:n1+n2/n3+n4+n5@1s+1s,kill:n1+n2@1120ms+300ms,"
    "partition:n3+n4/n1+n2+n5@4s+1s,kill:n3+n4@4120ms+300ms,"
    "partition:n5+n1/n2+n3+n4@7s+1s,kill:n5+n1@7120ms+300ms";
// The same, more often: such a version spreads from one replica, and reads meet both for a while.
constexpr auto kCoordinatorsKilledOften =
    "partition:n1+n2/n3+n4+n5@1000ms+800ms,kill:n1+n2@1130ms+200ms,"
    "partition:n3+n4/n1+n2+n5@2500ms+800ms,kill:n3+n4@2630ms+200ms,"
    "partition:n5+n1/n2+n3+n4@4000ms+800ms,kill:n5+n1@4130ms+200ms,"
    "partition:n1+n2/n3+n4+n5@5500ms+800ms,kill:n1+n2@5630ms+200ms,"
    "partition:n3+n4/n1+n2+n5@7000ms+800ms,kill:n3+n4@7130ms+200ms,"
    "partition:n5+n1/n2+n3+n4@8500ms+800ms,kill:n5+n1@8630ms+200ms";
// Shorter than it takes to be missed: everybody goes on asking, and is answered late.
constexpr auto kBrieflyPaused =
    "pause:one@500ms+260ms,pause:one@1100ms+260ms,pause:one@1700ms+260ms,"
    "pause:one@2300ms+260ms,pause:one@2900ms+260ms,pause:one@3500ms+260ms,"
    "pause:one@4100ms+260ms,pause:one@4700ms+260ms,pause:one@5300ms+260ms,"
    "pause:one@5900ms+260ms,pause:one@6500ms+260ms,pause:one@7100ms+260ms,"
    "pause:one@7700ms+260ms,pause:one@8300ms+260ms,pause:one@8900ms+260ms";
constexpr auto kTieWithoutOrder =
    "Stamps are coarse and without an order, and of equal ones the later to come wins on each "
    "replica.";
constexpr auto kRepairWithOlder = "A read that finds replicas apart spreads the older version.";
// What a crash leaves half way, or last, is not written again.
constexpr auto kManyCreated = "read=30,write=30,create=40";

// Bugs that both modes show.
std::vector<Sabotage> common_sabotages() {
  return {
      {.name = "ack-before-sync",
       .summary = "A write is acknowledged once it is written, and never synced.",
       .breaks = {"durable-power-loss", "last-write-wins"},
       .faults = kPowerLost,
       .duration = std::chrono::seconds(10),
       .mix = kManyCreated},
      {.name = "ack-from-memory",
       .summary = "A write is acknowledged from memory and reaches the disk a second later.",
       .breaks = {"durable", "last-write-wins"},
       .faults = kAllKilled,
       .duration = std::chrono::seconds(10),
       .mix = kManyCreated},
      {.name = "leak-on-timeout",
       .summary = "A request that waited for a silent replica is never forgotten, and there is "
                  "room for few.",
       .breaks = {"recovers"},
       .faults = kOneCutOff,
       .duration = std::chrono::seconds(10)},
      {.name = "no-exchange",
       .summary = "Replicas never compare what they hold.",
       .breaks = {"converges", "last-write-wins"},
       .faults = kCoordinatorsKilled,
       .duration = std::chrono::seconds(10),
       .mix = kManyCreated},
      {.name = "reuse-request-numbers",
       .summary = "A request takes the lowest free number: a late answer counts for another one.",
       .breaks = {"no-invented-value"},
       .faults = kBrieflyPaused,
       .duration = std::chrono::seconds(10)},
  };
}

std::vector<Sabotage> sorted(std::vector<Sabotage> all) {
  std::ranges::move(common_sabotages(), std::back_inserter(all));
  std::ranges::sort(all, {}, &Sabotage::name);
  return all;
}

std::vector<Sabotage> available_sabotages() {
  return sorted({
      {.name = "drop-hints-on-restart",
       .summary = "Hints are taken for a cache: a restarted node has none.",
       .breaks = {"last-write-wins"},
       .faults = "partition:n1+n2/n3+n4+n5@1s+3s,kill:n1+n2@3500ms+300ms,"
                 "partition:n4+n5/n1+n2+n3@6s+3s,kill:n4+n5@8500ms+300ms",
       .duration = std::chrono::seconds(10),
       .mix = kManyCreated},
      {.name = "need-majority",
       .summary = "A node refuses whatever it cannot do together with a majority of all nodes.",
       .breaks = {"answers-both-sides"},
       .faults = kHalves,
       .duration = std::chrono::seconds(10)},
      // Hints and the next writes undo the harm: few writes, and none of them hinted.
      {.name = "repair-with-older",
       .summary = kRepairWithOlder,
       .breaks = {"last-write-wins"},
       .faults = kCoordinatorsKilledOften,
       .duration = std::chrono::seconds(10),
       .keys = 1000,
       .rate = 3000,
       .mix = "read=90,write=10"},
      {.name = "tie-without-order",
       .summary = kTieWithoutOrder,
       .breaks = {"converges", "last-write-wins"},
       .faults = "partition:n1+n2/n3+n4+n5@1s+3s,partition:n1+n4/n2+n3+n5@6s+3500ms",
       .duration = std::chrono::seconds(10),
       .keys = 4000,
       .rate = 1000},
  });
}

std::vector<Sabotage> strict_sabotages() {
  return sorted({
      {.name = "ack-below-w",
       .summary = "One acknowledgement less than W is taken for enough.",
       .breaks = {"no-stale-read", "last-write-wins"},
       .faults = kHalves,
       .duration = std::chrono::seconds(10)},
      {.name = "no-reconnect",
       .summary = "A connection to a peer that was lost is never made again.",
       .breaks = {"recovers", "converges"},
       .faults = "partition:n1+n2/n3+n4+n5@1s+1500ms",
       .duration = std::chrono::seconds(4)},
      {.name = "repair-with-older",
       .summary = kRepairWithOlder,
       .breaks = {"no-stale-read", "last-write-wins"},
       .faults = kHalves,
       .duration = std::chrono::seconds(10),
       .keys = 512},
      // Only one side takes a write: a hint comes after what was written since, shortly before the
      // end of the load.
      {.name = "tie-without-order",
       .summary = kTieWithoutOrder,
       .breaks = {"converges", "last-write-wins"},
       .faults = "partition:n1/n2+n3+n4+n5@3s+1s,partition:n3/n1+n2+n4+n5@8300ms+1s",
       .duration = std::chrono::seconds(10),
       .keys = 2000,
       .rate = 3000,
       .mix = "read=50,write=50"},
  });
}

// nodes/quorum/core.hpp and exchange.cpp, sorted by name. Counts are of a quarter of a second.
std::vector<ModeEvent> quorum_events() {
  return {
      {"digest", "what it holds in common with each other node has changed"},
      {"exchanged", "it took newer versions from a node with which it compared digests"},
      {"handed-off", "nodes for which it kept hints have taken them"},
      {"hinted",
       "it keeps versions as hints for nodes that were silent",
       true,
       "partition:halves@0s+600ms"},
      {"recovered", "it has read its durable state and begins", true, "kill:one@0s+100ms"},
      {"repaired", "reads found keepers behind, and it sent them what they lack"},
  };
}

Mode quorum_mode(std::string name, std::string summary) {
  Mode mode;
  mode.name = std::move(name);
  mode.summary = std::move(summary);
  mode.arguments = {"--replicas", "3"};
  // Nothing is elected; what checkers count in time-outs is how long a silent node is waited for.
  mode.election_timeout = std::chrono::milliseconds(300);
  mode.events = quorum_events();
  mode.sessions = false;
  return mode;
}

}  // namespace

Mode available_quorum_mode() {
  Mode mode = quorum_mode(
      "quorum",
      "Dynamo-style, choosing availability: R = W = 1 of N = 3, sloppy quorums, hints, the last "
      "write wins.");
  mode.promises = available_promises();
  mode.sabotages = available_sabotages();
  // One copy is enough for an acknowledgement, and goes with its node.
  mode.tolerance.ended = Share::none;
  return mode;
}

Mode strict_quorum_mode() {
  Mode mode = quorum_mode("quorum-strict",
                          "Dynamo-style, choosing freshness: R = W = 2 of N = 3, strict quorums, "
                          "the last write wins.");
  mode.promises = strict_promises();
  mode.sabotages = strict_sabotages();
  mode.tolerance.ended = Share::one;
  return mode;
}

}  // namespace sunder::nodes::kv
