// The order workload: what customers order and ask, how replies become outcomes, and how the shop's
// books are read page by page at the end.

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workloads/workload_fixture.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::RespValue;

constexpr std::size_t kClients = 2;
constexpr std::int64_t kPageRows = 500;

class OrderWorkload : public WorkloadFixture {
 protected:
  std::unique_ptr<Workload> make(std::map<std::string, double> mix, std::uint64_t seed = 1) {
    WorkloadOptions options;
    options.clients = kClients;
    options.mix = std::move(mix);
    options.random = base::Random(seed);
    return find_workload("order")->make(options);
  }

  static Reply unknown() { return {Outcome::info, {}, "timeout", "n1"}; }

  // So many rows in all, some of them on this page.
  static Reply page(std::int64_t total, std::vector<std::string> rows) {
    std::vector<RespValue> items{RespValue::number(total)};
    for (std::string& row : rows) items.push_back(RespValue::bulk(std::move(row)));
    return ok(RespValue::array(std::move(items)));
  }

  // Ends the asking whether anything is under way.
  void be_idle(Workload& workload) {
    auto open = workload.final_read(0, pool);
    ASSERT_TRUE(open.has_value());
    ASSERT_EQ(open->function, "open");
    (void)run(workload, *open, ok(RespValue::number(0)));
  }

  // Reads the rest of all books, `rows` rows each; what was asked for, in order.
  std::vector<std::string> read_books(Workload& workload, std::int64_t rows) {
    std::vector<std::string> asked;
    for (int i = 0; i < 1000; ++i) {
      const auto read = workload.final_read(0, pool);
      if (!read) return asked;
      asked.push_back(fmt::format("{} {} {}", read->function, read->key, read->input.raw()));
      (void)run(workload, *read, page(rows, {}));
    }
    ADD_FAILURE() << "the books are never read to their end";
    return asked;
  }
};

TEST_F(OrderWorkload, PlacesEveryOrderOnce) {
  const auto workload = make({{"order", 1}});
  std::set<std::string> ids;
  std::set<std::string> addresses;
  for (int i = 0; i < 500; ++i) {
    const auto order = workload->next(i % 4, pool);
    ASSERT_TRUE(order.has_value());
    EXPECT_EQ(order->function, "order");
    EXPECT_TRUE(ids.insert(order->key).second) << order->key;
    const auto terms = pool.items_of(order->input);
    ASSERT_EQ(terms.size(), 5U);
    EXPECT_GE(terms[1].raw(), 1);
    EXPECT_LE(terms[1].raw(), 3);
    EXPECT_GE(terms[3].raw(), 10);
    EXPECT_LE(terms[3].raw(), 80);
    addresses.insert(std::string(pool.text_of(terms[4]).substr(0, 4)));
  }
  EXPECT_THAT(addresses, ElementsAre("clos", "home")) << "some refuse every parcel";
}

TEST_F(OrderWorkload, SellsNewGoodsToNewAccountsWhenTheOldOnesRanOut) {
  const auto workload = make({{"order", 1}});
  std::map<std::string, int> items;
  std::map<std::string, int> accounts;
  for (int i = 0; i < 2000; ++i) {
    const auto order = workload->next(0, pool);
    const auto terms = pool.items_of(order->input);
    ++items[std::string(pool.text_of(terms[0]))];
    ++accounts[std::string(pool.text_of(terms[2]))];
  }
  EXPECT_GT(items.size(), 20U);
  EXPECT_GT(accounts.size(), items.size()) << "accounts last for fewer orders than goods";
  for (const auto& [item, orders] : items) EXPECT_LT(orders, 80) << item;
}

TEST_F(OrderWorkload, AsksOnlyForOrdersThatWerePlaced) {
  const auto workload = make({{"order", 1}, {"status", 1}});
  std::set<std::string> placed;
  int asked = 0;
  for (int i = 0; i < 500; ++i) {
    const auto next = workload->next(0, pool);
    if (next->function == "order") {
      placed.insert(next->key);
    } else {
      EXPECT_EQ(next->function, "status");
      EXPECT_TRUE(placed.contains(next->key)) << next->key;
      ++asked;
    }
  }
  EXPECT_GT(asked, 150);
}

