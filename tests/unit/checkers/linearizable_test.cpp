#include <string>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/linearizability.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::checkers {
namespace {

history::History read(std::string_view text) {
  auto result = history::read_history(text, "test");
  EXPECT_TRUE(result.has_value()) << result.error().message();
  return std::move(result->history);
}

Verdict check(const history::History& history, std::string_view model = "register") {
  auto verdict = check_model(history, model, {}, {});
  EXPECT_TRUE(verdict.has_value());
  return std::move(*verdict);
}

TEST(Linearizability, CallsAnEmptyHistoryUndetermined) {
  const Verdict verdict = check(read(""));
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("nothing observed"), std::string::npos);
}

TEST(Linearizability, CallsAHistoryWithoutResultsUndetermined) {
  const Verdict verdict = check(read(R"({"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"info","f":"write","value":1}
{"process":1,"type":"invoke","f":"read","value":null}
{"process":1,"type":"fail","f":"read","value":null,"error":"no-leader"}
)"));
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("nothing observed"), std::string::npos);
}

TEST(Linearizability, DoesNotJudgeOperationsThatTheModelDoesNotKnow) {
  const Verdict verdict = check(read(R"({"process":0,"type":"invoke","f":"enqueue","value":1}
{"process":0,"type":"ok","f":"enqueue","value":1}
)"));
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("enqueue"), std::string::npos) << verdict.summary;
}

TEST(Linearizability, NamesTheStaleReadWithValuesProcessesAndTimes) {
  const Verdict verdict = check(read(
      R"({"time":0,"process":2,"type":"invoke","f":"write","key":"x","value":1}
{"time":1000000,"process":2,"type":"ok","f":"write","key":"x","value":1}
{"time":2000000,"process":3,"type":"invoke","f":"write","key":"x","value":2}
{"time":3000000,"process":3,"type":"ok","f":"write","key":"x","value":2}
{"time":1303000000,"process":6,"type":"invoke","f":"read","key":"x","value":null}
{"time":1304000000,"process":6,"type":"ok","f":"read","key":"x","value":1}
)"));
  ASSERT_EQ(verdict.kind, VerdictKind::broken);
  ASSERT_EQ(verdict.counterexamples.size(), 1U);
  const Counterexample& example = verdict.counterexamples.front();
  EXPECT_EQ(example.title, "lost write");
  EXPECT_EQ(example.key, "x");
  EXPECT_EQ(example.first_error, 2U);
  EXPECT_EQ(
      example.why,
      "p6 read 1 although p3's write of 2 had been acknowledged 1.3s before, and p2's write of "
      "1 had ended 1ms before p3's write of 2 began (key x)");
}

TEST(Linearizability, FindsAStaleReadInAMillionthOfAHistory) {
  test::RegisterOptions options;
  options.operations = 20'000;
  options.unknown_per_mille = 50;
  EXPECT_EQ(check(test::register_history(options)).kind, VerdictKind::kept);
  options.violation = true;
  const Verdict verdict = check(test::register_history(options));
  EXPECT_EQ(verdict.kind, VerdictKind::broken);
  EXPECT_FALSE(verdict.summary.empty());
}

TEST(Linearizability, SaysWhenTheTimeBudgetIsUsedUp) {
  // Unique writes of 32 clients on one key, without the closed form: far beyond any search.
  test::RegisterOptions hard;
  hard.operations = 2000;
  hard.violation = true;
  CheckOptions options;
  options.time_budget = std::chrono::milliseconds(30);
  const Verdict verdict = check_linearizability(test::register_history(hard),
                                                *find_search_model("register"),
                                                options,
                                                {},
                                                {.closed_form = false});
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("time budget"), std::string::npos) << verdict.summary;
}

TEST(Linearizability, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const Verdict verdict = check_linearizability(
      test::register_history({}), *find_search_model("register"), {}, source.get_token());
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("stopped"), std::string::npos) << verdict.summary;
}

TEST(Linearizability, GivesTheSameAnswerOnAnyNumberOfThreads) {
  test::RegisterOptions many;
  many.operations = 5000;
  many.keys = 40;
  many.violation = true;
  const history::History history = test::register_history(many);
  CheckOptions options;
  options.threads = 1;
  const Verdict one = check_linearizability(history, *find_search_model("register"), options, {});
  options.threads = 4;
  const Verdict four = check_linearizability(history, *find_search_model("register"), options, {});
  EXPECT_EQ(one.kind, VerdictKind::broken);
  EXPECT_EQ(one.summary, four.summary);
}

class LinearizablePromise : public testing::Test {
 protected:
  LinearizablePromise() { context_.nodes = {"n1", "n2", "n3"}; }

  // So many acknowledged writes, one a millisecond.
  static history::History writes(int count) {
    history::HistoryBuilder builder;
    for (int i = 0; i < count; ++i) {
      history::Operation operation;
      operation.function = history::Function::write;
      operation.input = history::Value::integer(i);
      operation.outcome = history::Outcome::ok;
      operation.invoke = 2 * i;
      operation.complete = 2 * i + 1;
      operation.invoke_time = 1'000'000LL * i;
      operation.complete_time = operation.invoke_time + 500'000;
      builder.add(operation);
    }
    return builder.finish();
  }

  [[nodiscard]] Verdict promise(const history::History& history) const {
    CheckOptions options;
    options.context = &context_;
    return find_checker("linearizable")->check(history, options, {});
  }

  void add_fault(std::int64_t begin, bool exercised) {
    history::FaultRecord fault;
    fault.family = "kill";
    fault.active = {begin, begin + 10'000'000};
    fault.exercised = exercised;
    context_.faults.push_back(fault);
  }

  history::RunContext context_;
};

TEST_F(LinearizablePromise, NeedsAHundredAcknowledgedOperations) {
  EXPECT_EQ(promise(writes(100)).kind, VerdictKind::kept);
  EXPECT_EQ(promise(writes(99)).kind, VerdictKind::not_exercised);
}

TEST_F(LinearizablePromise, NeedsAnOperationThatOverlapsAFaultThatBit) {
  add_fault(50'000'000, false);
  EXPECT_EQ(promise(writes(100)).kind, VerdictKind::not_exercised);
  add_fault(900'000'000, true);
  EXPECT_EQ(promise(writes(100)).kind, VerdictKind::not_exercised);
  add_fault(50'000'000, true);
  EXPECT_EQ(promise(writes(100)).kind, VerdictKind::kept);
}

}  // namespace
}  // namespace sunder::checkers
