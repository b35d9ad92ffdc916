// Real sunder-saga processes: orders and their ends, bad input, crashes in the middle, the command
// line.

#include <algorithm>
#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/kv_processes.hpp"

namespace sunder::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using wire::RespKind;
using wire::RespValue;

constexpr std::size_t kServices = 4;

class Services : public KvProcesses {
 public:
  Services() : KvProcesses(kServices, {}, program()) {}

  // Its answer, however long the services take to find each other.
  [[nodiscard]] std::string order(const Arguments& terms) const {
    Arguments command = {"ORDER"};
    command.insert(command.end(), terms.begin(), terms.end());
    return call_until_ok(1, command).text;
  }

  // Waits until no saga is open.
  [[nodiscard]] bool comes_to_rest() const {
    return wait_until([&] { return call(1, {"OPEN"}) == RespValue::number(0); });
  }

  [[nodiscard]] std::vector<std::string> rows(const Arguments& command) const {
    std::vector<std::string> texts;
    const RespValue page = call_until_ok(1, command);
    for (std::size_t i = 1; i < page.items.size(); ++i) texts.push_back(page.items[i].text);
    return texts;
  }

 private:
  static NodeProgram program() {
    return {.name = "sunder-saga",
            .mode = "saga",
            .own = {{"--role", "order"},
                    {"--role", "inventory", "--initial", "5"},
                    {"--role", "payment", "--initial", "100"},
                    {"--role", "shipment", "--refuse", "closed"}}};
  }
};

TEST(SagaProcess, OrdersAreConfirmedOrRefusedAndLeaveNothingBehind) {
  Services services;
  services.start_all();
  ASSERT_EQ(services.order({"o1", "i1", "2", "a1", "40", "home"}), "CONFIRMED");
  EXPECT_EQ(services.order({"o1", "i1", "2", "a1", "40", "home"}), "CONFIRMED");
  EXPECT_EQ(services.order({"o2", "i1", "4", "a1", "10", "home"}), "REFUSED inventory: sold out");
  EXPECT_EQ(services.order({"o3", "i1", "1", "a1", "70", "home"}), "REFUSED payment: no credit");
  EXPECT_EQ(services.order({"o4", "i1", "1", "a1", "5", "closed7"}),
            "REFUSED shipment: address refused");
  EXPECT_EQ(services.call(1, {"STATUS", "o1"}).text, "CONFIRMED");
  EXPECT_EQ(services.call(1, {"STATUS", "o4"}).text, "REFUSED shipment: address refused");
  EXPECT_EQ(services.call(1, {"STATUS", "o5"}).kind, RespKind::null);
  EXPECT_TRUE(services.comes_to_rest());
  EXPECT_EQ(services.rows({"LEDGER", "inventory", "0"}),
            (std::vector<std::string>{"1 reserve o1 i1 2",
                                      "3 reserve o3 i1 1",
                                      "3 release o3 i1 1",
                                      "4 reserve o4 i1 1",
                                      "4 release o4 i1 1"}));
  EXPECT_EQ(services.rows({"LEVELS", "inventory", "0"}), std::vector<std::string>{"i1 3"});
  EXPECT_EQ(services.rows({"LEVELS", "payment", "0"}), std::vector<std::string>{"a1 60"});
  EXPECT_EQ(services.rows({"SAGAS", "0"}).size(), 4U);
  EXPECT_EQ(services.rows({"LEDGER", "shipment", "1"}).size(), 0U);
}

TEST(SagaProcess, RefusesBadInputInOneLine) {
  Services services;
  services.start(1);
  ASSERT_TRUE(wait_until([&] { return services.call(1, {"PING"}).text == "PONG"; }));
  for (const Arguments& bad : std::vector<Arguments>{{"ORDER"},
                                                     {"ORDER", "o", "i", "0", "a", "1", "h"},
                                                     {"ORDER", "o", "i", "-1", "a", "1", "h"},
                                                     {"ORDER", "o", "i j", "1", "a", "1", "h"},
                                                     {"ORDER", "", "i", "1", "a", "1", "h"},
                                                     {"LEDGER", "order", "0"},
                                                     {"LEVELS", "inventory", "x"},
                                                     {"SAGAS", "-1"},
                                                     {"NONSENSE"}}) {
    EXPECT_THAT(services.call(1, bad).text, StartsWith("ERR ")) << bad.front();
  }
  EXPECT_EQ(services.call(1, {"OPEN"}), RespValue::number(0));
}