TEST_F(OrderWorkload, IsAFunctionOfItsSeed) {
  const auto one = make({}, 5);
  const auto same = make({}, 5);
  const auto other = make({}, 6);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto first = one->next(0, pool);
    const auto second = same->next(0, pool);
    EXPECT_EQ(first->function, second->function);
    EXPECT_EQ(first->key, second->key);
    EXPECT_EQ(pool.describe(first->input), pool.describe(second->input));
    EXPECT_EQ(first->think, second->think);
    const auto third = other->next(0, pool);
    differs = differs || pool.describe(first->input) != pool.describe(third->input);
  }
  EXPECT_TRUE(differs);
}

TEST_F(OrderWorkload, SpeaksTheCommandsOfTheShop) {
  const auto workload = make({{"order", 1}});
  Invocation order;
  order.function = "order";
  order.key = "o7";
  const std::array terms{
      pool.text("i1"), Value::integer(2), pool.text("a3"), Value::integer(40), pool.text("home4")};
  order.input = pool.list(terms);
  (void)run(*workload, order, ok(RespValue::simple("CONFIRMED")));
  EXPECT_THAT(client.last_command, ElementsAre("ORDER", "o7", "i1", "2", "a3", "40", "home4"));

  struct Row {
    const char* function;
    const char* key;
    std::vector<std::string> command;
  };

  for (const Row& row : {Row{"status", "o7", {"STATUS", "o7"}},
                         Row{"open", "", {"OPEN"}},
                         Row{"sagas", "", {"SAGAS", "3"}},
                         Row{"ledger", "payment", {"LEDGER", "payment", "3"}},
                         Row{"levels", "inventory", {"LEVELS", "inventory", "3"}}}) {
    SCOPED_TRACE(row.function);
    Invocation invocation;
    invocation.function = row.function;
    invocation.key = row.key;
    invocation.input = Value::integer(3);
    (void)run(*workload, invocation, unknown());
    EXPECT_EQ(client.last_command, row.command);
  }
}

TEST_F(OrderWorkload, TakesAnAnswerForWhatItSays) {
  struct Row {
    const char* function;
    RespValue reply;
    Outcome outcome;
    const char* output;
  };

  const std::vector<Row> rows{
      {"order", RespValue::simple("CONFIRMED"), Outcome::ok, "\"confirmed\""},
      {"order",
       RespValue::simple("REFUSED payment: no credit"),
       Outcome::ok,
       "\"refused: payment: no credit\""},
      {"order", RespValue::simple("OPEN"), Outcome::info, ""},
      {"order", RespValue::simple("PERHAPS"), Outcome::info, ""},
      {"order", RespValue::bulk("CONFIRMED"), Outcome::info, ""},
      {"order", RespValue::null(), Outcome::info, ""},
      {"status", RespValue::simple("CONFIRMED"), Outcome::ok, "\"confirmed\""},
      {"status", RespValue::simple("OPEN"), Outcome::ok, "\"open\""},
      {"status", RespValue::null(), Outcome::ok, "nil"},
      {"status", RespValue::number(1), Outcome::info, ""},
      {"open", RespValue::number(4), Outcome::ok, "4"},
      {"open", RespValue::simple("4"), Outcome::info, ""},
  };
  const auto workload = make({{"order", 1}});
  for (const Row& row : rows) {
    Invocation invocation;
    invocation.function = row.function;
    invocation.key = "o1";
    if (invocation.function == "order") invocation.input = pool.list({pool.text("i1")});
    const Completion completion = run(*workload, invocation, ok(row.reply));
    EXPECT_EQ(completion.outcome, row.outcome) << row.function << " " << row.output;
    EXPECT_EQ(completion.node, "n2");
    if (row.outcome == Outcome::ok) {
      EXPECT_EQ(pool.describe(completion.output), row.output) << row.function;
    } else {
      EXPECT_THAT(completion.error, HasSubstr("unexpected reply")) << row.function;
    }
  }
}

TEST_F(OrderWorkload, LeavesWhatNobodyAnsweredUnknownAndWhatFailedFailed) {
  const auto workload = make({{"order", 1}});
  const auto order = workload->next(0, pool);
  const Completion lost = run(*workload, *order, unknown());
  EXPECT_EQ(lost.outcome, Outcome::info);
  EXPECT_EQ(lost.error, "timeout");
  EXPECT_TRUE(lost.output.is_none());
  const Completion refused = run(*workload, *order, failed("ERR no such command"));
  EXPECT_EQ(refused.outcome, Outcome::fail);
  EXPECT_TRUE(refused.output.is_none());
}

