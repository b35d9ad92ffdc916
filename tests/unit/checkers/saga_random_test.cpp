// The checkers of sagas against a naive oracle, on random small worlds, mostly right and sometimes
// not.
//
// The oracle asks its questions of the world that the generator made, by definition and in
// quadratic time; it reads no rows and shares no code with the checkers.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/unit/checkers/saga_fixture.hpp"

namespace sunder::checkers {
namespace {

constexpr std::int64_t kThere = 5;  // of each item, and of each account
constexpr int kWorlds = 1700;       // each asks six checkers

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

struct World {
  std::vector<PlacedOrder> orders;
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

bool is_untrue(const World& world) {
  return for_any_order(world, [&](int i, const PlacedOrder& order) {
    if (order.answer == 0) return false;
    if (order.end != (order.answer > 0 ? End::done : End::undone)) return true;
    for (std::size_t step = 0; step < 3; ++step) {
      if (stands(world, step, i) != (order.answer > 0)) return true;
    }
    return false;
  });
}

// ---- the same world as the checkers see it

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
                                 Question{"saga-no-orphans", has_orphan},
                                 Question{"saga-no-oversell", is_oversold},
                                 Question{"saga-once", is_doubled}};
  const std::uint64_t seed =
      ::testing::UnitTest::GetInstance()->random_seed() > 0
          ? static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed())
          : 15;
  std::array<std::size_t, questions.size()> broken{};
  for (int i = 0; i < kWorlds; ++i) {
    const std::uint64_t own = seed * 1'000'003 + static_cast<std::uint64_t>(i);
    const World world = Maker(own).make();
    for (std::size_t q = 0; q < questions.size(); ++q) {
      const bool expected = questions[q].is_broken(world);
      broken[q] += expected ? 1 : 0;
      SagaFixture fixture = fixture_of(world);
      const Verdict verdict = fixture.check(questions[q].checker);
      ASSERT_EQ(verdict.kind == VerdictKind::broken, expected)
          << questions[q].checker << " on world " << own << ": " << verdict.summary;
    }
  }
  for (std::size_t q = 0; q < questions.size(); ++q) {
    EXPECT_GT(broken[q], kWorlds / 20U) << questions[q].checker;
    EXPECT_LT(broken[q], kWorlds * 19U / 20U) << questions[q].checker;
  }
}

}  // namespace
}  // namespace sunder::checkers
