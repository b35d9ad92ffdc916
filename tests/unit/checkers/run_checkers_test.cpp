// The checkers that judge a run by what happened around it: for each, a run that keeps the promise,
// a neighbour that breaks it, and one that proves nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Outcome;
using history::Value;
using ::testing::HasSubstr;

// Five nodes, five clients, n1 and n2 cut off from 5 s to 15 s; the majority's clients write all
// the time.
RunFixture cut_run() {
  RunFixture run(5, 5);
  run.context.phases = {{"load", {0, RunFixture::ms(25'000)}}};
  run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000);
  for (std::int64_t process = 2; process < 5; ++process) run.writes(process, 0, 25'000, 20);
  for (std::int64_t process = 0; process < 2; ++process) {
    run.writes(process, 0, 4'900, 20);
    run.writes(process, 15'100, 25'000, 20);
  }
  return run;
}

// Tries on the cut-off side, 2 s each.
void tries_in_vain(RunFixture& run, Outcome outcome) {
  for (std::int64_t begin = 5'100; begin < 12'000; begin += 2'100) {
    run.call({.process = 0,
              .begin = begin,
              .end = begin + 2'000,
              .outcome = outcome,
              .input = Value::integer(++run.value)});
  }
}

TEST(Availability, KeptWhenTheConnectedMajorityAnswers) {
  RunFixture run = cut_run();
  tries_in_vain(run, Outcome::info);
  const Verdict verdict = run.check("availability");
  EXPECT_EQ(verdict.kind, VerdictKind::kept) << verdict.summary;
  EXPECT_THAT(verdict.details, testing::Contains(HasSubstr("side n1,n2 with 2 clients: 0 of 4")));
  EXPECT_THAT(verdict.details, testing::Contains(HasSubstr("side n3,n4,n5 with 3 clients")));
}

TEST(Availability, DrawsWhatEachSideWasAnsweredWhileTheCutStood) {
  RunFixture run = cut_run();
  tries_in_vain(run, Outcome::info);
  // Answered, but only once the cut was healed.
  run.call({.process = 1, .begin = 14'000, .end = 15'050, .input = Value::integer(++run.value)});
  const Verdict verdict = run.check("availability");
  ASSERT_EQ(verdict.figures.size(), 2U);
  const auto& bars = std::get<Bars>(verdict.figures[0].body).bars;
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_EQ(bars[0].label, "majority side, write");
  EXPECT_EQ(bars[0].value, 100);
  EXPECT_EQ(bars[1].label, "minority side, write");
  EXPECT_EQ(bars[1].value, 0);
  EXPECT_EQ(bars[1].mark, Mark::bad);
  const auto& rows = std::get<Table>(verdict.figures[1].body).rows;
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_THAT(rows[2],
              testing::ElementsAre("while cut", "minority side", "write", "5", "0.0 %", "–", "–"));
}

TEST(Availability, BrokenWhenTheConnectedMajorityStopsAnswering) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000);
  for (std::int64_t process = 2; process < 5; ++process) {
    run.writes(process, 0, 10'000, 20);
    for (std::int64_t begin = 10'000; begin < 15'000; begin += 2'000) {
      run.call({.process = process,
                .begin = begin,
                .end = begin + 2'000,
                .outcome = Outcome::info,
                .input = Value::integer(++run.value)});
    }
    run.writes(process, 17'000, 25'000, 20);
  }
  const Verdict verdict = run.check("availability");
  EXPECT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  ASSERT_FALSE(verdict.counterexamples.empty());
  EXPECT_THAT(verdict.counterexamples.front().why,
              HasSubstr("n3,n4,n5 had been up and fully connected"));
}

TEST(Availability, AnElectionRightAfterTheCutIsNotJudged) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000);
  for (std::int64_t process = 2; process < 5; ++process) {
    run.writes(process, 0, 5'000, 20);
    run.call({.process = process,
              .begin = 5'100,
              .end = 7'100,
              .outcome = Outcome::info,
              .input = Value::integer(++run.value)});
    run.writes(process, 7'200, 25'000, 20);
  }
  EXPECT_EQ(run.check("availability").kind, VerdictKind::kept);
}

TEST(Availability, ACasThatTheModelRefusedIsAnAnswerButAnErrorIsNot) {
  for (const std::string_view error : {"cas-mismatch", "NOLEADER"}) {
    RunFixture run(3, 3);
    for (std::int64_t begin = 0; begin < 20'000; begin += 50) {
      run.call({.process = 1,
                .function = "cas",
                .begin = begin,
                .end = begin + 5,
                .outcome = Outcome::fail,
                .input = run.builder.pool().list({Value::integer(1), Value::integer(2)}),
                .error = error});
    }
    const bool refused_by_model = error == "cas-mismatch";
    EXPECT_EQ(run.check("availability").kind,
              refused_by_model ? VerdictKind::kept : VerdictKind::broken);
  }
}

TEST(Availability, ABridgeIsReportedNotJudged) {
  RunFixture run(5, 5);
  run.context.phases = {{"load", {0, RunFixture::ms(20'000)}}};
  run.partition({1, 2}, {4, 5}, 1'000, 19'000);
  for (std::int64_t process = 0; process < 5; ++process)
    run.writes(process, 1'100, 18'000, 50, Outcome::info);
  const Verdict verdict = run.check("availability");
  EXPECT_EQ(verdict.kind, VerdictKind::not_exercised) << verdict.summary;
  EXPECT_THAT(verdict.details, testing::Contains(HasSubstr("phase load: 0 of")));
}

TEST(Availability, NotExercisedWithoutAJudgedWindowUnderAFault) {
  RunFixture run(3, 3);
  run.kill({1}, 8'000, 8'500);
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 0, 25'000, 20);
  const Verdict verdict = run.check("availability");
  EXPECT_EQ(verdict.kind, VerdictKind::not_exercised);
  EXPECT_THAT(verdict.summary, HasSubstr("never while a fault stood"));
}

TEST(Availability, AHealthyRunIsJudgedWithoutFaultsButNotWithoutOperations) {
  RunFixture run(3, 3);
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 0, 10'000, 20);
  EXPECT_EQ(run.check("availability").kind, VerdictKind::kept);
  RunFixture idle(3, 3);
  idle.writes(0, 0, 10'000, 1'000);
  EXPECT_EQ(idle.check("availability").kind, VerdictKind::not_exercised);
}

TEST(MinorityRefuses, KeptWhenNothingIsAcknowledgedThere) {
  RunFixture run = cut_run();
  tries_in_vain(run, Outcome::info);
  const Verdict verdict = run.check("minority-refuses");
  EXPECT_EQ(verdict.kind, VerdictKind::kept) << verdict.summary;
}

TEST(MinorityRefuses, BrokenByOneAcknowledgement) {
  RunFixture run = cut_run();
  tries_in_vain(run, Outcome::info);
  run.call({.process = 1, .begin = 9'000, .end = 9'100, .input = Value::integer(77'777)});
  const Verdict verdict = run.check("minority-refuses");
  ASSERT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  ASSERT_EQ(verdict.counterexamples.size(), 1U);
  EXPECT_THAT(verdict.counterexamples.front().why, HasSubstr("write x 77777"));
  EXPECT_THAT(verdict.counterexamples.front().why,
              HasSubstr("c2 could reach only 2 of 5 nodes (n1,n2)"));
}

TEST(MinorityRefuses, OperationsThatBeganBeforeOrEndedAfterTheCutMayBeAcknowledged) {
  RunFixture run = cut_run();
  tries_in_vain(run, Outcome::info);
  run.call({.process = 1, .begin = 4'990, .end = 5'100, .input = Value::integer(1'000'001)});
  run.call({.process = 1, .begin = 14'900, .end = 15'050, .input = Value::integer(1'000'002)});
  EXPECT_EQ(run.check("minority-refuses").kind, VerdictKind::kept);
}

TEST(MinorityRefuses, OneDirectionOnlyIsSkipped) {
  RunFixture run(5, 5);
  run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000, true);
  run.writes(0, 6'000, 14'000, 100);
  EXPECT_EQ(run.check("minority-refuses").kind, VerdictKind::not_exercised);
}

TEST(MinorityRefuses, AFlappingCutAllowsAnswersInItsPauses) {
  for (const std::int64_t begin : {7'500, 6'500}) {  // in the pause; while it stood
    RunFixture run(5, 5);
    auto& fault = run.partition({1, 2}, {3, 4, 5}, 5'000, 15'000);
    fault.standing = {{RunFixture::ms(5'001), RunFixture::ms(7'000)},
                      {RunFixture::ms(9'000), RunFixture::ms(15'000)}};
    for (const std::int64_t time : {9'100, 11'200, 13'000}) {
      run.call({.process = 0,
                .begin = time,
                .end = time + 1'500,
                .outcome = Outcome::info,
                .input = Value::integer(++run.value)});
    }
    run.call(
        {.process = 1, .begin = begin, .end = begin + 10, .input = Value::integer(++run.value)});
    EXPECT_EQ(run.check("minority-refuses").kind,
              begin == 7'500 ? VerdictKind::kept : VerdictKind::broken);
  }
}

TEST(MinorityRefuses, NotExercisedWhenNobodyTried) {
  RunFixture run = cut_run();
  EXPECT_EQ(run.check("minority-refuses").kind, VerdictKind::not_exercised);
}

// Eight keys written twice before all three nodes die at 5 s, read from 7 s on.
struct CrashRun {
  explicit CrashRun(std::vector<std::size_t> killed = {1, 2, 3}) : run(3, 3) {
    run.kill(killed, 5'000, 6'000);
    for (int key = 0; key < 8; ++key) {
      names.push_back("k" + std::to_string(key));
      for (const int round : {0, 1}) {
        run.call({.process = 0,
                  .key = names.back(),
                  .begin = 1'000 + key * 100 + round * 50,
                  .end = 1'020 + key * 100 + round * 50,
                  .input = Value::integer(value_of(key, round))});
      }
    }
  }

  static std::int64_t value_of(int key, int round) { return key * 10 + round; }

  void reads(int key, Value value, std::int64_t begin = 7'000) {
    run.call({.process = 1,
              .function = "read",
              .key = names.at(static_cast<std::size_t>(key)),
              .begin = begin,
              .end = begin + 10,
              .output = value});
  }

  RunFixture run;
  std::vector<std::string> names;
};

TEST(Durability, KeptWhenEveryAcknowledgedWriteIsSeen) {
  CrashRun crash;
  for (int key = 0; key < 8; ++key) crash.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  const Verdict verdict = crash.run.check("durability");
  EXPECT_EQ(verdict.kind, VerdictKind::kept) << verdict.summary;
}

TEST(Durability, BrokenByAnOlderValue) {
  CrashRun crash;
  for (int key = 0; key < 7; ++key) crash.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  crash.reads(7, Value::integer(CrashRun::value_of(7, 0)));
  const Verdict verdict = crash.run.check("durability");
  ASSERT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  ASSERT_EQ(verdict.counterexamples.size(), 1U);
  EXPECT_EQ(verdict.counterexamples.front().key, "k7");
  EXPECT_EQ(verdict.counterexamples.front().items.size(), 3U);
  EXPECT_THAT(verdict.counterexamples.front().why, HasSubstr("all nodes were killed at 5.001 s"));
  EXPECT_THAT(verdict.counterexamples.front().why, HasSubstr("the older value of p0 write k7 70"));
}

TEST(Durability, BrokenByNothing) {
  CrashRun crash;
  for (int key = 0; key < 8; ++key) crash.reads(key, Value::nil());
  const Verdict verdict = crash.run.check("durability");
  EXPECT_EQ(verdict.kind, VerdictKind::broken);
  EXPECT_EQ(verdict.counterexamples.size(), 5U);
}

TEST(Durability, ARefusedCasTellsOfALossToo) {
  CrashRun crash;
  for (int key = 0; key < 8; ++key) crash.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  crash.run.call({.process = 2,
                  .function = "cas",
                  .key = crash.names[3],
                  .begin = 8'000,
                  .end = 8'010,
                  .outcome = Outcome::fail,
                  .input = crash.run.builder.pool().list({Value::integer(31), Value::integer(99)}),
                  .output = Value::integer(30),
                  .error = "cas-mismatch"});
  EXPECT_EQ(crash.run.check("durability").kind, VerdictKind::broken);
}

TEST(Durability, UnknownAndConcurrentWritesExcuseWhatIsSeen) {
  CrashRun crash;
  for (int key = 1; key < 8; ++key) crash.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  // k0: an unknown write of 500 that may take effect at any time later.
  crash.run.call({.process = 2,
                  .key = "k0",
                  .begin = 1'000,
                  .end = 3'000,
                  .outcome = Outcome::info,
                  .input = Value::integer(500)});
  crash.reads(0, Value::integer(500));
  EXPECT_EQ(crash.run.check("durability").kind, VerdictKind::kept);
}

TEST(Durability, ReadsBeforeTheCrashAreNotItsBusiness) {
  CrashRun crash;
  for (int key = 0; key < 8; ++key) crash.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  crash.reads(7, Value::integer(CrashRun::value_of(7, 0)), 4'000);
  EXPECT_EQ(crash.run.check("durability").kind, VerdictKind::kept);
}

TEST(Durability, NotExercisedUnlessAllNodesWereDeadAtOnce) {
  CrashRun crash({1, 2});
  for (int key = 0; key < 8; ++key) crash.reads(key, Value::nil());
  EXPECT_EQ(crash.run.check("durability").kind, VerdictKind::not_exercised);
  CrashRun together({1, 2});
  together.run.kill({3}, 5'500, 5'900);
  for (int key = 0; key < 8; ++key) together.reads(key, Value::integer(CrashRun::value_of(key, 1)));
  EXPECT_EQ(together.run.check("durability").kind, VerdictKind::kept);
}

TEST(Durability, NotExercisedWithoutReadsAfterTheCrash) {
  CrashRun crash;
  crash.reads(0, Value::integer(CrashRun::value_of(0, 1)));
  EXPECT_EQ(crash.run.check("durability").kind, VerdictKind::not_exercised);
}

TEST(Recovery, KeptWhenEveryClientIsAnsweredAgainInTime) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 6'500, 20'000, 100);
  const Verdict verdict = run.check("recovery");
  EXPECT_EQ(verdict.kind, VerdictKind::kept) << verdict.summary;
  EXPECT_THAT(verdict.summary, HasSubstr("the slowest took 0.504 s"));
}

TEST(Recovery, BrokenByOneClientThatIsNotAnswered) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  for (std::int64_t process = 0; process < 2; ++process) run.writes(process, 6'500, 20'000, 100);
  run.writes(2, 6'500, 11'500, 100, Outcome::info);
  run.writes(2, 11'500, 20'000, 100);
  const Verdict verdict = run.check("recovery");
  ASSERT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  EXPECT_THAT(verdict.counterexamples.front().why,
              HasSubstr("c3 had no ok operation within 5.000 s"));
}

TEST(Recovery, BrokenByAFailureAfterwards) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 6'500, 20'000, 100);
  run.call({.process = 1,
            .begin = 15'050,
            .end = 17'050,
            .outcome = Outcome::info,
            .input = Value::integer(1'000'000)});
  const Verdict verdict = run.check("recovery");
  ASSERT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  EXPECT_EQ(verdict.counterexamples.front().title, "fails after recovery");
}

TEST(Recovery, AClientThatTriedOnlyLateIsNotBlamed) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  for (std::int64_t process = 0; process < 2; ++process) run.writes(process, 6'500, 20'000, 100);
  run.writes(2, 12'000, 20'000, 100);
  EXPECT_EQ(run.check("recovery").kind, VerdictKind::kept);
}

TEST(Recovery, ASilentClientIsNotJudgedWithoutEnoughCalm) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  run.kill({2}, 8'000, 9'000);
  for (std::int64_t process = 0; process < 2; ++process) run.writes(process, 0, 10'000, 100);
  run.writes(2, 6'500, 10'000, 100, Outcome::info);
  const Verdict verdict = run.check("recovery");
  EXPECT_EQ(verdict.kind, VerdictKind::not_exercised) << verdict.summary;
  EXPECT_EQ(verdict.details.size(), 2U);
}

TEST(Recovery, RecoveryBeforeTheNextFaultCountsHoweverShortTheCalm) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000);
  run.kill({2}, 8'000, 9'000);
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 0, 10'000, 100);
  const Verdict verdict = run.check("recovery");
  EXPECT_EQ(verdict.kind, VerdictKind::kept);
  EXPECT_THAT(verdict.summary, HasSubstr("2 heals"));
}

TEST(Recovery, NotExercisedWhenNoFaultBit) {
  RunFixture run(3, 3);
  run.kill({1}, 5'000, 6'000).exercised = false;
  for (std::int64_t process = 0; process < 3; ++process) run.writes(process, 0, 20'000, 100);
  EXPECT_EQ(run.check("recovery").kind, VerdictKind::not_exercised);
}

TEST(RunCheckers, ABareHistoryIsUndetermined) {
  for (const std::string_view name :
       {"availability", "durability", "minority-refuses", "recovery"}) {
    SCOPED_TRACE(name);
    ASSERT_NE(find_checker(name), nullptr);
    const Verdict verdict =
        find_checker(name)->check(history::History(), CheckOptions(), std::stop_token());
    EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
    EXPECT_FALSE(verdict.summary.empty());
  }
}

}  // namespace
}  // namespace sunder::checkers
