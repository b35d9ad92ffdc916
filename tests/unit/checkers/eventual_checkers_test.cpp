// The checkers of stores that converge: for each a run that keeps the promise, a neighbour that
// breaks it and one that proves nothing; and small random histories against the definition.
//
// Every random case is a function of its seed; a failure prints it with the smallest part of its
// history that fails, too. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/collection_generator.hpp"
#include "tests/histories/support/collection_oracle.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Outcome;
using history::Value;
using ::testing::HasSubstr;

// ---------------------------------------------------------------- random histories

// Writes and reads of two keys, of unique values or of some that are written again; now and then a
// read finds anything.
history::History random_history(std::uint64_t seed) {
  base::Random random(seed);
  const bool unique = seed % 2 == 0;
  const double first_key = unique ? 0.7 : 0.9;
  // One key, and writes that begin and end within others.
  const bool dense = seed % 4 >= 2;
  RunFixture run(2, 3);
  const std::int64_t operations =
      dense ? random.between(5, 10) : random.between(2, unique ? 8 : 10);
  std::vector<std::int64_t> written;
  for (std::int64_t i = 0; i < operations; ++i) {
    RunFixture::Call call;
    call.process = static_cast<std::int64_t>(random.below(3));
    call.key = dense || random.chance(first_key) ? "x" : "y";
    call.begin = dense ? random.between(2 * i, 3 * i + 1) : random.between(0, unique ? 12 : 20);
    const bool around = dense && random.chance(0.35);
    call.end = call.begin + (around ? random.between(5, 9) : random.between(1, dense ? 2 : 5));
    if (random.chance(0.5)) {
      const bool again = !unique && !written.empty() && random.chance(0.6);
      written.push_back(again ? random.pick(written) : ++run.value);
      call.input = Value::integer(written.back());
      const std::uint64_t die = random.below(10);
      call.outcome = die < 7 ? Outcome::ok : die < 9 ? Outcome::info : Outcome::fail;
    } else {
      call.function = "read";
      call.outcome = random.chance(0.9) ? Outcome::ok : Outcome::info;
      const bool nil = written.empty() || random.chance(dense ? 0.05 : 0.2);
      const auto known =
          dense ? std::min<std::ptrdiff_t>(3, std::ssize(written)) : std::ssize(written);
      const std::vector<std::int64_t> late(written.end() - known, written.end());
      call.output = nil ? Value::nil() : Value::integer(random.pick(late));
      if (random.chance(0.03)) call.output = Value::integer(99);
    }
    run.call(call);
  }
  return run.builder.finish();
}

// What the two promises say of a history, by definition, over all triples; values as texts.
struct Broken {
  bool stale = false;
  bool invented = false;
};

Broken broken_by_definition(const history::History& history) {
  Broken broken;
  const auto& all = history.operations();
  const auto text = [&](Value value) { return history.pool().describe(value); };
  for (const auto& read : all) {
    const bool known = history.pool().name(read.function_name) == "read" &&
                       read.outcome == Outcome::ok && text(read.output) != "";
    if (!known) continue;
    // Writes that it may have found.
    std::vector<history::Operation> sources;
    for (const auto& write : all) {
      const bool source = history.pool().name(write.function_name) == "write" &&
                          write.key == read.key && write.outcome != Outcome::fail &&
                          text(write.input) == text(read.output) && !read.precedes(write);
      if (source) sources.push_back(write);
    }
    const bool nil = read.output.is_nil();
    broken.invented = broken.invented || (!nil && sources.empty());
    if (!nil && sources.empty()) continue;
    broken.stale = broken.stale || std::ranges::any_of(all, [&](const auto& write) {
                     const bool missed = history.pool().name(write.function_name) == "write" &&
                                         write.key == read.key && write.outcome == Outcome::ok &&
                                         write.precedes(read);
                     return missed && std::ranges::all_of(sources, [&](const auto& source) {
                              return source.precedes(write);
                            });
                   });
  }
  return broken;
}

