#include "harness/history/value.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "harness/base/random.hpp"

namespace sunder::history {
namespace {

std::vector<Value> items_of(const ValuePool& pool, Value list) {
  const auto items = pool.items_of(list);
  return {items.begin(), items.end()};
}

TEST(Value, HoldsEveryInteger) {
  for (const std::int64_t number : {std::numeric_limits<std::int64_t>::min(),
                                    std::int64_t{-1},
                                    std::int64_t{0},
                                    std::int64_t{1} << 32,
                                    std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(Value::integer(number).raw(), number);
  }
  EXPECT_LT(Value::integer(-1), Value::integer(0));
  EXPECT_LT(Value::integer(1), Value::integer(std::int64_t{1} << 32));
  EXPECT_NE(Value::integer(1), Value::boolean(true));
  EXPECT_NE(Value(), Value::nil());
}

// Integers of more than 63 bits lie elsewhere: nobody notices.
TEST(Value, ComparesIntegersOfAnySize) {
  base::Random random(29);
  std::vector<std::int64_t> numbers{0, 1, -1};
  for (int bits = 1; bits < 64; ++bits) {
    const auto power = static_cast<std::int64_t>(std::uint64_t{1} << bits);
    for (const std::int64_t number : {power, ~power}) numbers.push_back(number);
    numbers.push_back(static_cast<std::int64_t>(random.next()));
  }
  for (const std::int64_t one : numbers) {
    EXPECT_EQ(Value::integer(one).raw(), one);
    EXPECT_TRUE(Value::integer(one).is_integer());
    for (const std::int64_t other : numbers) {
      EXPECT_EQ(Value::integer(one) == Value::integer(other), one == other);
      EXPECT_EQ(Value::integer(one) < Value::integer(other), one < other);
      const bool same_hash = ValueHash()(Value::integer(one)) == ValueHash()(Value::integer(other));
      EXPECT_EQ(same_hash, one == other) << one << ' ' << other;
    }
  }
}

TEST(Value, HoldsLargeIntegersForManyThreads) {
  constexpr std::int64_t kLarge = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kEach = 5000;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (std::int64_t i = 0; i < kEach; ++i) {
        const std::int64_t number = kLarge + i * (1 + thread % 2);
        EXPECT_EQ(Value::integer(number).raw(), number);
        EXPECT_EQ(Value::integer(number), Value::integer(number));
      }
    });
  }
}

TEST(ValuePool, GivesEqualListsOneValueUnlessTheyAreRecorded) {
  ValuePool pool;
  const std::array pair{Value::integer(1), pool.text("x")};
  const Value list = pool.list(pair);
  EXPECT_EQ(pool.list(pair), list);
  EXPECT_NE(pool.list({Value::integer(2), pool.text("x")}), list);
  const Value recorded = pool.record(pair);
  EXPECT_EQ(items_of(pool, recorded), items_of(pool, list));
  // What is recorded is never found as an equal list.
  const std::array other{Value::integer(7)};
  const Value alone = pool.record(other);
  EXPECT_NE(pool.list(other), alone);
}

// Lists of every size, beyond a block too, interned or recorded: each keeps its items, and what was
// given out stays where it is.
TEST(ValuePool, KeepsListsOfAnySizeInTheirPlaces) {
  struct Kept {
    Value list;
    std::vector<Value> items;
    const Value* place = nullptr;
  };

  base::Random random(11);
  ValuePool pool;
  std::vector<Kept> all;
  for (int i = 0; i < 2000; ++i) {
    const bool large = random.chance(0.02);
    const std::uint64_t size = large ? random.below(5000) : random.below(12);
    std::vector<Value> items;
    for (std::uint64_t k = 0; k < size; ++k) {
      items.push_back(Value::integer(static_cast<std::int64_t>(random.below(3))));
    }
    const Value list = random.chance(0.5) ? pool.list(items) : pool.record(items);
    all.push_back({list, items, pool.items_of(list).data()});
  }
  for (const Kept& kept : all) {
    ASSERT_EQ(items_of(pool, kept.list), kept.items);
    ASSERT_EQ(pool.items_of(kept.list).data(), kept.place);
    // A part of the pool itself may be added to it.
    const Value again = pool.list(pool.items_of(kept.list));
    ASSERT_EQ(items_of(pool, again), kept.items);
  }
}

TEST(ValuePool, RefusesMoreThanItCanNumber) {
  PoolLimits limits;
  limits.items_max = 2000;
  ValuePool pool(limits);
  const std::vector<Value> many(1500, Value::nil());
  const Value kept = pool.record(many);
  EXPECT_THROW((void)pool.record(many), std::length_error);
  const std::vector<Value> rest(500, Value::integer(3));
  EXPECT_EQ(pool.items_of(pool.record(rest)).size(), 500U);
  // The block has room for more, the limit has not.
  EXPECT_THROW((void)pool.list({Value::nil()}), std::length_error);
  EXPECT_EQ(items_of(pool, kept), many);

  limits = {};
  limits.list_max = 3;
  ValuePool lists(limits);
  const Value three = lists.list({Value::nil(), Value(), Value::nil()});
  EXPECT_EQ(items_of(lists, three).size(), 3U);
  EXPECT_THROW((void)lists.record(std::vector<Value>(4)), std::length_error);

  limits = {};
  limits.names_max = 2;
  ValuePool names(limits);
  const Value text = names.text("a");  // the empty name is the other
  EXPECT_THROW((void)names.text("b"), std::length_error);
  EXPECT_EQ(names.text("a"), text);
}

}  // namespace
}  // namespace sunder::history