TEST(SagaProcess, AnOrderGoesOnAfterItsLeaderWasKilled) {
  Services services;
  services.start(1);
  services.start(2);
  services.start(3);
  // Nobody ships: an order that comes so far is neither done nor undone.
  int orders = 0;
  std::string id;
  ASSERT_TRUE(wait_until([&] {
    id = fmt::format("o{}", ++orders);
    const RespValue reply = services.call(1, {"ORDER", id, "i1", "1", "a1", "10", "home"});
    return reply.text.starts_with("TIMEOUT") && services.call(1, {"STATUS", id}).text == "OPEN" &&
           services.rows({"LEDGER", "payment", "0"}).size() > 0;
  }));
  services.kill(1);
  services.kill(2);
  services.start(1);
  services.start(2);
  services.start(4);
  // How it ended depends on whether it had been given up when its leader died.
  EXPECT_FALSE(services.order({id, "i1", "1", "a1", "10", "home"}).empty());
  EXPECT_TRUE(services.comes_to_rest());
  const std::vector<std::string> sagas = services.rows({"SAGAS", "0"});
  const auto done = std::ranges::count_if(
      sagas, [](const std::string& row) { return row.find(" done ") != std::string::npos; });
  for (const char* service : {"inventory", "payment"}) {
    const std::string expected = service == std::string("inventory")
                                     ? fmt::format("i1 {}", 5 - done)
                                     : fmt::format("a1 {}", 100 - 10 * done);
    EXPECT_EQ(services.rows({"LEVELS", service, "0"}), std::vector<std::string>{expected});
  }
  EXPECT_THAT(services.events(1), HasSubstr("saga-resumed"));
}

TEST(SagaProcess, NothingThatWasAnsweredIsLostByKillingAll) {
  Services services;
  services.start_all();
  ASSERT_EQ(services.order({"o1", "i1", "2", "a1", "40", "home"}), "CONFIRMED");
  services.kill_all();
  services.start_all();
  ASSERT_EQ(services.order({"o2", "i1", "2", "a2", "40", "home"}), "CONFIRMED");
  EXPECT_EQ(services.call(1, {"STATUS", "o1"}).text, "CONFIRMED");
  EXPECT_EQ(services.rows({"LEVELS", "inventory", "0"}), std::vector<std::string>{"i1 1"});
  EXPECT_EQ(services.rows({"LEDGER", "shipment", "0"}).size(), 2U);
}

TEST(SagaProcess, StopsCleanlyOnSigterm) {
  Services services;
  services.start_all();
  ASSERT_EQ(services.order({"o1", "i1", "1", "a1", "1", "home"}), "CONFIRMED");
  for (std::size_t node = 1; node <= kServices; ++node) {
    services.signal(node, SIGTERM);
    EXPECT_EQ(services.wait(node), 0);
  }
}

TEST(SagaProcess, RefusesAWrongCommandLine) {
  const std::string program = std::string(SUNDER_BINARY_DIR) + "/sunder-saga";
  const Arguments right = {program,
                           "--id",
                           "n1",
                           "--listen",
                           "127.0.0.1:1",
                           "--peers",
                           "n1=127.0.0.1:1,n2=127.0.0.1:2,n3=127.0.0.1:3,n4=127.0.0.1:4",
                           "--data-dir",
                           "/tmp/none",
                           "--mode",
                           "saga"};
  const auto with = [&](const Arguments& more) {
    Arguments command = right;
    command.insert(command.end(), more.begin(), more.end());
    return run_program(command);
  };
  EXPECT_EQ(with({}).code, 64);
  EXPECT_THAT(with({"--role", "king"}).output, HasSubstr("'king' is none of order, inventory"));
  EXPECT_THAT(with({"--role", "payment"}).output, HasSubstr("that is n3, not n1"));
  EXPECT_EQ(with({"--role", "order", "--sabotage", "nonsense"}).code, 64);
  EXPECT_THAT(with({"--role", "order", "--style", "danced"}).output, HasSubstr("orchestrated is"));
}

}  // namespace
}  // namespace sunder::tests
