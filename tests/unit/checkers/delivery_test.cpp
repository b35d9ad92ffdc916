// The checkers of deliveries against brute force on random small histories, and their exercise
// rules on runs written by hand.
//
// Every case is a function of its seed; a failure prints it with the smallest part of its history
// that fails, too. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/work_queue_oracle.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Outcome;
using history::Value;

bool accused(const history::History& history, test::WorkQueueLimits limits) {
  CheckOptions options;
  options.parameters = {{"deliveries_max", static_cast<double>(limits.deliveries_max)},
                        {"length_max", static_cast<double>(limits.length_max)}};
  const auto verdict = check_model(history, "work-queue", options, {});
  EXPECT_TRUE(verdict.has_value());
  return verdict.has_value() && verdict->kind == VerdictKind::broken;
}

// How often brute force could not explain a queue, and how often the checker accused it.
struct Accusations {
  std::uint64_t impossible = 0;
  std::uint64_t told = 0;
};

// Queues with limits that the seed chooses; `exact`: what brute force cannot explain is accused.
std::optional<Accusations> compare(test::SmallWorkQueueOptions small, bool exact) {
  Accusations count;
  const auto limits_of = [length_max = small.limits.length_max](std::uint64_t seed) {
    return test::WorkQueueLimits{.deliveries_max = 1 + static_cast<std::int64_t>(seed % 3),
                                 .length_max = length_max};
  };
  const auto make = [&](std::uint64_t seed) {
    small.seed = seed;
    small.limits = limits_of(seed);
    return test::small_work_queue_history(small);
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const test::WorkQueueLimits limits = limits_of(random.seed);
    const bool impossible = !test::work_queue_oracle(random.history, limits);
    const bool told = accused(random.history, limits);
    count.impossible += impossible ? 1U : 0U;
    count.told += told ? 1U : 0U;
    if (told && !impossible) return "accused of what brute force explains";
    return exact && impossible && !told ? "not accused of what brute force cannot explain" : "";
  };
  if (!test::check_histories(test::case_count(), make, judge)) return std::nullopt;
  return count;
}

TEST(Delivery, OwnershipAgreesWithBruteForce) {
  const auto count = compare({}, true);
  if (!count) return;
  const std::uint64_t cases = test::case_count();
  EXPECT_GT(count->impossible, cases / 10);
  EXPECT_LT(count->impossible, cases - cases / 10);
}

// Receives of unknown outcome explain much, and counts are judged by what was surely or possibly
// there: what brute force can explain is never accused, and most of what it cannot is.
TEST(Delivery, NeverAccusesWhatBruteForceExplains) {
  test::SmallWorkQueueOptions small;
  small.unknown_receives = true;
  small.counts = true;
  small.limits.length_max = 2;
  const auto count = compare(small, false);
  if (!count) return;
  EXPECT_GT(count->impossible, test::case_count() / 10);
  EXPECT_GT(count->told * 10, count->impossible * 8) << "of " << count->impossible;
}

// A run of one queue, written by hand; times in ms, each operation takes one.
class QueueRun {
 public:
  RunFixture fixture{3, 3};

  void send(std::int64_t number, std::int64_t at, Outcome outcome = Outcome::ok) {
    add("send", "q", at, outcome, body(number), Value::integer(number));
  }

  void receive(std::int64_t number, std::int64_t receipt, std::int64_t at, bool dead = false) {
    history::ValuePool& pool = fixture.builder.pool();
    const Value got = pool.list({Value::integer(number), Value::integer(receipt), body(number)});
    add("receive", dead ? "q.dead" : "q", at, Outcome::ok, Value::integer(kVisibility), got);
  }

  void find_nothing(std::int64_t at) {
    add("receive", "q", at, Outcome::ok, Value::integer(kVisibility), Value::nil());
  }

  void use(std::string_view what, std::int64_t number, std::int64_t receipt, std::int64_t at) {
    const Value input =
        fixture.builder.pool().list({Value::integer(number), Value::integer(receipt)});
    add(what, "q", at, Outcome::ok, input, {});
  }

