// Whether sagas ended in time, against brute force, on random small runs of up to three sagas.
//
// A run has a truth, when each saga began and ended, of which some is shown. The oracle goes
// through every truth in whole milliseconds that agrees with what was shown: kept is what all of
// them keep, broken what none of them keeps. It reads no rows and shares no code with the checker.
// Every run is a function of its seed, which a failure prints with the history; SUNDER_CASES sets
// how many there are (10,000 by default).

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/saga_fixture.hpp"

namespace sunder::checkers {
namespace {

constexpr std::int64_t kLast = 13;  // ms; nothing that is shown is later
constexpr std::int64_t kEndsWithin = 4;

struct Life {
  std::int64_t begin = 0;
  std::int64_t end = 0;  // kLast + 1: never
};

using Truth = std::vector<Life>;

struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Order {
  Span span;
  bool answered = false;  // with its end
};

// "Still open", in answer to somebody who asked how an order stands.
struct SaidOpen {
  std::size_t saga = 0;
  Span span;
};

struct Count {
  Span span;
  std::int64_t open = 0;
};

struct Event {
  std::size_t saga = 0;
  bool ended = false;
  std::int64_t time = 0;
  std::size_t settled = 0;  // all sagas of lower index had ended, this one had not
};

struct Shown {
  std::int64_t heal = 0;
  bool held_up = false;
  std::vector<Order> orders;
  std::vector<SaidOpen> said_open;
  std::vector<Count> counts;
  std::vector<Event> events;
  Span read;
  std::vector<bool> ended;  // as read
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Shown make() {
    Shown shown;
    if (random_.chance(0.9)) shown.heal = random_.between(1, 5);
    shown.held_up = random_.chance(0.9);
    Truth truth(1 + random_.below(3));
    for (Life& life : truth) life.begin = random_.between(0, 8);
    std::ranges::sort(truth, {}, &Life::begin);
    for (Life& life : truth) {
      life.end = std::min(life.begin + random_.between(0, random_.chance(0.7) ? 4 : 12), kLast + 1);
    }
    for (const Life& life : truth) show_order(life, shown);
    for (std::size_t i = 0; i < truth.size(); ++i) show_events(truth, i, shown);
    if (random_.chance(0.3)) show_said_open(truth, shown);
    for (std::uint64_t asks = random_.below(3); asks > 0; --asks) show_count(truth, shown);
    shown.read = span_around(random_.between(9, kLast));
    for (const Life& life : truth) shown.ended.push_back(life.end <= shown.read.begin);
    return shown;
  }

 private:
  Span span_around(std::int64_t time) {
    return {.begin = std::max<std::int64_t>(0, time - random_.between(0, 2)),
            .end = std::min(kLast, time + random_.between(0, 2))};
  }

  void show_order(const Life& life, Shown& shown) {
    Order order{.span = {.begin = std::max<std::int64_t>(0, life.begin - random_.between(0, 2)),
                         .end = std::min(kLast, life.begin + 1)}};
    order.answered = life.end < kLast && random_.chance(0.3);
    if (order.answered) order.span.end = std::min(kLast, life.end + random_.between(0, 2));
    shown.orders.push_back(order);
  }

  void show_events(const Truth& truth, std::size_t saga, Shown& shown) {
    const Life& life = truth[saga];
    const std::int64_t told = std::min(kLast, life.begin + random_.between(0, 1));
    if (random_.chance(0.4)) shown.events.push_back({.saga = saga, .time = told});
    if (life.end > kLast || !random_.chance(0.3)) return;
    Event event{.saga = saga, .ended = true, .time = life.end};
    while (event.settled < truth.size() && truth[event.settled].end <= life.end) ++event.settled;
    shown.events.push_back(event);
  }

  void show_said_open(const Truth& truth, Shown& shown) {
    const auto saga = static_cast<std::size_t>(random_.below(truth.size()));
    const Life& life = truth[saga];
    const std::int64_t time = random_.between(life.begin, std::min(kLast, life.end));
    shown.said_open.push_back({.saga = saga, .span = span_around(time)});
  }

  void show_count(const Truth& truth, Shown& shown) {
    const std::int64_t time = random_.between(4, kLast);
    Count count{.span = span_around(time)};
    for (const Life& life : truth) count.open += life.begin <= time && time < life.end ? 1 : 0;
    shown.counts.push_back(count);
  }

