// Judge: verdicts become exit codes, idle faults and deaths are never silent, an overloaded host
// blames nobody.

#include "harness/run/judge.hpp"

#include <gtest/gtest.h>

#include "harness/history/text.hpp"

namespace sunder::run {
namespace {

using checkers::VerdictKind;

nodes::Mode mode_with(nodes::Promise promise) {
  nodes::Mode mode;
  mode.name = "raft";
  mode.promises.push_back(std::move(promise));
  return mode;
}

const report::PromiseResult& find(const std::vector<report::PromiseResult>& results,
                                  std::string_view name) {
  for (const report::PromiseResult& result : results) {
    if (result.name == name) return result;
  }
  throw std::runtime_error("no such promise");
}

TEST(Judge, APromiseWhoseFaultsWereNotRequestedIsNotApplicable) {
  nodes::Promise promise;
  promise.name = "durable";
  promise.checker = "durability";
  promise.needs = {"kill"};
  const auto results = judge(mode_with(promise), {}, {}, {}, {});
  EXPECT_EQ(find(results, "durable").verdict.kind, VerdictKind::not_applicable);
}

// A write that is acknowledged, and a read that begins after it and finds nothing.
history::History stale_read() {
  auto stale = history::read_history(
      R"({"process":0,"type":"invoke","f":"write","value":5}
{"process":0,"type":"ok","f":"write","value":5}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":null}
)",
      "test");
  EXPECT_TRUE(stale.has_value());
  return std::move(stale->history);
}

TEST(Judge, APromiseThatIsNotClaimedUnderARequestedFaultIsAPrice) {
  nodes::Promise promise;
  promise.name = "fresh";
  promise.condition = "always";
  promise.checker = "fresh-reads";
  promise.unless = {"clock-jump", "clock-skew"};
  JudgeOptions options;
  options.families = {"clock-skew"};
  const auto results = judge(mode_with(promise), stale_read(), {}, options, {});
  EXPECT_EQ(find(results, "fresh").verdict.kind, VerdictKind::not_applicable);
  EXPECT_TRUE(find(results, "fresh").price);
  EXPECT_EQ(find(results, "fresh").condition, "always; not promised under: clock-jump, clock-skew");
  EXPECT_NE(exit_code_of(results), ExitCode::broken);
  options.families = {"kill"};
  const auto others = judge(mode_with(promise), stale_read(), {}, options, {});
  EXPECT_EQ(find(others, "fresh").verdict.kind, VerdictKind::broken);
  EXPECT_EQ(find(others, "fresh").condition, "always");
}

// What a mode gives up is told when it is seen, with its counter-example, and breaks nothing.
TEST(Judge, APriceIsToldAndBreaksNothing) {
  nodes::Promise promise;
  promise.name = "linearizable";
  promise.checker = "linearizable";
  promise.price = true;
  const auto results = judge(mode_with(promise), stale_read(), {}, {}, {});
  const report::PromiseResult& paid = find(results, "linearizable");
  EXPECT_TRUE(paid.price);
  EXPECT_EQ(paid.verdict.kind, VerdictKind::not_applicable);
  EXPECT_FALSE(paid.verdict.counterexamples.empty());
  EXPECT_EQ(exit_code_of(results), ExitCode::kept);
  const auto unseen = judge(mode_with(promise), {}, {}, {}, {});
  EXPECT_EQ(find(unseen, "linearizable").verdict.kind, VerdictKind::not_applicable);
  EXPECT_FALSE(find(unseen, "linearizable").price);
}

TEST(Judge, AnUnknownCheckerIsUndeterminedNotKept) {
  nodes::Promise promise;
  promise.name = "x";
  promise.checker = "no-such-checker";
  const auto results = judge(mode_with(promise), {}, {}, {}, {});
  EXPECT_EQ(find(results, "x").verdict.kind, VerdictKind::undetermined);
  EXPECT_EQ(exit_code_of(results), ExitCode::undetermined);
}

TEST(Judge, ARequestedFamilyThatNeverBitProvesNothing) {
  history::RunContext context;
  history::FaultRecord fault;
  fault.family = "partition";
  fault.exercised = true;
  context.faults.push_back(fault);
  JudgeOptions options;
  options.families = {"kill", "partition"};
  const auto results = judge({}, {}, context, options, {});
  EXPECT_EQ(find(results, "faults-bit").verdict.kind, VerdictKind::not_exercised);
  EXPECT_EQ(exit_code_of(results), ExitCode::undetermined);
  options.families = {"partition"};
  EXPECT_EQ(exit_code_of(judge({}, {}, context, options, {})), ExitCode::kept);
}

// A counter that goes back while an addition is under way keeps its bounds, not more.
TEST(Judge, TellsTheStrongestModelThatTheRunDoesNotRefute) {
  const auto read = history::read_history(
      R"({"process":0,"type":"invoke","f":"add","value":5}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":5}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":0}
{"process":0,"type":"ok","f":"add","value":5}
)",
      "test");
  ASSERT_TRUE(read.has_value());
  nodes::Promise promise;
  promise.name = "linearizable";
  promise.checker = "linearizable";
  promise.model = "counter";
  const auto results = judge(mode_with(promise), read->history, {}, {}, {});
  const checkers::Verdict& placed = find(results, "strongest-model").verdict;
  EXPECT_EQ(placed.kind, VerdictKind::kept);
  EXPECT_EQ(placed.summary, "strongest not refuted: bounds; next stronger, refuted: linearizable");
  EXPECT_EQ(placed.counterexamples.size(), 1U);
}

TEST(Judge, ANodeThatEndedByItselfBreaksThePromiseToStayUp) {
  JudgeOptions options;
  options.unexpected_deaths = {"n3 ended by itself (signal 6) at 4.200 s"};
  const auto results = judge({}, {}, {}, options, {});
  EXPECT_EQ(find(results, "stays-up").verdict.kind, VerdictKind::broken);
  EXPECT_EQ(exit_code_of(results), ExitCode::broken);
}

TEST(Judge, DoesNotPraiseNodesOfARunThatDiedBeforeItCouldSay) {
  JudgeOptions options;
  options.deaths_known = false;
  EXPECT_EQ(find(judge({}, {}, {}, options, {}), "stays-up").verdict.kind,
            VerdictKind::undetermined);
}

}  // namespace
}  // namespace sunder::run