  void count(std::int64_t total, std::int64_t at) {
    const Value none = Value::integer(0);
    add("stat",
        "q",
        at,
        Outcome::ok,
        {},
        fixture.builder.pool().list({Value::integer(total), none, none}));
  }

  void be_refused(std::int64_t at) {
    fixture.call({.function = "send",
                  .key = "q",
                  .begin = at,
                  .end = at + 1,
                  .outcome = Outcome::fail,
                  .input = body(1'000'000 + at),
                  .error = "refused: BUSY"});
  }

  // Sends, receives and acknowledges so many, one each 10 ms from 0 on.
  void work(std::int64_t messages) {
    for (std::int64_t i = 1; i <= messages; ++i) {
      send(i, i * 10);
      receive(i, 1, i * 10 + 2);
      use("ack", i, 1, i * 10 + 4);
    }
  }

  static constexpr std::int64_t kVisibility = 100;

 private:
  Value body(std::int64_t number) { return fixture.builder.pool().text(std::to_string(number)); }

  void add(std::string_view function,
           std::string_view key,
           std::int64_t at,
           Outcome outcome,
           Value input,
           Value output) {
    fixture.call({.function = function,
                  .key = key,
                  .begin = at,
                  .end = at + 1,
                  .outcome = outcome,
                  .input = input,
                  .output = output});
  }
};

TEST(DeliveryPromises, NothingLostNeedsFiftyMessagesThatACountCovers) {
  for (const auto& [messages, total, expected] :
       std::vector<std::tuple<std::int64_t, std::int64_t, VerdictKind>>{
           {50, 0, VerdictKind::kept}, {49, 0, VerdictKind::not_exercised}}) {
    QueueRun run;
    run.work(messages);
    run.count(total, 9000);
    EXPECT_EQ(run.fixture.check("at-least-once").kind, expected) << messages;
  }
  QueueRun early;
  early.work(50);
  early.count(0, 0);
  EXPECT_EQ(early.fixture.check("at-least-once").kind, VerdictKind::not_exercised);
  QueueRun lost;
  lost.work(50);
  lost.send(51, 8000);
  lost.count(0, 9000);
  const Verdict verdict = lost.fixture.check("at-least-once");
  EXPECT_EQ(verdict.kind, VerdictKind::broken);
  EXPECT_NE(verdict.summary.find("message 51"), std::string::npos) << verdict.summary;
  EXPECT_EQ(verdict.figures.size(), 2U);
}

TEST(DeliveryPromises, NoPhantomNeedsFiftyMessages) {
  QueueRun few;
  few.work(49);
  EXPECT_EQ(few.fixture.check("no-phantom").kind, VerdictKind::not_exercised);
  QueueRun enough;
  enough.work(50);
  EXPECT_EQ(enough.fixture.check("no-phantom").kind, VerdictKind::kept);
  QueueRun back;
  back.work(50);
  back.receive(7, 2, 5000);
  EXPECT_EQ(back.fixture.check("no-phantom").kind, VerdictKind::broken);
}

// Ten messages that are received, not acknowledged, and received again `again` ms later.
void expire_ten(QueueRun& run, std::int64_t again) {
  for (std::int64_t i = 1; i <= 10; ++i) {
    run.send(i, i * 5);
    run.receive(i, 1, 100 + i * 5);
    run.receive(i, 2, 100 + i * 5 + again);
    run.use("ack", i, 2, 100 + i * 5 + again + 2);
  }
}

TEST(DeliveryPromises, ExclusiveNeedsTenMessagesThatCameAgain) {
  QueueRun kept;
  expire_ten(kept, 150);
  EXPECT_EQ(kept.fixture.check("exclusive").kind, VerdictKind::kept);
  QueueRun early;
  expire_ten(early, 98);
  EXPECT_EQ(early.fixture.check("exclusive").kind, VerdictKind::broken);
  QueueRun none;
  none.work(60);
  EXPECT_EQ(none.fixture.check("exclusive").kind, VerdictKind::not_exercised);
}