  base::Random random_;
};

// ---- the oracle

bool agrees(const Shown& shown, std::size_t saga, const Life& life) {
  const Order& order = shown.orders[saga];
  if (life.begin < order.span.begin) return false;
  if (order.answered && life.end > order.span.end) return false;
  if (life.begin > shown.read.end) return false;
  if (shown.ended[saga] ? life.end > shown.read.end : life.end < shown.read.begin) return false;
  for (const SaidOpen& said : shown.said_open) {
    if (said.saga != saga) continue;
    if (life.begin > said.span.end || life.end < said.span.begin) return false;
  }
  for (const Event& event : shown.events) {
    if (event.saga == saga && life.begin > event.time) return false;
    if (!event.ended) continue;
    if (event.saga == saga && life.end != event.time) return false;
    if (saga < event.settled && life.end > event.time) return false;
    if (saga == event.settled && life.begin <= event.time && life.end < event.time) return false;
  }
  return true;
}

bool agrees(const Shown& shown, const Truth& truth) {
  return std::ranges::all_of(shown.counts, [&](const Count& count) {
    for (std::int64_t at = count.span.begin; at <= count.span.end; ++at) {
      const auto open = std::ranges::count_if(
          truth, [at](const Life& life) { return life.begin <= at && at < life.end; });
      if (open == count.open) return true;
    }
    return false;
  });
}

bool is_kept(const Shown& shown, const Truth& truth) {
  return std::ranges::all_of(truth, [&](const Life& life) {
    return life.end - std::max(life.begin, shown.heal) <= kEndsWithin;
  });
}

struct Possible {
  bool kept = false;
  bool broken = false;
};

void go_through(const Shown& shown,
                const std::vector<std::vector<Life>>& lives,
                Truth& truth,
                Possible& possible) {
  if (possible.kept && possible.broken) return;
  if (truth.size() == lives.size()) {
    if (!agrees(shown, truth)) return;
    (is_kept(shown, truth) ? possible.kept : possible.broken) = true;
    return;
  }
  for (const Life& life : lives[truth.size()]) {
    if (!truth.empty() && life.begin < truth.back().begin) continue;
    truth.push_back(life);
    go_through(shown, lives, truth, possible);
    truth.pop_back();
  }
}

VerdictKind by_brute_force(const Shown& shown) {
  std::vector<std::vector<Life>> lives(shown.orders.size());
  for (std::size_t saga = 0; saga < lives.size(); ++saga) {
    for (std::int64_t begin = 0; begin <= kLast; ++begin) {
      for (std::int64_t end = begin; end <= kLast + 1; ++end) {
        const Life life{.begin = begin, .end = end};
        if (agrees(shown, saga, life)) lives[saga].push_back(life);
      }
    }
  }
  Truth truth;
  Possible possible;
  go_through(shown, lives, truth, possible);
  if (possible.kept == possible.broken) return VerdictKind::undetermined;
  if (possible.broken) return VerdictKind::broken;
  return shown.heal > 0 && shown.held_up ? VerdictKind::kept : VerdictKind::not_exercised;
}

// ---- the same run as the checker sees it

void tell(const Event& event, SagaFixture& fixture) {
  history::NodeEvent told;
  told.node = "n1";
  told.time = RunFixture::ms(event.time);
  told.event = event.ended ? "saga-ended" : "saga-began";
  told.numbers = {{"saga", static_cast<std::int64_t>(event.saga) + 1}};
  if (event.ended) {
    told.numbers.emplace_back("took_us", 1000);
    told.numbers.emplace_back("settled_below", static_cast<std::int64_t>(event.settled) + 1);
  }
  fixture.run.context.events.push_back(told);
}

SagaFixture fixture_of(const Shown& shown) {
  SagaFixture fixture;
  fixture.run.parameters = {{"ends_within_ms", kEndsWithin}};
  if (shown.heal > 0) {
    fixture.run.kill({1}, 0, shown.heal - 1);
    // One that did not bite counts for nothing.
    fixture.run.kill({2}, 0, 60).exercised = false;
  }
  history::ValuePool& pool = fixture.run.builder.pool();
  std::int64_t process = 0;
  for (std::size_t i = 0; i < shown.orders.size(); ++i) {
    const Order& order = shown.orders[i];
    const std::string id = fmt::format("o{}", i + 1);
    fixture.run.call({.process = ++process,
                      .function = "order",
                      .key = id,
                      .begin = order.span.begin,
                      .end = order.span.end,
                      .outcome = order.answered ? history::Outcome::ok : history::Outcome::info,
                      .output = order.answered ? pool.text("confirmed") : history::Value()});
    fixture.saga(i + 1, shown.ended[i] ? "done" : "forward");
  }
  if (shown.held_up) {
    // Not judged itself: it was over before anything else began.
    history::NodeEvent event;
    event.event = "saga-ended";
    event.numbers = {{"took_us", 300'000}};
    fixture.run.context.events.push_back(event);
  }
  for (const SaidOpen& said : shown.said_open) {
    fixture.run.call({.process = ++process,
                      .function = "status",
                      .key = fmt::format("o{}", said.saga + 1),
                      .begin = said.span.begin,
                      .end = said.span.end,
                      .output = pool.text("open")});
  }
  for (const Count& count : shown.counts) {
    fixture.run.call({.process = ++process,
                      .function = "open",
                      .key = "",
                      .begin = count.span.begin,
                      .end = count.span.end,
                      .output = history::Value::integer(count.open)});
  }
  for (const Event& event : shown.events) tell(event, fixture);
  fixture.asks_open = false;
  fixture.time = shown.read.begin;
  fixture.page_takes = shown.read.end - shown.read.begin;
  return fixture;
}

TEST(SagaCheckers, EndInTimeAsBruteForceSays) {
  const std::uint64_t cases = test::case_count();
  std::map<VerdictKind, std::uint64_t> seen;
  std::uint64_t open = 0;
  const auto judge = [&](std::uint64_t seed) -> std::string {
    const Shown shown = Maker(seed).make();
    const VerdictKind expected = by_brute_force(shown);
    SagaFixture fixture = fixture_of(shown);
    const Verdict verdict = fixture.check("saga-ends-in-time");
    ++seen[verdict.kind];
    if (verdict.kind == expected) return {};
    // What only many facts together show, the checker may leave open.
    if (verdict.kind == VerdictKind::undetermined) {
      ++open;
      return {};
    }
    const std::string where =
        fmt::format("{}\n{}", verdict.summary, history::to_jsonl(fixture.judged));
    return test::disagreement(name_of(expected), name_of(verdict.kind), where);
  };
  if (!test::check_seeds(cases, judge)) return;
  EXPECT_LT(open, cases / 50);
  for (const VerdictKind kind : {VerdictKind::kept,
                                 VerdictKind::broken,
                                 VerdictKind::undetermined,
                                 VerdictKind::not_exercised}) {
    EXPECT_GT(seen[kind], cases / 50) << name_of(kind);
  }
}

}  // namespace
}  // namespace sunder::checkers
