// The system definition of sunder-saga: what it promises, and the sabotages that break the
// promises.
//
// Pure data. `initial` of the promises is what the roles' arguments say.

#include "nodes/system.hpp"

namespace sunder::nodes {
namespace {

// Units of each item, and credit of each account.
constexpr double kStock = 60;
constexpr double kCredit = 700;
constexpr double kEndsWithinMs = 10'000;
constexpr double kRecoverWithinMs = 5000;

constexpr auto kSource = "Garcia-Molina & Salem, Sagas, SIGMOD 1987";

std::vector<Role> saga_roles() {
  return {{.name = "order", .arguments = {"--role", "order"}, .serves_clients = true},
          {.name = "inventory", .arguments = {"--role", "inventory", "--initial", "60"}},
          {.name = "payment", .arguments = {"--role", "payment", "--initial", "700"}},
          {.name = "shipment", .arguments = {"--role", "shipment", "--refuse", "closed"}}};
}

const std::vector<std::string>& faults_of_processes_and_links() {
  static const std::vector<std::string> families{
      "partition", "kill", "pause", "restart", "power-loss", "torn-write"};
  return families;
}

std::vector<Promise> effects_promises() {
  return {
      {.name = "all-or-nothing",
       .sentence = "Every saga that ended has all of its effects, or none that was not undone.",
       .condition = "always",
       .checker = "saga-all-or-nothing",
       .source = kSource},
      {.name = "once",
       .sentence = "Each step and each compensation takes effect at most once, however often it "
                   "is asked for.",
       .condition = "always",
       .checker = "saga-once",
       .needs = faults_of_processes_and_links(),
       .source = "Helland, Life beyond Distributed Transactions, CIDR 2007"},
      {.name = "conserved",
       .sentence = "What is left and what was sold make what there was: goods and money.",
       .condition = "always",
       .checker = "saga-conserved",
       .parameters = {{"stock", kStock}, {"credit", kCredit}},
       .source = kSource},
      {.name = "no-oversell",
       .sentence = "Never are more goods promised, or more money taken, than there is.",
       .condition = "always",
       .checker = "saga-no-oversell",
       .parameters = {{"stock", kStock}, {"credit", kCredit}},
       .source = kSource},
      {.name = "no-orphans",
       .sentence = "No effect is without its saga, and no step takes effect after it was undone.",
       .condition = "always",
       .checker = "saga-no-orphans",
       .needs = faults_of_processes_and_links(),
       .source = kSource},
  };
}

std::vector<Promise> saga_promises() {
  std::vector<Promise> promises = effects_promises();
  const std::vector<Promise> told = {
      {.name = "answers-true",
       .sentence = "What a client is told of its order is what happened, and stays so.",
       .condition = "always",
       .checker = "saga-answers-true",
       .source = kSource},
      {.name = "ends-in-time",
       .sentence =
           "Every saga ends within ten seconds after it began or after the last fault is healed.",
       .condition = "after heal",
       .checker = "saga-ends-in-time",
       .parameters = {{"ends_within_ms", kEndsWithinMs}},
       .needs = faults_of_processes_and_links(),
       .time_based = true,
       .source = kSource},
      {.name = "durable",
       .sentence = "Every order that was answered survives kill -9 of all services at once: a "
                   "process crash, not a power loss.",
       .condition = "always",
       .checker = "saga-durable",
       .needs = {"kill"},
       .source = "Gray & Reuter 1993, chapter 9"},
      {.name = "durable-power-loss",
       .sentence =
           "Every order that was answered survives a loss of power on all services at once, "
           "when whatever was not synced is forgotten.",
       .condition = "always",
       .checker = "saga-durable",
       .parameters = {{"power_loss", 1}},
       .needs = {"power-loss", "torn-write"},
       .source = "Gray & Reuter 1993, chapter 9"},
      {.name = "recovers",
       .sentence =
           "After the last fault is healed, every client is served again within five seconds.",
       .condition = "after heal",
       .checker = "recovery",
       .parameters = {{"recover_within_ms", kRecoverWithinMs}},
       .needs = faults_of_processes_and_links(),
       .time_based = true,
       .source = kSource},
  };
  promises.insert(promises.end(), told.begin(), told.end());
  return promises;
}

// Whoever charges sleeps, so that all orders go back; when the refunds are answered, whoever must
// release sleeps, and is asked again and again.
constexpr auto kUndoAskedAgain =
    "pause:payment@1s+1200ms,pause:inventory@2100ms+900ms,"
    "pause:payment@5s+1200ms,pause:inventory@6100ms+900ms";
// Its replies are lost while it hears requests, and then it forgets.
constexpr auto kDiesUnheard =
    "partition:inventory>order@1s+450ms,kill:inventory@1150ms+100ms,"
    "partition:payment>order@4s+450ms,kill:payment@4150ms+100ms,"
    "partition:inventory>order@7s+450ms,kill:inventory@7150ms+100ms";
// Asleep for longer than a step may take, it finds step and undo in its socket when it wakes.
constexpr auto kAsleep =
    "pause:inventory@1s+900ms,pause:payment@4s+900ms,pause:shipment@7s+900ms,"
    "pause:inventory@10s+900ms";
constexpr auto kOrderKilled =
    "kill:order@1s+200ms,kill:order@3s+200ms,kill:order@5s+200ms,kill:order@7s+200ms,"
    "kill:order@9s+200ms";
constexpr auto kAllKilled =
    "kill:all@1s+500ms,kill:all@4s+500ms,kill:all@7s+500ms,kill:all@10s+500ms";
constexpr auto kPowerLost =
    "power-loss:all@2s+300ms,power-loss:all@5s+300ms,power-loss:all@8s+300ms";
constexpr auto kCutOff = "partition:inventory@1s+1s";

// Sorted by name.
std::vector<Sabotage> saga_sabotages() {
  const std::chrono::seconds usual(13);
  return {
      {.name = "ack-before-save",
       .summary = "A service answers a step at once and saves what it did twice a second.",
       .breaks = {"durable", "all-or-nothing", "conserved"},
       .faults = kAllKilled,
       .duration = usual},
      {.name = "ack-before-sync",
       .summary = "What is saved is written, and never synced.",
       .breaks = {"durable-power-loss"},
       .faults = kPowerLost,
       .duration = usual},
      {.name = "dedup-lost-at-restart",
       .summary = "Idempotency keys are kept in memory only: a step asked again after a restart is "
                  "done again.",
       .breaks = {"all-or-nothing", "conserved", "once"},
       .faults = kDiesUnheard,
       .duration = usual},
      {.name = "forget-late-step",
       .summary = "The undo of a step that was never seen leaves no trace: the step takes effect "
                  "when it comes late.",
       .breaks = {"no-orphans", "all-or-nothing", "conserved"},
       .faults = kAsleep,
       .duration = usual},
      {.name = "log-after-send",
       .summary =
           "A saga is logged when its first answer comes, not before its first step is sent.",
       .breaks = {"no-orphans", "all-or-nothing", "conserved"},
       .faults = kOrderKilled,
       .duration = usual},
      {.name = "no-reconnect",
       .summary = "A connection to another service that was lost is never made again.",
       .breaks = {"recovers", "ends-in-time"},
       .faults = kCutOff,
       .duration = std::chrono::seconds(4)},
      {.name = "skip-undo-on-timeout",
       .summary = "A step that was not answered in time counts as not done, and is not undone.",
       .breaks = {"all-or-nothing", "answers-true", "conserved"},
       .faults = kAsleep,
       .duration = usual},
      {.name = "undo-twice",
       .summary = "An undo that is asked for again is done again.",
       .breaks = {"once", "conserved", "no-oversell"},
       .faults = kUndoAskedAgain,
       .duration = usual},
  };
}

// nodes/saga/orchestrator.hpp, sorted by name. Told a few times a second each.
std::vector<ModeEvent> saga_events() {
  return {
      {"compensated", "an undo was answered", true},
      {"compensating", "the undo of a step is logged and asked for", true},
      {"recovered", "it has read its durable state and begins", true, "kill:one@0s+100ms"},
      {"saga-began", "an order was placed", true},
      {"saga-ended", "a saga ended, done or undone", true},
      {"saga-logged", "a change of a saga is on disk", true},
      {"saga-resumed", "after a restart it goes on with a saga", true, "kill:order@0s+100ms"},
      {"step-done", "a step was answered", true},
      {"step-sent", "a step is logged and asked for", true},
  };
}

}  // namespace

System saga_system() {
  Mode saga;
  saga.name = "saga";
  saga.summary = "An order as a saga that one service leads: steps, compensations, a durable log.";
  saga.arguments = {"--style", "orchestrated"};
  saga.promises = saga_promises();
  saga.sabotages = saga_sabotages();
  saga.events = saga_events();
  saga.roles = saga_roles();
  // Nothing is replicated: a service that never comes back leaves its sagas open.
  saga.tolerance.ended = Share::none;

  System system;
  system.name = "saga";
  system.program = "sunder-saga";
  system.client = "resp";
  system.modes.push_back(std::move(saga));
  return system;
}

}  // namespace sunder::nodes