// A receive at `empty` finds nothing although message 11 was due since 1100.
Verdict overdue_run(std::int64_t empty, bool fault) {
  QueueRun run;
  expire_ten(run, 150);
  run.send(11, 990);
  run.receive(11, 1, 998);
  if (fault) run.fixture.kill({1}, 1500, 2500);
  run.find_nothing(empty);
  run.fixture.parameters = {{"redeliver_within_ms", 1000}, {"deliveries_max", 5}};
  return run.fixture.check("redelivered");
}

TEST(DeliveryPromises, AMessageThatIsDueIsFoundByAReceiveAtRest) {
  // Due at 1099; a second and a visibility time later it must be there.
  EXPECT_EQ(overdue_run(2205, false).kind, VerdictKind::broken);
  EXPECT_EQ(overdue_run(2150, false).kind, VerdictKind::kept) << "it may take that long";
  EXPECT_EQ(overdue_run(2205, true).kind, VerdictKind::not_exercised) << "a fault stands";
  EXPECT_EQ(overdue_run(3000, true).kind, VerdictKind::not_exercised) << "not yet at rest";
  EXPECT_EQ(overdue_run(3700, true).kind, VerdictKind::broken);
}

TEST(DeliveryPromises, DeadLettersNeedThreeAndGiveThatNumberOfDeliveries) {
  for (const auto& [letters, receipts, expected] :
       std::vector<std::tuple<std::int64_t, std::int64_t, VerdictKind>>{
           {3, 2, VerdictKind::kept},
           {2, 2, VerdictKind::not_exercised},
           {3, 1, VerdictKind::broken},
           {3, 3, VerdictKind::broken}}) {
    QueueRun run;
    for (std::int64_t i = 1; i <= letters; ++i) {
      run.send(i, i * 100);
      for (std::int64_t receipt = 1; receipt <= receipts; ++receipt) {
        run.receive(i, receipt, i * 100 + receipt * 10);
        run.use("nack", i, receipt, i * 100 + receipt * 10 + 2);
      }
      run.receive(i, 1, i * 100 + 90, true);
    }
    run.fixture.parameters = {{"deliveries_max", 2}};
    EXPECT_EQ(run.fixture.check("dead-letters").kind, expected) << letters << " " << receipts;
  }
}

TEST(DeliveryPromises, BoundedNeedsFiveRefusalsOfAFullQueue) {
  for (const auto& [limit, refusals, expected] :
       std::vector<std::tuple<double, std::int64_t, VerdictKind>>{
           {4, 5, VerdictKind::kept},
           {4, 4, VerdictKind::not_exercised},
           {3, 5, VerdictKind::broken},
           {5, 5, VerdictKind::broken}}) {
    QueueRun run;
    for (std::int64_t i = 1; i <= 4; ++i) run.send(i, i * 10);
    for (std::int64_t i = 1; i <= refusals; ++i) run.be_refused(100 + i * 10);
    run.fixture.parameters = {{"length_max", limit}};
    EXPECT_EQ(run.fixture.check("bounded").kind, expected) << limit << " " << refusals;
  }
}

// Six messages wait when all nodes are killed; `seen` of them come afterwards.
Verdict crash_run(std::int64_t seen, std::int64_t counted, bool killed = true) {
  QueueRun run;
  for (std::int64_t i = 1; i <= 6; ++i) run.send(i, i * 10);
  if (killed) run.fixture.kill({1, 2, 3}, 500, 600);
  run.count(counted, 1000);
  for (std::int64_t i = 1; i <= seen; ++i) run.receive(i, 1, 2000 + i * 10);
  return run.fixture.check("delivery-durability");
}

TEST(DeliveryPromises, MessagesSurviveTheEndOfAllNodes) {
  EXPECT_EQ(crash_run(6, 6).kind, VerdictKind::kept);
  EXPECT_EQ(crash_run(4, 6).kind, VerdictKind::not_exercised);
  EXPECT_EQ(crash_run(5, 5).kind, VerdictKind::broken);
  EXPECT_EQ(crash_run(5, 5, false).kind, VerdictKind::not_exercised) << "nobody crashed";
}

}  // namespace
}  // namespace sunder::checkers
