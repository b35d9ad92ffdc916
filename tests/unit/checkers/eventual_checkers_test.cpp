// The checkers of stores that converge: for each a run that keeps the promise, a neighbour that
// breaks it and one that proves nothing; and small random histories against the definition.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Outcome;
using history::Value;
using ::testing::HasSubstr;

// ---------------------------------------------------------------- random histories

// Writes and reads of two keys; values are unique, but now and then a read finds anything.
RunFixture random_run(std::uint64_t seed) {
  base::Random random(seed);
  RunFixture run(2, 3);
  const std::uint64_t operations = 2 + random.below(7);
  std::vector<std::int64_t> written;
  for (std::uint64_t i = 0; i < operations; ++i) {
    RunFixture::Call call;
    call.process = static_cast<std::int64_t>(random.below(3));
    call.key = random.chance(0.7) ? "x" : "y";
    call.begin = random.between(0, 12);
    call.end = call.begin + random.between(1, 5);
    if (random.chance(0.5)) {
      written.push_back(++run.value);
      call.input = Value::integer(run.value);
      const std::uint64_t die = random.below(10);
      call.outcome = die < 7 ? Outcome::ok : die < 9 ? Outcome::info : Outcome::fail;
    } else {
      call.function = "read";
      call.outcome = random.chance(0.9) ? Outcome::ok : Outcome::info;
      const bool nil = written.empty() || random.chance(0.2);
      call.output = nil ? Value::nil() : Value::integer(random.pick(written));
      if (random.chance(0.03)) call.output = Value::integer(99);
    }
    run.call(call);
  }
  run.parameters = {{"reads_min", 0}};
  return run;
}

// By definition, over all triples; stamps and names as texts.
struct Oracle {
  bool stale = false;
  bool invented = false;
  bool any_read = false;
  bool any_judged = false;  // a read after an acknowledged write
};

Oracle ask(const history::History& history) {
  Oracle oracle;
  const auto& all = history.operations();
  const auto text = [&](Value value) { return history.pool().describe(value); };
  for (const auto& read : all) {
    const bool known = history.pool().name(read.function_name) == "read" &&
                       read.outcome == Outcome::ok && text(read.output) != "";
    if (!known) continue;
    const bool nil = read.output.is_nil();
    oracle.any_read = oracle.any_read || !nil;
    bool written = nil;
    bool possibly_later = false;
    std::int64_t over = -1;
    for (const auto& write : all) {
      const bool source = history.pool().name(write.function_name) == "write" &&
                          write.key == read.key && write.outcome != Outcome::fail &&
                          text(write.input) == text(read.output);
      if (!source) continue;
      if (write.invoke <= read.complete) written = true;
      possibly_later = possibly_later || write.outcome == Outcome::info;
      over = std::max(over, write.complete);
    }
    oracle.invented = oracle.invented || !written;
    for (const auto& write : all) {
      const bool missed = history.pool().name(write.function_name) == "write" &&
                          write.key == read.key && write.outcome == Outcome::ok &&
                          write.complete < read.invoke;
      if (!missed) continue;
      oracle.any_judged = true;
      const bool nowhere = !nil && over == -1;
      if (!possibly_later && !nowhere && over < write.invoke) oracle.stale = true;
    }
  }
  return oracle;
}

TEST(EventualCheckers, AgreeWithTheirDefinitions) {
  int stale = 0;
  int invented = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    SCOPED_TRACE(seed);
    RunFixture first = random_run(seed);
    const Oracle expected = ask(first.builder.finish());
    stale += expected.stale ? 1 : 0;
    invented += expected.invented ? 1 : 0;
    RunFixture second = random_run(seed);
    const Verdict fresh = second.check("fresh-reads");
    ASSERT_EQ(fresh.kind == VerdictKind::broken, expected.stale) << fresh.summary;
    RunFixture third = random_run(seed);
    const Verdict valid = third.check("valid-reads");
    ASSERT_EQ(valid.kind == VerdictKind::broken, expected.invented) << valid.summary;
    if (expected.stale) {
      ASSERT_FALSE(fresh.counterexamples.empty());
      ASSERT_FALSE(fresh.figures.empty());
    }
  }
  EXPECT_GT(stale, 1000);
  EXPECT_GT(invented, 500);
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
