// The checkers of sagas against a naive oracle, on random small worlds, mostly right and sometimes
// not.
//
// The oracle asks its questions of the world that the generator made, by definition and in
// quadratic time; it reads no rows and shares no code with the checkers. Every world is a function
// of its seed, which a failure prints with the history; SUNDER_CASES sets how many there are
// (10,000 by default).

#include <functional>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/saga_fixture.hpp"

namespace sunder::checkers {
namespace {

constexpr std::int64_t kThere = 5;  // of each item, and of each account

enum class End { done, undone, open, absent };

struct Deed {
  int order = 0;
  bool undo = false;
};

struct PlacedOrder {
  End end = End::done;
  int answer = 0;  // 1 confirmed, -1 refused, 0 nobody knows
  std::array<int, 2> object{};
  std::array<std::int64_t, 2> amount{};
};

// Somebody asked how an order stands; times in ms.
struct Asked {
  int order = 0;
  int answer = 0;  // as above; 0 is said, too: still open, or not known
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

constexpr std::int64_t kOrderEvery = 10;  // ms; it is answered after 5

struct World {
  std::vector<PlacedOrder> orders;
  std::vector<Asked> asked;
  int crash_after = -1;  // so many orders all services died at once; -1: never
  std::array<std::vector<Deed>, 3> deeds;
  std::array<std::map<int, std::int64_t>, 2> left;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  World make() {
    World world;
    const int orders = 1 + below(4);
    for (int i = 0; i < orders; ++i) {
      PlacedOrder order;
      order.end = pick({End::done, End::done, End::undone, End::undone, End::open, End::absent});
      order.answer = order.end == End::done ? 1 : order.end == End::undone ? -1 : 0;
      if (below(4) == 0) order.answer = 0;
      if (below(25) == 0) order.answer = below(3) - 1;
      order.object = {below(2), below(2)};
      order.amount = {1 + below(3), 1 + below(3)};
      world.orders.push_back(order);
      for (int step = 0; step < 3; ++step) act(world, i, step);
    }
    for (auto& deeds : world.deeds) {
      if (below(3) == 0) swap_neighbours(deeds);
    }
    for (int step = 0; step < 2; ++step) fill_levels(world, step);
    if (below(2) == 0) world.crash_after = below(orders + 1);
    for (int asks = below(5); asks > 0; --asks) ask(world);
    return world;
  }

 private:
  int below(int limit) {
    return static_cast<int>(random_.below(static_cast<std::uint64_t>(limit)));
  }

  End pick(std::initializer_list<End> ends) {
    return *(ends.begin() + below(static_cast<int>(ends.size())));
  }

  void act(World& world, int order, int step) {
    auto& deeds = world.deeds[static_cast<std::size_t>(step)];
    const End end = world.orders[static_cast<std::size_t>(order)].end;
    const bool acts =
        end == End::done || ((end == End::undone || end == End::open) && below(2) == 0);
    if (acts && below(20) != 0) deeds.push_back({order, false});
    if (acts && end == End::undone && below(20) != 0) deeds.push_back({order, true});
    if (below(40) == 0) deeds.push_back({order, below(2) == 0});
  }

  void ask(World& world) {
    Asked asked;
    asked.order = below(static_cast<int>(world.orders.size()));
    const End end = world.orders[static_cast<std::size_t>(asked.order)].end;
    asked.answer = end == End::done ? 1 : end == End::undone ? -1 : 0;
    if (below(10) == 0) asked.answer = below(3) - 1;
    asked.begin = static_cast<std::int64_t>(world.orders.size()) * kOrderEvery + below(15);
    asked.end = asked.begin + 1 + below(12);
    world.asked.push_back(asked);
  }

  void swap_neighbours(std::vector<Deed>& deeds) {
    if (deeds.size() < 2) return;
    const auto at = static_cast<std::size_t>(below(static_cast<int>(deeds.size()) - 1));
    std::swap(deeds[at], deeds[at + 1]);
  }

  void fill_levels(World& world, int step) {
    const auto at = static_cast<std::size_t>(step);
    for (const Deed& deed : world.deeds[at]) {
      const PlacedOrder& order = world.orders[static_cast<std::size_t>(deed.order)];
      auto& left = world.left[at].try_emplace(order.object[at], kThere).first->second;
      left += deed.undo ? order.amount[at] : -order.amount[at];
    }
    for (auto& [object, left] : world.left[at]) {
      if (below(25) == 0) left += below(3) - 1;
    }
  }