// Whether for every read alone some order of it and all writes of its key explains it: what the two
// promises say together (weak regularity of several writers).
bool each_read_has_an_order(const history::History& history) {
  for (const auto& read : history.operations()) {
    if (read.function != history::Function::read) continue;
    history::HistoryBuilder builder;
    for (history::Operation operation : history.operations()) {
      const bool write = operation.function == history::Function::write;
      if (operation.key != read.key || !(write || &read == &operation)) continue;
      operation.key = 0;
      if (write) builder.add(operation);
    }
    history::Operation alone = read;
    alone.key = 0;
    builder.add(alone);
    if (!test::brute_force_linearizable(builder.finish(), "register")) return false;
  }
  return true;
}

TEST(EventualCheckers, AgreeWithTheirDefinitions) {
  std::uint64_t stale = 0;
  std::uint64_t invented = 0;
  const std::uint64_t cases = test::case_count();
  RunFixture run(2, 3);
  run.parameters = {{"reads_min", 0}};
  const auto told_of = [](bool broken) { return broken ? "broken" : "not broken"; };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const Broken expected = broken_by_definition(random.history);
    stale += expected.stale ? 1U : 0U;
    invented += expected.invented ? 1U : 0U;
    if (each_read_has_an_order(random.history) != (!expected.stale && !expected.invented)) {
      return "orders of single reads and the two definitions disagree";
    }
    const Verdict fresh = run.judge("fresh-reads", random.history);
    const Verdict valid = run.judge("valid-reads", random.history);
    const auto disagreement = [&](const Verdict& verdict, bool broken, std::string_view where) {
      return test::disagreement(
          told_of(broken), told_of(verdict.kind == VerdictKind::broken), where);
    };
    const std::string wrong = disagreement(fresh, expected.stale, "fresh-reads: ") +
                              disagreement(valid, expected.invented, "valid-reads: ");
    if (!wrong.empty()) return wrong;
    if (fresh.figures.empty() == expected.stale) return "fresh-reads: wrong figures";
    if (fresh.counterexamples.empty() == expected.stale) return "fresh-reads: wrong examples";
    return {};
  };
  if (!test::check_histories(cases, random_history, judge)) return;
  EXPECT_GT(stale, cases / 10);
  EXPECT_GT(invented, cases / 20);
  EXPECT_LT(stale + invented, cases - cases / 5);
}

// Whether some key was written, and read by two after all of its writes.
bool has_two_final_reads(const history::History& history) {
  return std::ranges::any_of(history.operations(), [&](const history::Operation& of_key) {
    std::set<std::int64_t> readers;
    bool written = false;
    for (const auto& read : history.operations()) {
      const bool reads = read.key == of_key.key && read.outcome == Outcome::ok &&
                         read.function == history::Function::read && !read.output.is_none();
      bool after_all = true;
      for (const auto& change : history.operations()) {
        const bool changes = change.key == of_key.key && change.outcome == Outcome::ok &&
                             change.function != history::Function::read;
        written = written || changes;
        after_all = after_all && (!changes || change.precedes(read));
      }
      if (reads && after_all) readers.insert(read.process);
    }
    return written && readers.size() >= 2;
  });
}

void expect_each(const std::map<VerdictKind, std::uint64_t>& seen) {
  for (const VerdictKind kind :
       {VerdictKind::kept, VerdictKind::broken, VerdictKind::not_exercised}) {
    const auto found = seen.find(kind);
    EXPECT_GT(found == seen.end() ? 0 : found->second, test::case_count() / 50) << name_of(kind);
  }
}

// Final reads are the model convergence/last-write, whose brute force this asks, too; besides some
// key must have been written, and read at the end by two.
TEST(EventualCheckers, FinalReadsAgreeWithBruteForce) {
  std::map<VerdictKind, std::uint64_t> seen;
  const auto make = [](std::uint64_t seed) {
    return test::small_collection_history({.type = "convergence", .seed = seed});
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const bool holds = *test::collection_oracle(random.history, "convergence/last-write");
    RunFixture run(0, 0);
    run.parameters = {{"keys_min", 1}};
    const bool faulty = random.seed % 3 == 0;
    const bool bit = random.seed % 2 == 0;
    if (faulty) run.context.faults.emplace_back().exercised = bit;
    const bool exercised = has_two_final_reads(random.history) && (bit || !faulty);
    const VerdictKind expected = !holds      ? VerdictKind::broken
                                 : exercised ? VerdictKind::kept
                                             : VerdictKind::not_exercised;
    const Verdict verdict = run.judge("final-reads", random.history);
    ++seen[verdict.kind];
    return test::disagreement(name_of(expected), name_of(verdict.kind), verdict.summary + ": ");
  };
  if (test::check_histories(test::case_count(), make, judge)) expect_each(seen);
}

