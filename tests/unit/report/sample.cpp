#include "tests/unit/report/sample.hpp"

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/random.hpp"

namespace sunder::report::testing {
namespace {

using checkers::VerdictKind;
using history::FaultRecord;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;

FaultRecord fault(
    std::uint32_t id, std::string family, std::string shape, std::int64_t begin, std::int64_t end) {
  FaultRecord record;
  record.id = id;
  record.family = std::move(family);
  record.shape = std::move(shape);
  record.requested = begin - 2 * kMillisecond;
  record.applying = {.begin = begin - kMillisecond, .end = begin};
  record.active = {.begin = begin, .end = end};
  record.healed = end + 3 * kMillisecond;
  record.exercised = true;
  return record;
}

std::vector<FaultRecord> sample_faults() {
  FaultRecord halves = fault(1, "partition", "halves", 4 * kSecond, 8 * kSecond);
  halves.description = "partition halves: n1,n2 | n3,n4,n5";
  halves.targets = {"n1", "n2"};
  halves.evidence = {
      {"packets dropped", 2314, "packets"}, {"links cut", 12, "links"}, {"installed", 0.97, "ms"}};
  FaultRecord kill = fault(2, "kill", "leader", 11 * kSecond, 13 * kSecond);
  kill.description = "kill leader: n3, restarted after 2 s";
  kill.targets = {"n3"};
  kill.disabled_nodes = {"n3"};
  kill.evidence = {{"processes ended", 1, ""}, {"operations in flight", 7, "operations"}};
  FaultRecord pause = fault(3, "pause", "one", 15 * kSecond, 17 * kSecond);
  pause.description = "pause one: n2";
  pause.targets = {"n2"};
  pause.disabled_nodes = {"n2"};
  pause.evidence = {{"threads stopped", 14, "threads"}};
  FaultRecord leader = fault(4, "partition", "leader", 16 * kSecond, 20 * kSecond);
  leader.description = "partition leader: n4 | n1,n2,n3,n5";
  leader.targets = {"n4"};
  leader.evidence = {{"packets dropped", 1180, "packets"}, {"links cut", 8, "links"}};
  FaultRecord idle = fault(5, "kill", "one", 21 * kSecond, 22 * kSecond);
  idle.description = "kill one: n5";
  idle.targets = {"n5"};
  idle.disabled_nodes = {"n5"};
  idle.exercised = false;
  idle.reason = "no operation overlapped the crash";
  FaultRecord flapping = fault(6, "partition", "ring", 23 * kSecond, 25 * kSecond);
  flapping.description = "partition ring of majorities, flapping every 250 ms";
  for (std::int64_t begin = 23 * kSecond; begin < 25 * kSecond; begin += kSecond / 2) {
    flapping.standing.push_back({begin, begin + kSecond / 4});
  }
  flapping.evidence = {{"packets dropped", 311, "packets"}, {"flaps", 4, ""}};
  return {halves, kill, pause, leader, idle, flapping};
}

void lead(history::RunContext& context,
          std::string node,
          std::int64_t term,
          std::int64_t begin,
          std::int64_t end) {
  history::NodeEvent event;
  event.node = std::move(node);
  event.time = begin;
  event.event = "became-leader";
  event.numbers = {{"term", term}};
  context.events.push_back(event);
  event.time = end;
  event.event = "became-follower";
  if (end > 0) context.events.push_back(event);
}

history::RunContext sample_context() {
  history::RunContext context;
  context.nodes = {"n1", "n2", "n3", "n4", "n5"};
  context.phases = {{"set up", {0, 900 * kMillisecond}},
                    {"warm up", {900 * kMillisecond, 1500 * kMillisecond}},
                    {"load", {1500 * kMillisecond, 26 * kSecond}},
                    {"heal", {26 * kSecond, 26 * kSecond + 40 * kMillisecond}},
                    {"settle", {26 * kSecond + 40 * kMillisecond, 28 * kSecond}},
                    {"final reads", {28 * kSecond, 29 * kSecond}},
                    {"tear down", {29 * kSecond, 29 * kSecond + 500 * kMillisecond}}};
  context.faults = sample_faults();
  lead(context, "n1", 2, kSecond, 4600 * kMillisecond);
  lead(context, "n3", 3, 4450 * kMillisecond, 0);
  lead(context, "n4", 4, 11'400 * kMillisecond, 16'650 * kMillisecond);
  lead(context, "n1", 6, 16'420 * kMillisecond, 0);
  return context;
}

bool disturbed(std::int64_t time) noexcept {
  const auto in = [&](std::int64_t begin, std::int64_t end) {
    return time >= begin * kMillisecond && time < end * kMillisecond;
  };
  return in(4000, 4450) || in(11'000, 11'400) || in(16'000, 16'420);
}

// Clients that call one after another, slower and without answers where a fault bites.
void add_operations(HistoryBuilder& builder) {
  base::Random random(7);
  auto& pool = builder.pool();
  for (std::int64_t client = 0; client < 10; ++client) {
    std::int64_t process = client;
    std::int64_t time = 1500 * kMillisecond + random.between(0, 9) * kMillisecond;
    while (time < 26 * kSecond) {
      Operation operation;
      operation.process = process;
      operation.key = pool.symbol(fmt::format("k{}", random.below(64)));
      const bool write = random.chance(0.5);
      operation.function_name = pool.symbol(write ? "write" : "read");
      operation.function = write ? history::Function::write : history::Function::read;
      operation.node = pool.symbol(fmt::format("n{}", random.between(1, 5)));
      (write ? operation.input : operation.output) = Value::integer(random.between(1, 100'000));
      auto latency = static_cast<std::int64_t>(random.exponential(12e6)) + 3 * kMillisecond;
      operation.outcome = Outcome::ok;
      if (disturbed(time)) {
        latency = random.between(250, 1200) * kMillisecond;
        operation.outcome = random.chance(0.4)   ? Outcome::info
                            : random.chance(0.3) ? Outcome::fail
                                                 : Outcome::ok;
      }
      if (operation.outcome == Outcome::info) process += 10;
      operation.invoke_time = time;
      operation.complete_time = time + latency;
      operation.invoke = operation.invoke_time;
      operation.complete =
          operation.outcome == Outcome::info ? history::kNever : operation.complete_time;
      builder.add(operation);
      time += latency + random.between(1, 4) * kMillisecond;
    }
  }
}

PromiseResult promise(std::string name,
                      VerdictKind kind,
                      std::string sentence,
                      std::string summary) {
  PromiseResult result;
  result.name = std::move(name);
  result.sentence = std::move(sentence);
  result.condition = "always";
  result.checker = result.name;
  result.verdict.kind = kind;
  result.verdict.summary = std::move(summary);
  return result;
}

std::vector<PromiseResult> sample_promises() {
  PromiseResult linearizable =
      promise("linearizable",
              VerdictKind::kept,
              "Every operation takes effect at one instant between its call and its return.",
              "9,412 operations on 64 keys have a legal order.");
  linearizable.source = "Herlihy & Wing 1990";
  linearizable.verdict.measurements = {
      {"operations", 9412, ""}, {"keys", 64, ""}, {"search time", 18.4, "ms"}};
  PromiseResult available =
      promise("available-majority",
              VerdictKind::kept,
              "The side that holds a majority keeps answering.",
              "99.2 % of 3,120 operations on the majority side were ok; longest gap 431 ms.");
  available.condition =
      "while one majority is fully connected and stable for ten election time-outs";
  available.checker = "availability";
  available.verdict.measurements = {
      {"ok share", 99.2, "%"}, {"longest gap", 431, "ms"}, {"p99", 88.5, "ms"}};
  available.verdict.details = {"load, majority side n3,n4,n5: 99.2 % of 3,120 ok",
                               "load, minority side n1,n2: 0 % of 84 ok, as it must be"};
  PromiseResult recovers = promise("recovers",
                                   VerdictKind::undetermined,
                                   "After heal every operation succeeds again within 5 s.",
                                   "The host was overloaded for 1.2 s after the heal.");
  recovers.condition = "after heal";
  PromiseResult minority =
      promise("minority-refuses",
              VerdictKind::not_exercised,
              "Nothing invoked on the minority side is acknowledged there.",
              "No operation was invoked on the minority side while the cut stood.");
  minority.condition = "on the minority side, after the cut stands";
  PromiseResult durable = promise("durable-kill-all",
                                  VerdictKind::not_applicable,
                                  "Every acknowledged write survives kill −9 of all nodes at once.",
                                  "No fault of the family kill-all was requested.");
  durable.condition = "after a process crash of all nodes";
  return {linearizable, available, recovers, minority, durable};
}

RunReport sample_report() {
  RunReport report;
  report.scenario = "raft/register";
  report.seed = 7;
  report.started = "2026-01-31T23:59:59Z";
  report.version = "0.1.0";
  report.directory = "runs/20260131T235959Z-raft-register-7";
  report.replay = "sunder replay runs/20260131T235959Z-raft-register-7";
  report.inputs = {{"nodes", "5"},
                   {"clients", "10"},
                   {"duration", "25s"},
                   {"faults", "partition,kill,pause,clock"},
                   {"kernel", "host"}};
  report.host = {{"kernel", "6.18.0"}, {"cores", "2"}, {"memory", "24 GiB"}, {"user", "root"}};
  report.skipped = {{"clock", "this kernel has no time namespaces"}};
  report.promises = sample_promises();
  report.context = sample_context();
  return report;
}

// A value, its overwriting, and a read that still sees the old one; with what other clients did
// meanwhile.
checkers::Counterexample add_stale_read(HistoryBuilder& builder) {
  struct Row {
    std::int64_t process;
    bool write;
    std::int64_t value;
    std::int64_t begin_ms;
    std::int64_t end_ms;  // 0: never
    const char* node;
    bool core;
    const char* note;
  };

  const std::vector<Row> rows{
      {3, true, 41, 15'620, 15'634, "n4", false, ""},
      {7, false, 41, 15'700, 15'709, "n4", false, ""},
      {3, true, 42, 16'105, 16'121, "n4", true, "the value that is read later"},
      {7, false, 42, 16'180, 16'190, "n1", false, ""},
      {1, true, 43, 16'440, 16'471, "n1", true, "overwrites it, acknowledged"},
      {5, true, 44, 16'452, 0, "n4", false, "never answered"},
      {7, false, 43, 16'478, 16'488, "n1", false, ""},
      {2, false, 42, 16'502, 16'509, "n4", true, "reads the older value"},
      {8, false, 43, 16'530, 16'546, "n1", false, ""},
      {1, true, 45, 16'560, 16'590, "n1", false, ""},
  };
  auto& pool = builder.pool();
  for (const Row& row : rows) {
    Operation operation;
    operation.process = row.process + 900;
    operation.key = pool.symbol("x");
    operation.function_name = pool.symbol(row.write ? "write" : "read");
    operation.function = row.write ? history::Function::write : history::Function::read;
    operation.node = pool.symbol(row.node);
    (row.write ? operation.input : operation.output) = Value::integer(row.value);
    operation.outcome = row.end_ms == 0 ? Outcome::info : Outcome::ok;
    operation.invoke_time = row.begin_ms * kMillisecond;
    operation.complete_time = (row.end_ms == 0 ? row.begin_ms + 2000 : row.end_ms) * kMillisecond;
    operation.invoke = operation.invoke_time;
    operation.complete = row.end_ms == 0 ? history::kNever : operation.complete_time;
    builder.add(operation);
  }
  checkers::Counterexample example;
  example.title = "stale read";
  example.key = "x";
  example.why =
      "p902 read 42 from n4 at 16.502 s, but p901's write of 43 had been acknowledged by n1 at "
      "16.471 s, 31 ms "
      "before the read began: n4 was cut off and no longer the leader.";
  for (const Row& row : rows)
    example.items.push_back({.operation = 0, .core = row.core, .note = row.note});
  return example;
}

// finish() sorts: finds the operations of key x again.
void locate(const history::History& history, checkers::Counterexample& example) {
  std::size_t next = 0;
  const history::Symbol key = history.pool().find_symbol("x");
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    if (history.operations()[i].key != key) continue;
    if (example.items[next].note == "reads the older value") example.first_error = i;
    example.items[next++].operation = i;
  }
  SUNDER_ASSERT(next == example.items.size());
}

// One of each kind, as a queue and a saga would give them.
std::vector<checkers::Figure> sample_figures() {
  using checkers::Mark;
  const checkers::Bars fates{"messages",
                             {{"delivered once", 1741, Mark::good},
                              {"delivered again", 96, Mark::doubtful},
                              {"dead-lettered", 12},
                              {"lost", 1, Mark::bad}}};
  checkers::Lines lag{"seconds since the start", "messages waiting", true, {{"jobs"}, {"mail"}}};
  for (int i = 0; i <= 300; ++i) {
    lag.series[0].points.emplace_back(i / 10.0, (i * 7) % 40 + (i > 40 && i < 80 ? i * 3 : 0));
    lag.series[1].points.emplace_back(i / 10.0, (i * 3) % 25);
  }
  const checkers::Flow paths{{{"began", 400},
                              {"reserved", 395},
                              {"paid", 360},
                              {"shipped", 310, Mark::good},
                              {"compensating", 90, Mark::doubtful},
                              {"undone", 90, Mark::bad}},
                             {{0, 1, "reserve", 395},
                              {0, 4, "out of stock", 5},
                              {1, 2, "charge", 360},
                              {1, 4, "refused", 35},
                              {2, 3, "ship", 310},
                              {2, 4, "address refused", 50},
                              {4, 4, "again", 17},
                              {4, 5, "release", 90}}};
  const checkers::Gantt saga{{{"order", "log", {10'900'000'000, 10'950'000'000}},
                              {"inventory", "reserve", {10'960'000'000, 11'400'000'000}},
                              {"payment", "charge", {11'500'000'000, 11'900'000'000}},
                              {"shipment", "refused", {12'000'000'000, 12'100'000'000}, Mark::bad},
                              {"payment", "refund", {12'200'000'000, 12'500'000'000}},
                              {"inventory", "release", {12'300'000'000, 13'300'000'000}}}};
  const checkers::Table worst{{"message", "deliveries", "waited"},
                              {{"m-311", "5", "8.2 s"}, {"m-7", "4", "6.1 s"}}};
  return {{"Delivery", "What became of the messages", "", fates},
          {"Delivery", "How many wait", "Faults are shaded.", lag},
          {"Delivery", "Those that waited longest", "", worst},
          {"Sagas", "The ways sagas went", "", paths},
          {"Sagas", "The saga that took longest", "Saga 17.", saga}};
}

}  // namespace

Sample healthy_sample() {
  Sample sample;
  HistoryBuilder builder;
  add_operations(builder);
  sample.history = builder.finish();
  sample.report = sample_report();
  for (PromiseResult& result : sample.report.promises) {
    if (result.verdict.kind == VerdictKind::not_applicable) continue;
    result.verdict.kind = VerdictKind::kept;
  }
  sample.report.promises[2].verdict.summary =
      "The first ok came 212 ms after the heal, all keys within 1.1 s.";
  sample.report.promises[3].verdict.summary =
      "None of 84 operations on the minority side was acknowledged there.";
  sample.report.promises[0].verdict.figures = sample_figures();
  return sample;
}

Sample broken_sample() {
  Sample sample;
  HistoryBuilder builder;
  add_operations(builder);
  checkers::Counterexample example = add_stale_read(builder);
  sample.history = builder.finish();
  locate(sample.history, example);
  sample.report = sample_report();
  sample.report.exit_code = 1;
  sample.report.sabotage = "stale-read";
  sample.report.replay += " --sabotage stale-read";
  checkers::Verdict& verdict = sample.report.promises[0].verdict;
  verdict.kind = VerdictKind::broken;
  verdict.summary =
      "1 of 65 keys has no legal order: a read returned a value that had been overwritten.";
  verdict.counterexamples = {example};
  return sample;
}

Sample hostile_sample(const std::string& text) {
  Sample sample;
  HistoryBuilder builder;
  auto& pool = builder.pool();
  Operation operation;
  operation.key = pool.symbol(text);
  operation.function_name = pool.symbol(text);
  operation.input = pool.text(text);
  operation.output = pool.text(text);
  operation.error = pool.symbol(text);
  operation.node = pool.symbol(text);
  operation.outcome = Outcome::ok;
  operation.complete = 1;
  operation.invoke_time = 0;
  operation.complete_time = kSecond;
  builder.add(operation);
  sample.history = builder.finish();

  RunReport& report = sample.report;
  report.scenario = report.started = report.version = report.directory = text;
  report.replay = report.sabotage = text;
  report.harness_error = text;
  report.exit_code = 3;
  report.inputs = {{text, text}};
  report.host = {{text, text}};
  report.skipped = {{text, text}};
  checkers::Verdict verdict;
  verdict.kind = VerdictKind::broken;
  verdict.summary = text;
  verdict.details = {text};
  verdict.measurements = {{text, 1, text}};
  checkers::Counterexample& example = verdict.counterexamples.emplace_back();
  example.title = example.why = example.key = text;
  example.items = {{.operation = 0, .core = true, .note = text}};
  report.promises = {{text, text, text, text, text, verdict}};
  FaultRecord record = fault(1, text, text, kMillisecond * 10, kMillisecond * 20);
  record.description = record.reason = text;
  record.exercised = false;
  record.evidence = {{text, 2, text}};
  record.disabled_nodes = {text};
  report.context.faults = {record};
  report.context.nodes = {text};
  report.context.phases = {{text, {0, kSecond}}};
  report.context.host_overload = text;
  lead(report.context, text, 1, 5, 0);
  return sample;
}

history::History long_history(std::size_t operations) {
  HistoryBuilder builder;
  builder.reserve(operations);
  auto& pool = builder.pool();
  const history::Symbol write = pool.symbol("write");
  const history::Symbol key = pool.symbol("x");
  const std::int64_t gap = 60 * kSecond / static_cast<std::int64_t>(operations);
  for (std::size_t i = 0; i < operations; ++i) {
    Operation operation;
    operation.process = static_cast<std::int64_t>(i % 10);
    operation.key = key;
    operation.function_name = write;
    operation.function = history::Function::write;
    operation.input = Value::integer(static_cast<std::int64_t>(i));
    operation.outcome = Outcome::ok;
    operation.invoke_time = static_cast<std::int64_t>(i) * gap;
    operation.complete_time = operation.invoke_time + 2 * kMillisecond;
    operation.invoke = static_cast<std::int64_t>(2 * i);
    operation.complete = operation.invoke + 1;
    builder.add(operation);
  }
  return builder.finish();
}

}  // namespace sunder::report::testing
