// Alarms ring when they are due and until they are taken away; writes wait for something to do.

#include "nodes/replica/alarms.hpp"

#include <gtest/gtest.h>

#include "nodes/replica/waiting.hpp"

namespace sunder::nodes::replica {
namespace {

using std::chrono::milliseconds;

Alarm alarm_of(std::uint64_t id, int after, const std::string& command) {
  Alarm alarm;
  alarm.id = id;
  alarm.after = milliseconds(after);
  if (!command.empty()) alarm.command = {command};
  return alarm;
}

TEST(Alarms, RingInTheOrderOfTheirTimesAndNeverEarlier) {
  Alarms alarms;
  alarms.set(alarm_of(1, 30, "late"), milliseconds(100));
  alarms.set(alarm_of(2, 10, "early"), milliseconds(100));
  EXPECT_TRUE(alarms.take_due(milliseconds(109)).empty());
  EXPECT_EQ(alarms.take_due(milliseconds(110)), (std::vector<Arguments>{{"early"}}));
  EXPECT_EQ(alarms.take_due(milliseconds(130)), (std::vector<Arguments>{{"late"}}));
}

TEST(Alarms, RingAgainUntilTheyAreCancelled) {
  Alarms alarms;
  alarms.set(alarm_of(1, 10, "x"), milliseconds(0));
  EXPECT_EQ(alarms.take_due(milliseconds(10)).size(), 1U);
  EXPECT_TRUE(alarms.take_due(milliseconds(11)).empty());
  EXPECT_EQ(alarms.take_due(milliseconds(10) + Alarms::kRetry).size(), 1U);
  alarms.set(alarm_of(1, 0, ""), milliseconds(600));
  EXPECT_EQ(alarms.size(), 0U);
  EXPECT_TRUE(alarms.take_due(milliseconds(5000)).empty());
}

TEST(Alarms, MoveWhenTheyAreSetAgain) {
  Alarms alarms;
  alarms.set(alarm_of(1, 10, "first"), milliseconds(0));
  alarms.set(alarm_of(1, 10, "second"), milliseconds(5));
  EXPECT_TRUE(alarms.take_due(milliseconds(14)).empty());
  EXPECT_EQ(alarms.take_due(milliseconds(15)), (std::vector<Arguments>{{"second"}}));
  alarms.clear();
  EXPECT_TRUE(alarms.take_due(milliseconds(9000)).empty());
}

// TAKE waits for `there` to be above zero.
class Shelf final : public Machine {
 public:
  [[nodiscard]] std::span<const CommandInfo> commands() const override {
    static constexpr std::array kAll{CommandInfo{.name = "TAKE",
                                                 .kind = CommandKind::write,
                                                 .arguments_min = 1,
                                                 .arguments_max = 2,
                                                 .may_wait = true}};
    return kAll;
  }

  [[nodiscard]] wire::RespValue execute(const Arguments& /*command*/) override { return {}; }

  [[nodiscard]] wire::RespValue read(const Arguments& /*command*/) const override { return {}; }

  [[nodiscard]] std::string save() const override { return {}; }

  [[nodiscard]] Result<void> load(std::string_view /*bytes*/) override { return {}; }

  [[nodiscard]] std::vector<std::pair<std::string_view, std::size_t>> counts() const override {
    return {};
  }

  [[nodiscard]] std::optional<Wait> wait_of(const Arguments& command) const override {
    if (command.size() < 2) return std::nullopt;
    Wait wait;
    wait.on = "shelf";
    wait.available = there;
    wait.limit = milliseconds(std::stoi(command[1]));
    return wait;
  }

  std::size_t there = 0;
};

WaitingWrite write_of(std::string data, const std::string& limit = "50") {
  WaitingWrite write;
  write.data = std::move(data);
  write.command = {"TAKE", limit};
  return write;
}

std::vector<std::string> names_of(const std::vector<WaitingWrite>& writes) {
  std::vector<std::string> names;
  for (const WaitingWrite& write : writes) names.push_back(write.data);
  return names;
}

TEST(Waiting, LetsThroughAsManyAsFindSomethingInTheirOrder) {
  Shelf shelf;
  Waiting waiting(shelf);
  ASSERT_TRUE(waiting.possible());
  WaitingWrite a = write_of("a");
  WaitingWrite b = write_of("b");
  WaitingWrite c = write_of("c");
  EXPECT_FALSE(waiting.admit(a, milliseconds(0)));
  EXPECT_FALSE(waiting.admit(b, milliseconds(1)));
  EXPECT_TRUE(waiting.take_ready(milliseconds(2)).empty());
  shelf.there = 1;
  EXPECT_EQ(names_of(waiting.take_ready(milliseconds(3))), std::vector<std::string>{"a"});
  EXPECT_FALSE(waiting.admit(c, milliseconds(4))) << "a has not taken it yet, and b comes first";
  shelf.there = 0;
  waiting.done("shelf");
  EXPECT_TRUE(waiting.take_ready(milliseconds(5)).empty());
  shelf.there = 2;
  EXPECT_EQ(names_of(waiting.take_ready(milliseconds(6))), (std::vector<std::string>{"b", "c"}));
}

TEST(Waiting, LetsThroughWhoWaitedLongEnough) {
  Shelf shelf;
  Waiting waiting(shelf);
  WaitingWrite a = write_of("a");
  WaitingWrite b = write_of("b", "5");
  WaitingWrite now = write_of("now", "0");
  EXPECT_FALSE(waiting.admit(a, milliseconds(0)));
  EXPECT_FALSE(waiting.admit(b, milliseconds(0)));
  EXPECT_TRUE(waiting.admit(now, milliseconds(0))) << "it would not wait";
  EXPECT_TRUE(waiting.take_ready(milliseconds(4)).empty());
  EXPECT_EQ(names_of(waiting.take_ready(milliseconds(5))), std::vector<std::string>{"b"});
  EXPECT_EQ(names_of(waiting.take_ready(milliseconds(50))), std::vector<std::string>{"a"});
}

TEST(Waiting, GivesAllBackToWhoLeadsNoMore) {
  Shelf shelf;
  Waiting waiting(shelf);
  WaitingWrite a = write_of("a");
  ASSERT_FALSE(waiting.admit(a, milliseconds(0)));
  EXPECT_EQ(names_of(waiting.take_all()), std::vector<std::string>{"a"});
  EXPECT_TRUE(waiting.take_ready(milliseconds(100)).empty());
  waiting.done("shelf");  // of nobody: nothing happens
  WaitingWrite other = write_of("other");
  other.command = {"TAKE"};
  EXPECT_TRUE(waiting.admit(other, milliseconds(0))) << "the machine says that it does not wait";
}

}  // namespace
}  // namespace sunder::nodes::replica