// ---------------------------------------------------------------- fresh-reads, valid-reads

RunFixture alternating(std::size_t reads) {
  RunFixture run(3, 3);
  run.kill({1}, 0, 10'000);
  for (std::size_t i = 0; i < reads; ++i) {
    const auto begin = static_cast<std::int64_t>(20 * i);
    run.call(
        {.process = 1, .begin = begin, .end = begin + 5, .input = Value::integer(++run.value)});
    run.call({.process = 2,
              .function = "read",
              .begin = begin + 7,
              .end = begin + 9,
              .output = Value::integer(run.value)});
  }
  return run;
}

TEST(FreshReads, KeptBrokenByOneAndNotExercisedByFew) {
  RunFixture good = alternating(150);
  EXPECT_EQ(good.check("fresh-reads").kind, VerdictKind::kept);
  RunFixture bad = alternating(150);
  bad.call({.process = 0,
            .function = "read",
            .begin = 4'000,
            .end = 4'001,
            .output = Value::integer(9)});
  const Verdict broken = bad.check("fresh-reads");
  EXPECT_EQ(broken.kind, VerdictKind::broken);
  EXPECT_THAT(broken.counterexamples.front().why, HasSubstr("p0 read 9"));
  RunFixture few = alternating(20);
  EXPECT_EQ(few.check("fresh-reads").kind, VerdictKind::not_exercised);
  RunFixture calm = alternating(150);
  calm.context.faults.front().active = {RunFixture::ms(90'000), RunFixture::ms(91'000)};
  EXPECT_EQ(calm.check("fresh-reads").kind, VerdictKind::not_exercised);
}

// What a linearizable register forbids and quorums allow: a write under way is seen, then not.
TEST(FreshReads, AllowReadsOfAWriteUnderWayToComeAndGo) {
  for (const bool strictly : {false, true}) {
    RunFixture run = alternating(150);
    const auto old = Value::integer(run.value);
    const auto fresh = Value::integer(++run.value);
    run.call({.process = 1, .begin = 5'000, .end = 6'000, .input = fresh});
    run.call({.process = 0, .function = "read", .begin = 5'100, .end = 5'200, .output = fresh});
    run.call({.process = 2, .function = "read", .begin = 5'300, .end = 5'400, .output = old});
    EXPECT_EQ(run.check(strictly ? "linearizable" : "fresh-reads").kind,
              strictly ? VerdictKind::broken : VerdictKind::kept);
  }
}

TEST(ValidReads, KeptBrokenByAStrangerAndNotExercisedByFew) {
  RunFixture good = alternating(150);
  EXPECT_EQ(good.check("valid-reads").kind, VerdictKind::kept);
  RunFixture bad = alternating(150);
  bad.call({.process = 0,
            .function = "read",
            .key = "y",
            .begin = 1,
            .end = 2,
            .output = Value::integer(1)});
  EXPECT_EQ(bad.check("valid-reads").kind, VerdictKind::broken);
  RunFixture few = alternating(20);
  EXPECT_EQ(few.check("valid-reads").kind, VerdictKind::not_exercised);
}

// ---------------------------------------------------------------- final-reads

RunFixture settled(std::int64_t keys, bool agree) {
  RunFixture run(3, 3);
  run.kill({1}, 0, 50);
  for (std::int64_t i = 0; i < keys; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto value = Value::integer(++run.value);
    run.call({.process = 0, .key = key, .begin = 10 * i, .end = 10 * i + 5, .input = value});
    run.call({.process = 1,
              .function = "read",
              .key = key,
              .begin = 9'000,
              .end = 9'001,
              .output = value});
    run.call({.process = 2,
              .function = "read",
              .key = key,
              .begin = 9'002,
              .end = 9'003,
              .output = agree || i > 0 ? value : Value::nil()});
  }
  return run;
}

TEST(FinalReads, KeptBrokenByALostWriteAndNotExercisedWithoutTwoReaders) {
  RunFixture good = settled(30, true);
  EXPECT_EQ(good.check("final-reads").kind, VerdictKind::kept);
  RunFixture bad = settled(30, false);
  EXPECT_EQ(bad.check("final-reads").kind, VerdictKind::broken);
  RunFixture alone(3, 3);
  alone.kill({1}, 0, 50);
  alone.writes(0, 0, 1000, 20);
  EXPECT_EQ(alone.check("final-reads").kind, VerdictKind::not_exercised);
}

// A read soon after a key's last write, while others are still written, is owed nothing yet.
TEST(FinalReads, CountFromWhenTheRunReadsForTheLastTime) {
  for (const bool early : {true, false}) {
    RunFixture run = settled(30, true);
    run.context.phases = {{"load", {0, RunFixture::ms(8'000)}},
                          {"final reads", {RunFixture::ms(8'000), RunFixture::ms(10'000)}}};
    const std::int64_t begin = early ? 1'000 : 9'004;
    run.call({.process = 3,
              .function = "read",
              .key = "k7",
              .begin = begin,
              .end = begin + 1,
              .output = Value::nil()});
    EXPECT_EQ(run.check("final-reads").kind, early ? VerdictKind::kept : VerdictKind::broken);
  }
  RunFixture unread = settled(30, false);
  unread.context.phases = {{"load", {0, RunFixture::ms(10'000)}}};
  EXPECT_EQ(unread.check("final-reads").kind, VerdictKind::not_exercised);
}

// ---------------------------------------------------------------- replica-digests

void tell(RunFixture& run,
          std::int64_t time,
          const std::string& node,
          const std::string& peer,
          const std::string& digest) {
  history::NodeEvent event;
  event.node = node;
  event.time = RunFixture::ms(time);
  event.event = "digest";
  event.numbers = {{"keys", 40}};
  event.texts = {{peer, digest}};
  run.context.events.push_back(std::move(event));
}

// Writes until 5 s, a heal at 6 s, the replicas agree at `agreed`, the end at 12 s.
RunFixture replicas(std::int64_t agreed) {
  RunFixture run(2, 2);
  run.context.phases = {{"load", {0, RunFixture::ms(12'000)}},
                        {"tear down", {RunFixture::ms(12'000), RunFixture::ms(13'000)}}};
  run.partition({1}, {2}, 1'000, 6'000);
  run.writes(0, 0, 5'000, 100);
  tell(run, 500, "n1", "n2", "aa");
  tell(run, 600, "n2", "n1", "bb");
  tell(run, agreed, "n2", "n1", "aa");
  return run;
}

TEST(ReplicaDigests, JudgeHowLongReplicasTookToAgree) {
  struct Row {
    std::int64_t agreed;
    VerdictKind expected;
  };

  for (const Row& row : {Row{.agreed = 6'500, .expected = VerdictKind::kept},
                         Row{.agreed = 8'900, .expected = VerdictKind::kept},
                         Row{.agreed = 9'100, .expected = VerdictKind::broken},
                         Row{.agreed = 12'500, .expected = VerdictKind::broken}}) {
    SCOPED_TRACE(row.agreed);
    RunFixture run = replicas(row.agreed);
    const Verdict verdict = run.check("replica-digests");
    EXPECT_EQ(verdict.kind, row.expected) << verdict.summary;
    EXPECT_EQ(verdict.figures.size(), 1U);
  }
}

TEST(ReplicaDigests, ProveNothingWhenNothingDifferedOrNobodyWatched) {
  RunFixture same = replicas(6'500);
  same.context.events.clear();
  tell(same, 500, "n1", "n2", "aa");
  EXPECT_EQ(same.check("replica-digests").kind, VerdictKind::broken) << "the other told nothing";
  RunFixture brief = replicas(12'500);
  brief.context.phases.back().window.begin = RunFixture::ms(7'000);
  EXPECT_EQ(brief.check("replica-digests").kind, VerdictKind::not_exercised);
  RunFixture silent = replicas(6'500);
  silent.context.events.clear();
  EXPECT_EQ(silent.check("replica-digests").kind, VerdictKind::not_exercised);
}

TEST(ReplicaDigests, LeaveOutNodesThatAFaultEnded) {
  RunFixture run = replicas(12'500);
  EXPECT_EQ(run.check("replica-digests").kind, VerdictKind::broken);
  RunFixture ended = replicas(12'500);
  ended.context.faults.front().ended_nodes = {"n2"};
  EXPECT_EQ(ended.check("replica-digests").kind, VerdictKind::not_exercised);
}

// Four replicas that tell now and then, some until they are ended or stopped.
struct Tellings {
  RunFixture run{2, 2};
  std::int64_t calm = 0;     // in ms
  std::int64_t watched = 0;  // until
  std::int64_t written = 0;  // keys, acknowledged
};

Tellings random_tellings(std::uint64_t seed) {
  base::Random random(seed);
  Tellings made;
  RunFixture& run = made.run;
  run.context.faults.clear();
  const std::vector<std::string> nodes{"n1", "n2", "n3"};
  if (random.chance(0.8)) {
    auto& fault = run.kill({1}, 0, random.between(1, 20));
    fault.exercised = random.chance(0.9);
    made.calm = fault.healed / 1'000'000;
    if (random.chance(0.2)) fault.ended_nodes.push_back(random.pick(nodes));
  }
  const std::int64_t write = random.between(0, 20);
  const Outcome outcome = random.chance(0.7)   ? Outcome::ok
                          : random.chance(0.5) ? Outcome::info
                                               : Outcome::fail;
  run.call({.process = 0,
            .begin = write,
            .end = write + 5,
            .outcome = outcome,
            .input = Value::integer(1)});
  if (outcome == Outcome::ok) {
    made.calm = std::max(made.calm, write + 5);
    ++made.written;
  }
  if (outcome == Outcome::info) made.calm = std::max(made.calm, write);
  for (std::uint64_t more = random.below(60); more > 0; --more) {
    const auto value = Value::integer(static_cast<std::int64_t>(more + 1));
    run.call(
        {.process = 1, .key = "k" + std::to_string(more), .begin = 0, .end = 1, .input = value});
    made.calm = std::max<std::int64_t>(made.calm, 1);
    ++made.written;
  }
  made.watched = random.between(20, 60);
  run.context.phases = {{"load", {0, RunFixture::ms(made.watched)}},
                        {"tear down", {RunFixture::ms(made.watched), RunFixture::ms(100)}}};
  const std::uint64_t words = 1 + random.below(3);
  std::int64_t time = 0;
  for (std::uint64_t events = 4 + random.below(20); events > 0; --events) {
    time += random.between(1, 5);
    history::NodeEvent event;
    event.node = random.pick(nodes);
    event.time = RunFixture::ms(time);
    event.event = random.chance(0.95) ? "digest" : "became-leader";
    event.numbers = {{"keys", random.between(1, 40)}};
    for (const std::string& peer : nodes) {
      if (peer == event.node || random.chance(0.3)) continue;
      event.texts.emplace_back(peer, std::to_string(random.below(words)));
    }
    run.context.events.push_back(std::move(event));
  }
  return made;
}

// By definition: what each pair last told, at every millisecond.
VerdictKind digests_by_definition(const Tellings& made, std::int64_t within, std::int64_t keys) {
  const history::RunContext& context = made.run.context;
  std::vector<history::NodeEvent> events;
  for (const history::NodeEvent& event : context.events) events.push_back(event);
  const auto is_ended = [&](const std::string& node) {
    return std::ranges::any_of(context.faults, [&](const history::FaultRecord& fault) {
      return std::ranges::find(fault.ended_nodes, node) != fault.ended_nodes.end();
    });
  };
  // What a node told of another before the end of this millisecond; "": nothing.
  const auto told = [&](const std::string& node, const std::string& peer, std::int64_t ms) {
    std::string last;
    for (const history::NodeEvent& event : events) {
      const bool counts = event.event == "digest" && event.time <= RunFixture::ms(ms) &&
                          event.time < RunFixture::ms(made.watched) && event.node == node;
      if (counts && !event.text(peer).empty()) last = event.text(peer);
    }
    return last;
  };
  bool apart = false;
  bool late = false;
  for (const auto& [one, other] :
       std::vector<std::pair<std::string, std::string>>{{"n1", "n2"}, {"n1", "n3"}, {"n2", "n3"}}) {
    if (is_ended(one) || is_ended(other)) continue;
    for (std::int64_t ms = 0; ms < made.watched; ++ms) {
      const bool agrees = told(one, other, ms) == told(other, one, ms);
      if (!agrees && ms == made.watched - 1) apart = true;
      // It agrees from the next on, if it does.
      if (!agrees && ms < made.watched - 1 && ms + 1 > made.calm + within) late = true;
    }
  }
  bool differed = false;
  std::map<std::string, std::int64_t> held;
  std::map<std::pair<std::string, std::string>, std::string> last;
  for (const history::NodeEvent& event : events) {
    if (event.event != "digest" || is_ended(event.node)) continue;
    if (event.time >= RunFixture::ms(made.watched)) continue;
    held[event.node] = event.number("keys");
    for (const auto& [peer, digest] : event.texts) {
      if (is_ended(peer)) continue;
      last[{event.node, peer}] = digest;
      differed = differed || last[{peer, event.node}] != digest;
    }
  }
  // Of what was written the fullest node holds at least its share.
  const auto nodes = static_cast<std::int64_t>(context.nodes.size());
  const bool enough = std::ranges::any_of(held, [&](const auto& entry) {
    return entry.second >= keys || (entry.second > 0 && entry.second * nodes >= made.written);
  });
  const bool bit = context.faults.empty() || context.faults.front().exercised;
  if (apart && made.watched - made.calm >= within) return VerdictKind::broken;
  if (late) return VerdictKind::broken;
  return apart || !differed || !enough || !bit ? VerdictKind::not_exercised : VerdictKind::kept;
}

TEST(ReplicaDigests, AgreeWithTheirDefinitionOnRandomRuns) {
  std::map<VerdictKind, std::uint64_t> seen;
  const auto judge = [&](std::uint64_t seed) {
    Tellings made = random_tellings(seed);
    made.run.parameters = {{"within_ms", 8}, {"keys_min", 20}};
    const VerdictKind expected = digests_by_definition(made, 8, 20);
    const Verdict verdict = made.run.check("replica-digests");
    ++seen[verdict.kind];
    return test::disagreement(name_of(expected), name_of(verdict.kind), verdict.summary + ": ");
  };
  if (test::check_seeds(test::case_count(), judge)) expect_each(seen);
}

// ---------------------------------------------------------------- availability-everywhere

RunFixture both_sides(Outcome minority) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000);
  for (std::int64_t process = 0; process < 5; ++process) {
    const bool cut_off = process < 2;
    run.writes(process, 0, 5'000, 50);
    run.writes(process, 5'100, 14'000, 50, cut_off ? minority : Outcome::ok);
  }
  return run;
}

TEST(AvailabilityEverywhere, AsksForAnswersOnEverySide) {
  RunFixture good = both_sides(Outcome::ok);
  const Verdict kept = good.check("availability-everywhere");
  EXPECT_EQ(kept.kind, VerdictKind::kept) << kept.summary;
  EXPECT_EQ(kept.figures.size(), 3U);
  for (const Outcome outcome : {Outcome::info, Outcome::fail}) {
    RunFixture bad = both_sides(outcome);
    const Verdict broken = bad.check("availability-everywhere");
    EXPECT_EQ(broken.kind, VerdictKind::broken) << broken.summary;
    EXPECT_FALSE(broken.counterexamples.empty());
  }
}

TEST(AvailabilityEverywhere, ExcusesNodesThatDoNotWorkAndNeedsTwoSides) {
  RunFixture dead(3, 3);
  dead.kill({1}, 2'000, 9'000);
  for (std::int64_t process = 0; process < 3; ++process) {
    dead.writes(process, 0, 10'000, 50, process == 0 ? Outcome::info : Outcome::ok);
  }
  RunFixture excused(3, 3);
  excused.kill({1}, 2'000, 9'000);
  for (std::int64_t process = 0; process < 3; ++process) {
    excused.writes(process, 0, 900, 50);
    excused.writes(process, 2'100, 8'900, 50, process == 0 ? Outcome::info : Outcome::ok);
  }
  EXPECT_EQ(dead.check("availability-everywhere").kind, VerdictKind::broken);
  EXPECT_EQ(excused.check("availability-everywhere").kind, VerdictKind::not_exercised);
}

// ---------------------------------------------------------------- blind-overwrites

TEST(BlindOverwrites, FindWritesReplacedAcrossACut) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 1'000, 9'000);
  run.call({.process = 0, .begin = 2'000, .end = 2'010, .input = Value::integer(1)});
  run.call({.process = 1, .begin = 2'100, .end = 2'110, .input = Value::integer(2)});
  run.call({.process = 3, .begin = 3'000, .end = 3'010, .input = Value::integer(3)});
  const Verdict verdict = run.check("blind-overwrites");
  EXPECT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  EXPECT_THAT(verdict.summary, HasSubstr("1 of 3"));
  EXPECT_THAT(verdict.counterexamples.front().why, HasSubstr("p1's write of 2"));
}

TEST(BlindOverwrites, AccuseNobodyWhoCanHaveKnown) {
  struct Row {
    const char* name;
    std::int64_t first;
    std::int64_t second;
    std::int64_t other;  // process of the second
    Outcome outcome;
  };

  for (const Row& row : {Row{"the same side", 2'000, 3'000, 1, Outcome::ok},
                         Row{"before the cut", 500, 3'000, 3, Outcome::ok},
                         Row{"after the heal", 2'000, 9'500, 3, Outcome::ok},
                         Row{"not acknowledged", 2'000, 3'000, 3, Outcome::info}}) {
    SCOPED_TRACE(row.name);
    RunFixture run(5, 5);
    run.partition({1, 2}, {3, 4, 5}, 1'000, 9'000);
    run.call({.process = 0,
              .begin = row.first,
              .end = row.first + 10,
              .outcome = row.outcome,
              .input = Value::integer(1)});
    run.call({.process = row.other,
              .begin = row.second,
              .end = row.second + 10,
              .input = Value::integer(2)});
    EXPECT_EQ(run.check("blind-overwrites").kind, VerdictKind::not_exercised);
  }
}

// ---------------------------------------------------------------- durability of final reads

TEST(Durability, OfFinalReadsForgivesWhatConvergesLater) {
  for (const bool final_only : {false, true}) {
    RunFixture run(3, 3);
    run.kill({1, 2, 3}, 2'000, 3'000);
    run.context.phases = {{"final reads", {RunFixture::ms(9'000), RunFixture::ms(10'000)}}};
    for (int i = 0; i < 6; ++i) {
      const std::string key = "k" + std::to_string(i);
      const auto value = Value::integer(++run.value);
      run.call({.process = 0, .key = key, .begin = 10 * i, .end = 10 * i + 5, .input = value});
      run.call({.process = 1,
                .function = "read",
                .key = key,
                .begin = 4'000,
                .end = 4'001,
                .output = i == 0 ? Value::nil() : value});
      run.call({.process = 1,
                .function = "read",
                .key = key,
                .begin = 9'100,
                .end = 9'101,
                .output = value});
    }
    if (final_only) run.parameters = {{"final_reads", 1}};
    EXPECT_EQ(run.check("durability").kind, final_only ? VerdictKind::kept : VerdictKind::broken);
  }
}

}  // namespace
}  // namespace sunder::checkers