  base::Random random_;
};

// ---- the oracle

int times(const World& world, std::size_t step, int order, bool undo) {
  int count = 0;
  for (const Deed& deed : world.deeds[step]) count += deed.order == order && deed.undo == undo;
  return count;
}

bool stands(const World& world, std::size_t step, int order) {
  return times(world, step, order, false) > times(world, step, order, true);
}

bool for_any_order(const World& world, const std::function<bool(int, const PlacedOrder&)>& holds) {
  for (std::size_t i = 0; i < world.orders.size(); ++i) {
    if (holds(static_cast<int>(i), world.orders[i])) return true;
  }
  return false;
}

bool is_half(const World& world) {
  return for_any_order(world, [&](int i, const PlacedOrder& order) {
    for (std::size_t step = 0; step < 3; ++step) {
      if (order.end == End::done && !stands(world, step, i)) return true;
      if (order.end == End::undone && stands(world, step, i)) return true;
    }
    return false;
  });
}

bool is_doubled(const World& world) {
  return for_any_order(world, [&](int i, const PlacedOrder&) {
    for (std::size_t step = 0; step < 3; ++step) {
      const int steps = times(world, step, i, false);
      const int undos = times(world, step, i, true);
      if (steps > 1 || undos > 1 || undos > steps) return true;
    }
    return false;
  });
}

bool has_orphan(const World& world) {
  return for_any_order(world, [&](int i, const PlacedOrder& order) {
    for (std::size_t step = 0; step < 3; ++step) {
      const int steps = times(world, step, i, false);
      if (order.end == End::absent && steps + times(world, step, i, true) > 0) return true;
      if (order.end != End::undone || steps == 0) continue;
      if (stands(world, step, i)) return true;
      bool undone = false;
      for (const Deed& deed : world.deeds[step]) {
        if (deed.order == i && !deed.undo && undone) return true;
        undone = undone || (deed.order == i && deed.undo);
      }
    }
    return false;
  });
}

bool is_out_of_balance(const World& world) {
  for (std::size_t step = 0; step < 2; ++step) {
    for (int object = 0; object < 2; ++object) {
      std::int64_t sold = 0;
      bool open = false;
      for (const PlacedOrder& order : world.orders) {
        if (order.object[step] != object) continue;
        if (order.end == End::done) sold += order.amount[step];
        open = open || order.end == End::open;
      }
      const auto known = world.left[step].find(object);
      const std::int64_t left = known == world.left[step].end() ? kThere : known->second;
      if (!open && left + sold != kThere) return true;
    }
  }
  return false;
}

bool is_oversold(const World& world) {
  for (std::size_t step = 0; step < 2; ++step) {
    for (const auto& [object, left] : world.left[step]) {
      if (left < 0) return true;
    }
    const std::vector<Deed>& deeds = world.deeds[step];
    for (std::size_t end = 1; end <= deeds.size(); ++end) {
      std::array<std::int64_t, 2> given{};
      for (std::size_t i = 0; i < world.orders.size(); ++i) {
        // Whether it holds anything is what the last of its deeds so far says.
        bool holds = false;
        for (std::size_t at = 0; at < end; ++at) {
          if (deeds[at].order == static_cast<int>(i)) holds = !deeds[at].undo;
        }
        if (holds) {
          given[static_cast<std::size_t>(world.orders[i].object[step])] +=
              world.orders[i].amount[step];
        }
      }
      if (given[0] > kThere || given[1] > kThere) return true;
    }
  }
  return false;
}

// Whether an order's end or its effects are not what somebody was told.
bool is_untrue(const World& world, int order, int answer) {
  const End end = world.orders[static_cast<std::size_t>(order)].end;
  if (end != (answer > 0 ? End::done : End::undone)) return true;
  for (std::size_t step = 0; step < 3; ++step) {
    if (stands(world, step, order) != (answer > 0)) return true;
  }
  return false;
}

bool is_untrue(const World& world) {
  std::vector<Asked> told;  // with those who ordered
  for (std::size_t i = 0; i < world.orders.size(); ++i) {
    if (world.orders[i].answer == 0) continue;
    const auto begin = static_cast<std::int64_t>(i) * kOrderEvery;
    told.push_back({static_cast<int>(i), world.orders[i].answer, begin, begin + 5});
  }
  for (const Asked& asked : world.asked) told.push_back(asked);
  for (const Asked& one : told) {
    if (one.answer == 0) continue;
    if (is_untrue(world, one.order, one.answer)) return true;
    for (const Asked& other : told) {
      if (other.order != one.order) continue;
      if (other.answer == -one.answer) return true;
      if (other.answer == 0 && one.end < other.begin) return true;  // forgotten
    }
  }
  return false;
}

bool is_lost(const World& world) {
  for (int i = 0; i < world.crash_after; ++i) {
    const int answer = world.orders[static_cast<std::size_t>(i)].answer;
    if (answer != 0 && is_untrue(world, i, answer)) return true;
  }
  return false;
}

// ---- the same world as the checkers see it

void ask(SagaFixture& fixture, const Asked& asked) {
  history::ValuePool& pool = fixture.run.builder.pool();
  const std::string key = fmt::format("o{}", asked.order + 1);
  fixture.run.call({.process = 20,
                    .function = "status",
                    .key = key,
                    .begin = asked.begin,
                    .end = asked.end,
                    .output = asked.answer > 0     ? pool.text("confirmed")
                              : asked.answer < 0   ? pool.text("refused: so")
                              : asked.end % 2 == 0 ? pool.text("open")
                                                   : history::Value::nil()});
}

SagaFixture fixture_of(const World& world) {
  constexpr std::array<std::array<std::string_view, 2>, 3> words{
      {{"reserve", "release"}, {"charge", "refund"}, {"ship", "cancel"}}};
  SagaFixture fixture;
  fixture.run.parameters = {{"credit", kThere}, {"stock", kThere}};
  std::size_t number = 0;
  for (const PlacedOrder& order : world.orders) {
    const std::string id = fmt::format("o{}", ++number);
    const std::string item = fmt::format("i{}", order.object[0]);
    const std::string account = fmt::format("a{}", order.object[1]);
    const std::string_view told = order.answer > 0   ? "confirmed"
                                  : order.answer < 0 ? "refused: so"
                                                     : "";
    fixture.order(id, told, item, order.amount[0], account, order.amount[1]);
    if (order.end == End::absent) continue;
    const std::string_view phase = order.end == End::done     ? "done"
                                   : order.end == End::undone ? "undone"
                                                              : "undoing";
    fixture.sagas.push_back(fmt::format("{} {} {} {} {} {} {} h1 payment: no answer",
                                        number,
                                        id,
                                        phase,
                                        item,
                                        order.amount[0],
                                        account,
                                        order.amount[1]));
  }
  for (std::size_t step = 0; step < 3; ++step) {
    for (const Deed& deed : world.deeds[step]) {
      const PlacedOrder& order = world.orders[static_cast<std::size_t>(deed.order)];
      const std::string what =
          step == 2 ? "h1 1"
                    : fmt::format(
                          "{}{} {}", step == 0 ? 'i' : 'a', order.object[step], order.amount[step]);
      fixture.ledgers[step].push_back(fmt::format(
          "{} {} o{} {}", deed.order + 1, words[step][deed.undo], deed.order + 1, what));
    }
    if (step == 2) continue;
    for (const auto& [object, left] : world.left[step]) {
      fixture.levels[step].push_back(fmt::format("{}{} {}", step == 0 ? 'i' : 'a', object, left));
    }
  }
  fixture.saga_total = world.orders.size();
  if (world.crash_after >= 0) {
    // After the answer to the last one before.
    const std::int64_t begin = world.crash_after * kOrderEvery - 4;
    fixture.run.kill({1, 2, 3, 4}, begin, begin + 3);
  }
  for (const Asked& asked : world.asked) ask(fixture, asked);
  fixture.time += 50;
  return fixture;
}

struct Question {
  std::string_view checker;
  bool (*is_broken)(const World&);
};

TEST(SagaCheckers, AgreeWithANaiveOracleOnRandomWorlds) {
  constexpr std::array questions{Question{"saga-all-or-nothing", is_half},
                                 Question{"saga-answers-true", is_untrue},
                                 Question{"saga-conserved", is_out_of_balance},
                                 Question{"saga-durable", is_lost},
                                 Question{"saga-no-orphans", has_orphan},
                                 Question{"saga-no-oversell", is_oversold},
                                 Question{"saga-once", is_doubled}};
  const std::uint64_t cases = test::case_count();
  std::array<std::uint64_t, questions.size()> broken{};
  const auto judge = [&](std::uint64_t seed) -> std::string {
    const World world = Maker(seed).make();
    for (std::size_t q = 0; q < questions.size(); ++q) {
      const bool expected = questions[q].is_broken(world);
      broken[q] += expected ? 1U : 0U;
      SagaFixture fixture = fixture_of(world);
      const Verdict verdict = fixture.check(questions[q].checker);
      if ((verdict.kind == VerdictKind::broken) == expected) continue;
      return fmt::format("{} is {}: {}\n{}",
                         questions[q].checker,
                         expected ? "broken" : "not broken",
                         verdict.summary,
                         history::to_jsonl(fixture.judged));
    }
    return {};
  };
  if (!test::check_seeds(cases, judge)) return;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    EXPECT_GT(broken[q], cases / 20) << questions[q].checker;
    EXPECT_LT(broken[q], cases * 19 / 20) << questions[q].checker;
  }
}

}  // namespace
}  // namespace sunder::checkers