TEST_F(OrderWorkload, ReadsAPageThatIsWholeAndNoOther) {
  const auto workload = make({});
  Invocation ledger;
  ledger.function = "ledger";
  ledger.key = "nobody";
  ledger.input = Value::integer(0);
  const Completion whole = run(*workload, ledger, page(2, {"1 ship o1 h1 1", "2 ship o2 h1 1"}));
  EXPECT_EQ(pool.describe(whole.output), "[2 \"1 ship o1 h1 1\" \"2 ship o2 h1 1\"]");
  for (const RespValue& wrong : {RespValue::array({}),
                                 RespValue::array({RespValue::bulk("2")}),
                                 RespValue::array({RespValue::number(1), RespValue::number(1)}),
                                 RespValue::simple("OK")}) {
    EXPECT_EQ(run(*workload, ledger, ok(wrong)).outcome, Outcome::info);
  }
}

TEST_F(OrderWorkload, WaitsUntilNothingIsUnderWayBeforeItReads) {
  const auto workload = make({});
  for (const std::int64_t open : {3, 1, 0}) {
    const auto asked = workload->final_read(0, pool);
    ASSERT_TRUE(asked.has_value());
    ASSERT_EQ(asked->function, "open") << open;
    (void)run(*workload, *asked, ok(RespValue::number(open)));
  }
  EXPECT_EQ(workload->final_read(0, pool)->function, "sagas");
}

TEST_F(OrderWorkload, GivesUpWaitingButReadsNevertheless) {
  const auto workload = make({});
  std::size_t asks = 0;
  for (; asks < 1000; ++asks) {
    const auto asked = workload->final_read(0, pool);
    ASSERT_TRUE(asked.has_value());
    if (asked->function != "open") break;
    (void)run(*workload, *asked, asks % 2 == 0 ? ok(RespValue::number(1)) : unknown());
  }
  EXPECT_GT(asks, kClients);
  EXPECT_LT(asks, 100U);
}

// What the orders' service says is read before what the others say: an effect must not be looked
// for before it was told.
TEST_F(OrderWorkload, ReadsAllSagasBeforeAnyEffect) {
  const auto workload = make({});
  be_idle(*workload);
  const auto first = workload->final_read(0, pool);
  ASSERT_EQ(first->function, "sagas");
  EXPECT_FALSE(workload->final_read(1, pool).has_value()) << "the page may not be the last";
  (void)run(*workload, *first, page(kPageRows + 1, {}));
  const auto second = workload->final_read(0, pool);
  ASSERT_EQ(second->function, "sagas");
  EXPECT_EQ(second->input, Value::integer(1));
  EXPECT_FALSE(workload->final_read(1, pool).has_value()) << "the page is still under way";
  (void)run(*workload, *second, page(kPageRows + 1, {}));
  EXPECT_EQ(workload->final_read(1, pool)->function, "ledger");
}

TEST_F(OrderWorkload, ReadsEveryPageOfEveryBook) {
  for (const auto& [rows, pages] : std::map<std::int64_t, std::size_t>{
           {0, 1}, {1, 1}, {kPageRows, 1}, {kPageRows + 1, 2}, {3 * kPageRows, 3}}) {
    SCOPED_TRACE(rows);
    const auto workload = make({});
    be_idle(*workload);
    const std::vector<std::string> asked = read_books(*workload, rows);
    std::vector<std::string> expected;
    for (const char* book : {"sagas ",
                             "ledger inventory",
                             "ledger payment",
                             "ledger shipment",
                             "levels inventory",
                             "levels payment"}) {
      for (std::size_t i = 0; i < pages; ++i) expected.push_back(fmt::format("{} {}", book, i));
    }
    EXPECT_EQ(asked, expected);
  }
}

TEST_F(OrderWorkload, AsksAgainForAPageThatWasNotAnsweredAFewTimes) {
  for (const int failures : {2, 3}) {
    SCOPED_TRACE(failures);
    const auto workload = make({});
    be_idle(*workload);
    for (int i = 0; i < failures; ++i) {
      const auto read = workload->final_read(0, pool);
      ASSERT_TRUE(read.has_value());
      ASSERT_EQ(read->function, "sagas");
      EXPECT_EQ(read->input, Value::integer(0));
      (void)run(*workload, *read, i == 0 ? unknown() : failed("LEADERUNKNOWN no"));
    }
    const auto again = workload->final_read(0, pool);
    if (failures == 2) {
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->function, "sagas");
      EXPECT_EQ(again->input, Value::integer(0));
    } else {
      EXPECT_FALSE(again.has_value()) << "effects prove nothing without their sagas";
    }
  }
}

}  // namespace
}  // namespace sunder::workloads
