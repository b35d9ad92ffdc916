// The checkers of sagas: for each, a run that keeps the promise, neighbours that break it, and one
// that proves nothing.

#include <algorithm>
#include <functional>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checkers/saga_fixture.hpp"

namespace sunder::checkers {
namespace {

using ::testing::HasSubstr;

constexpr int kDone = 12;
constexpr int kUndone = 6;

// Twelve orders done, six undone for want of an answer, one refused because nothing was left; a
// kill of all services in the middle and another service's pause later.
SagaFixture healthy() {
  SagaFixture fixture;
  for (int i = 1; i <= kDone; ++i) {
    fixture.order("o" + std::to_string(i), "confirmed");
    fixture.saga(static_cast<std::uint64_t>(i), "done");
  }
  fixture.time = 1000;
  fixture.run.kill({1, 2, 3, 4}, 400, 600);
  for (int i = kDone + 1; i <= kDone + kUndone; ++i) {
    fixture.order("o" + std::to_string(i), "refused: payment: no answer");
    fixture.saga(static_cast<std::uint64_t>(i), "undone", "payment: no answer");
  }
  fixture.order("o19", "refused: inventory: sold out");
  fixture.saga(19, "undone", "inventory: sold out");
  fixture.levels[0] = {"i1 36"};
  fixture.levels[1] = {"a1 100"};
  history::NodeEvent event;
  event.event = "saga-ended";
  event.time = RunFixture::ms(1500);
  event.numbers = {{"saga", 13}, {"took_us", 400'000}};
  event.texts = {{"order", "o13"}, {"outcome", "undone"}, {"spans", "reserve 0 400000 3"}};
  fixture.run.context.events.push_back(event);
  return fixture;
}

constexpr std::array<std::string_view, 8> kCheckers{"saga-all-or-nothing",
                                                    "saga-answers-true",
                                                    "saga-conserved",
                                                    "saga-durable",
                                                    "saga-ends-in-time",
                                                    "saga-no-orphans",
                                                    "saga-no-oversell",
                                                    "saga-once"};

TEST(SagaCheckers, KeepAHealthyRun) {
  for (const std::string_view checker : kCheckers) {
    SagaFixture fixture = healthy();
    fixture.run.parameters = {{"credit", 700}, {"stock", 60}};
    if (checker == "saga-conserved") {
      for (int i = 20; i <= 22; ++i) {
        const std::string name = std::to_string(i);
        fixture.order("o" + name, "", "j" + name, 1, "b" + name, 10, "h1");
        fixture.sagas.push_back(name + " o" + name + " done j" + name + " 1 b" + name + " 10 h1 -");
        fixture.levels[0].push_back("j" + name + " 59");
        fixture.levels[1].push_back("b" + name + " 690");
      }
    }
    const Verdict verdict = fixture.check(checker);
    EXPECT_EQ(verdict.kind, VerdictKind::kept) << checker << ": " << verdict.summary;
  }
}

struct Broken {
  std::string_view name;
  std::function<void(SagaFixture&)> change;
  std::vector<std::string_view> checkers;  // that must say so
  std::string_view why;                    // of the first
};

std::vector<Broken> broken_effects() {
  return {
      {.name = "done without a charge",
       .change = [](SagaFixture& run) { run.ledgers[1].erase(run.ledgers[1].begin()); },
       .checkers = {"saga-all-or-nothing", "saga-answers-true", "saga-durable"},
       .why = "order o1 is done, yet payment has no charge of it that stands"},
      {.name = "undone, and the reservation stands",
       .change = [](SagaFixture& run) { std::erase(run.ledgers[0], "13 release o13 i1 2"); },
       .checkers = {"saga-all-or-nothing", "saga-no-orphans", "saga-answers-true"},
       .why = "order o13 was taken back"},
      {.name = "reserved twice",
       .change = [](SagaFixture& run) { run.ledgers[0].push_back("1 reserve o1 i1 2"); },
       .checkers = {"saga-once"},
       .why = "inventory did reserve of order o1 2 times"},
      {.name = "released twice",
       .change = [](SagaFixture& run) { run.ledgers[0].push_back("13 release o13 i1 2"); },
       .checkers = {"saga-once"},
       .why = "inventory did release of order o13 2 times"},
      {.name = "released what was never reserved",
       .change = [](SagaFixture& run) { run.ledgers[0].push_back("19 release o19 i1 2"); },
       .checkers = {"saga-once"},
       .why = "nothing to undo"},
      {.name = "goods that vanished",
       .change = [](SagaFixture& run) { run.levels[0] = {"i1 34"}; },
       .checkers = {"saga-conserved"},
       .why = "i1 began with 60, 34 are left and 24 went to orders"},
      {.name = "money from nowhere",
       .change = [](SagaFixture& run) { run.levels[1] = {"a1 150"}; },
       .checkers = {"saga-conserved"},
       .why = "a1 began with 700"},
  };
}

std::vector<Broken> broken_words() {
  return {
      {.name = "an effect without a saga",
       .change =
           [](SagaFixture& run) {
             run.order("o20", "");
             run.ledgers[2].push_back("7 ship o20 h1 1");
           },
       .checkers = {"saga-no-orphans"},
       .why = "of which the log of sagas knows nothing"},
      {.name = "a step after its undo",
       .change = [](SagaFixture& run) { run.ledgers[0].push_back("13 reserve o13 i1 2"); },
       .checkers = {"saga-no-orphans", "saga-once", "saga-all-or-nothing"},
       .why = "after it had undone it"},
      {.name = "confirmed, and taken back",
       .change = [](SagaFixture& run) { run.order("o13", "confirmed"); },
       .checkers = {"saga-answers-true"},
       .why = "was answered refused and confirmed"},
      {.name = "confirmed, and forgotten",
       .change =
           [](SagaFixture& run) {
             run.time = 200;
             run.order("o20", "confirmed");
             run.time = 2000;
           },
       .checkers = {"saga-answers-true", "saga-durable"},
       .why = "the order service knows nothing of it"},
      {.name = "an order that nobody placed",
       .change = [](SagaFixture& run) { run.saga(20, "done"); },
       .checkers = {"saga-answers-true"},
       .why = "nobody placed order o20"},
      {.name = "sold more often than there is",
       .change = [](SagaFixture& run) { run.run.parameters["stock"] = 23; },
       .checkers = {"saga-no-oversell"},
       .why = "had given 24 of i1, of which there are 23"},
      {.name = "less than nothing left",
       .change = [](SagaFixture& run) { run.levels[0] = {"i1 -2"}; },
       .checkers = {"saga-no-oversell", "saga-conserved"},
       .why = "says that -2 of i1 is left"},
      {.name = "open long after the heal",
       .change =
           [](SagaFixture& run) {
             run.order("o20", "");
             run.saga(20, "undoing", "payment: no answer");
             history::NodeEvent began;
             began.event = "saga-began";
             began.time = RunFixture::ms(1300);
             began.numbers = {{"saga", 20}};
             run.run.context.events.push_back(began);
             run.time = 12'000;
           },
       .checkers = {"saga-ends-in-time"},
       .why = "was still going back"},
  };
}

TEST(SagaCheckers, FindWhatIsBroken) {
  std::vector<Broken> rows = broken_effects();
  std::ranges::move(broken_words(), std::back_inserter(rows));
  for (const Broken& row : rows) {
    for (const std::string_view checker : row.checkers) {
      SCOPED_TRACE(std::string(row.name) + ", " + std::string(checker));
      SagaFixture fixture = healthy();
      fixture.run.parameters = {{"credit", 700}, {"stock", 60}};
      row.change(fixture);
      const Verdict verdict = fixture.check(checker);
      EXPECT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
      ASSERT_FALSE(verdict.counterexamples.empty());
      if (checker != row.checkers.front()) continue;
      EXPECT_THAT(verdict.counterexamples.front().why, HasSubstr(row.why));
    }
  }
}

TEST(SagaCheckers, SayNothingOfWhatWasNotExercised) {
  for (const std::string_view checker : kCheckers) {
    SagaFixture fixture;
    fixture.order("o1", "confirmed");
    fixture.saga(1, "done");
    fixture.levels[0] = {"i1 58"};
    fixture.levels[1] = {"a1 650"};
    EXPECT_EQ(fixture.check(checker).kind, VerdictKind::not_exercised) << checker;
  }
}

TEST(SagaCheckers, SayNothingWhenTheLedgersWereNotRead) {
  for (const std::string_view checker : kCheckers) {
    if (checker == "saga-ends-in-time") continue;
    SagaFixture fixture = healthy();
    fixture.page("ledger", "payment", {}, 100);
    EXPECT_EQ(fixture.check(checker).kind, VerdictKind::undetermined) << checker;
  }
}

TEST(SagaCheckers, AnUnknownOutcomeMayBeAnything) {
  SagaFixture fixture = healthy();
  fixture.order("o20", "");
  fixture.saga(20, "done");
  fixture.order("o21", "");
  fixture.levels[0] = {"i1 34"};
  fixture.levels[1] = {"a1 50"};
  EXPECT_EQ(fixture.check("saga-answers-true").kind, VerdictKind::kept);
}

TEST(SagaCheckers, ASagaThatHasNotEndedIsNotJudgedByItsEffects) {
  SagaFixture fixture = healthy();
  fixture.order("o20", "");
  fixture.sagas.push_back("20 o20 undoing i1 2 a1 50 h1 payment: no answer");
  fixture.ledgers[0].push_back("20 reserve o20 i1 2");
  EXPECT_EQ(fixture.check("saga-no-orphans").kind, VerdictKind::kept);
}

TEST(SagaCheckers, DrawTheWayOfTheSagas) {
  SagaFixture fixture = healthy();
  const Verdict verdict = fixture.check("saga-all-or-nothing");
  ASSERT_EQ(verdict.figures.size(), 3U);
  const Flow& flow = std::get<Flow>(verdict.figures[0].body);
  EXPECT_EQ(flow.states.front().count, kDone + kUndone + 1);
  EXPECT_EQ(flow.states[3].count, kDone);
  const Gantt& gantt = std::get<Gantt>(verdict.figures[2].body);
  ASSERT_EQ(gantt.spans.size(), 1U);
  EXPECT_EQ(gantt.spans.front().window.begin, RunFixture::ms(1100));
  EXPECT_EQ(gantt.spans.front().window.end, RunFixture::ms(1500));
}

}  // namespace
}  // namespace sunder::checkers
