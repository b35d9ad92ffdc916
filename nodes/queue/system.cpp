// The system definition of sunder-queue: what each of its kinds promises, and the sabotages that
// break the promises.
//
// Pure data. What anything that Raft replicates promises is in nodes/raft/promises.hpp.

#include "nodes/system.hpp"

#include <algorithm>
#include <iterator>

#include "nodes/raft/promises.hpp"

namespace sunder::nodes {
namespace {

// On the nodes' command line, and what the checkers hold them to.
constexpr int kDeliveriesMax = 5;
constexpr int kLengthMax = 48;
constexpr double kRedeliverWithinMs = 1000;

std::vector<Promise> work_promises() {
  std::vector<Promise> all = {
      {.name = "at-least-once",
       .sentence = "Every message whose sending was acknowledged is there until a consumer has "
                   "acknowledged it: nothing is lost.",
       .condition = "always",
       .checker = "at-least-once",
       .source = "Amazon SQS, “At-least-once delivery”"},
      {.name = "no-phantom",
       .sentence = "What is received was sent, once, with this body, and nobody had acknowledged "
                   "it yet.",
       .condition = "always",
       .checker = "no-phantom",
       .source = "Jepsen's total-queue"},
      {.name = "exclusive",
       .sentence =
           "A message is with one consumer at a time: nobody else receives it until it is "
           "given back or its visibility time is over, and only its owner's receipt counts.",
       .condition = "always",
       .checker = "exclusive",
       .source = "Amazon SQS, “Visibility timeout”; Gray & Cheriton 1989"},
      {.name = "redelivered",
       .sentence = "A message that was not acknowledged comes again: a second after its "
                   "visibility time no receive comes back empty-handed.",
       .condition = "after heal",
       .checker = "redelivered",
       .parameters = {{"redeliver_within_ms", kRedeliverWithinMs},
                      {"deliveries_max", kDeliveriesMax}},
       .time_based = true,
       .source = "Amazon SQS, “Visibility timeout”"},
      {.name = "dead-letters",
       .sentence = "A message becomes a dead letter after five deliveries in vain, not earlier and "
                   "not later, and is whole.",
       .condition = "always",
       .checker = "dead-letters",
       .parameters = {{"deliveries_max", kDeliveriesMax}},
       .source = "Amazon SQS, “Dead-letter queues”"},
      {.name = "bounded",
       .sentence = "A queue holds no more than its limit: beyond it -BUSY, below it none, and what "
                   "was accepted stays.",
       .condition = "always",
       .checker = "bounded",
       .parameters = {{"length_max", kLengthMax}},
       .source = "Dean & Barroso, CACM 2013; “Handling Overload”, Site Reliability Engineering"},
      {.name = "durable",
       .sentence = "Every acknowledged message survives kill -9 of all nodes at once: a process "
                   "crash, not a power loss.",
       .condition = "always",
       .checker = "delivery-durability",
       .needs = {"kill"},
       .source = "Ongaro 2014, §3.8"},
      {.name = "durable-power-loss",
       .sentence = "Every acknowledged message survives a loss of power on all nodes at once, when "
                   "whatever was not synced is forgotten: bytes, names and renames.",
       .condition = "always",
       .checker = "delivery-durability",
       .parameters = {{"power_loss", 1}},
       .needs = {"power-loss", "torn-write"},
       .source = "Ongaro 2014, §3.8; Alagappan et al., FAST'18"},
  };
  std::ranges::move(raft::shared_promises(), std::back_inserter(all));
  return all;
}

// The leader is replaced again and again while consumers hold messages.
constexpr auto kLeaderReplaced =
    "kill:leader@2s+500ms,kill:leader@4s+500ms,kill:leader@6s+500ms,kill:leader@8s+500ms";
// A fault that matters little: the load alone shows the bug.
constexpr auto kOneRestarted = "restart:one@2s+300ms";

// Bugs of the machine and of its time.
std::vector<Sabotage> queue_sabotages() {
  return {
      {.name = "accept-then-drop",
       .summary = "A full queue says yes and forgets the message.",
       .breaks = {"bounded", "at-least-once"},
       .faults = kOneRestarted,
       .duration = std::chrono::seconds(6)},
      {.name = "dead-letter-drops-body",
       .summary = "A message that becomes a dead letter loses its body.",
       .breaks = {"dead-letters"},
       .faults = kOneRestarted,
       .duration = std::chrono::seconds(6)},
      {.name = "double-delivery",
       .summary = "Some messages stay ready while a consumer owns them.",
       .breaks = {"exclusive"},
       .faults = kOneRestarted,
       .duration = std::chrono::seconds(6)},
      {.name = "early-dead-letter",
       .summary = "A message is given up one delivery too early.",
       .breaks = {"dead-letters"},
       .faults = kOneRestarted,
       .duration = std::chrono::seconds(6)},
      {.name = "lose-timer-at-failover",
       .summary = "A new leader does not arm the visibility time-outs that stand.",
       .breaks = {"redelivered"},
       .faults = kLeaderReplaced,
       .duration = std::chrono::seconds(10)},
  };
}

// The name by which a queue's sabotage of the quorum is known.
void rename_quorum_sabotage(std::vector<Sabotage>& sabotages) {
  const auto row = std::ranges::find(sabotages, "ack-before-quorum", &Sabotage::name);
  row->name = "ack-before-replicate";
  row->summary = "The leader acknowledges what only its own log holds.";
}

std::vector<Sabotage> work_sabotages() {
  std::vector<Sabotage> all = raft::shared_sabotages("at-least-once");
  rename_quorum_sabotage(all);
  std::ranges::move(queue_sabotages(), std::back_inserter(all));
  // What a numbered command does twice is seen as a message that was sent once and is there twice.
  const auto twice = std::ranges::find(all, "apply-twice", &Sabotage::name);
  twice->breaks = {"no-phantom"};
  std::ranges::sort(all, {}, &Sabotage::name);
  return all;
}

}  // namespace

System queue_system();

System queue_system() {
  Mode work;
  work.name = "queue";
  work.summary = "Work queues over Raft: one consumer at a time, redelivery, dead letters.";
  work.arguments = {"--kind",
                    "work",
                    "--max-deliveries",
                    std::to_string(kDeliveriesMax),
                    "--max-length",
                    std::to_string(kLengthMax),
                    "--snapshot-every",
                    "1000"};
  work.promises = work_promises();
  work.sabotages = work_sabotages();
  work.election_timeout = raft::kElectionTimeout;
  work.events = raft::shared_events();
  work.membership = true;
  work.tolerance.lied_to = Share::minority;

  System system;
  system.name = "queue";
  system.program = "sunder-queue";
  system.client = "resp";
  system.modes.push_back(std::move(work));
  return system;
}

}  // namespace sunder::nodes
