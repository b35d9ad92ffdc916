// What users type at `sunder fault`, and what `sunder status` makes of a reply.

#include "harness/run/playground_text.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "nemesis/nemesis.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

TEST(FaultOrder, BothFormsBecomeItemsOfTheScheduleLanguage) {
  struct Row {
    std::string name;
    std::vector<std::string> words;
    std::string items;
  };

  const std::vector<Row> rows{
      {"an item", {"kill:n2"}, "kill:n2@0s+2s"},
      {"with a parameter", {"partition:leader;flap=500ms"}, "partition:leader@0s+2s;flap=500ms"},
      {"several items", {"kill:n2,pause:n1"}, "kill:n2@0s+2s,pause:n1@0s+2s"},
      {"sides", {"partition:n1+n2/n3"}, "partition:n1+n2/n3@0s+2s"},
      {"spoken", {"kill", "leader"}, "kill:leader@0s+2s"},
      {"spoken sides", {"partition", "n1,n2", "|", "n3,n4,n5"}, "partition:n1+n2/n3+n4+n5@0s+2s"},
      {"spoken in one word", {"partition n1,n2 | n3"}, "partition:n1+n2/n3@0s+2s"},
      {"spoken, one way", {"partition n1 > n2"}, "partition:n1>n2@0s+2s"},
      {"spoken, with a parameter", {"partition leader flap=1s"}, "partition:leader@0s+2s;flap=1s"},
      {"spaces around", {"  kill:n1 , kill:n2 "}, "kill:n1@0s+2s,kill:n2@0s+2s"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto order = read_fault_order(row.words, 2s);
    ASSERT_TRUE(order.has_value()) << order.error().message();
    EXPECT_EQ(order->items, row.items);
    EXPECT_FALSE(order->open);
    nemesis::ScheduleOptions options;
    const auto schedule = nemesis::make_schedule(order->items, options);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  }
}

TEST(FaultOrder, WithoutADurationItStandsUntilHealed) {
  const auto order = read_fault_order({"kill:leader"}, std::nullopt);
  ASSERT_TRUE(order.has_value());
  EXPECT_TRUE(order->open);
  nemesis::ScheduleOptions options;
  const auto schedule = nemesis::make_schedule(order->items, options);
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  EXPECT_EQ(schedule->at(0).duration, kUntilHealed);
}

TEST(FaultOrder, APlacementOfItsOwnIsKept) {
  const auto order = read_fault_order({"kill:subject@became-leader+1s"}, std::nullopt);
  ASSERT_TRUE(order.has_value());
  EXPECT_EQ(order->items, "kill:subject@became-leader+1s");
  EXPECT_TRUE(read_fault_order({"kill:n1@2s+1s"}, 3s).has_error()) << "two durations";
  EXPECT_TRUE(read_fault_order({}, 3s).has_error());
  EXPECT_TRUE(read_fault_order({" "}, 3s).has_error());
}

TEST(StatusText, ShowsNodesFaultsAndTheLinkMatrix) {
  const auto status = boost::json::parse(R"({
    "mode":"raft","up_ms":12300,"leader":"n1","clients":["c1"],
    "nodes":[{"name":"n1","pid":17,"state":"running","role":"leader","term":3},
             {"name":"n2","pid":0,"state":"dead","ended":"ended by itself: signal 6"}],
    "faults":[{"id":4,"description":"partition one: n1 | n2","state":"stands","since_ms":2500}],
    "links":[{"from":"n1","to":"n2","state":"cut","sent":5,"dropped":7},
             {"from":"n2","to":"n1","state":"ok","sent":9,"dropped":0}]})");
  const std::string text = status_text(status.as_object());
  EXPECT_NE(text.find("raft up for 12.3 s, n1 leads"), std::string::npos) << text;
  EXPECT_NE(text.find("running  leader"), std::string::npos) << text;
  EXPECT_NE(text.find("ended by itself: signal 6"), std::string::npos) << text;
  EXPECT_NE(text.find("4  partition one: n1 | n2, for 2.5 s"), std::string::npos) << text;
  EXPECT_NE(text.find("cut -7"), std::string::npos) << text;
}

TEST(StatusText, SaysWhenNothingIsThere) {
  const std::string text = status_text(boost::json::object());
  EXPECT_NE(text.find("no fault stands"), std::string::npos);
  EXPECT_EQ(faults_text(boost::json::object()), "no fault stood\n");
}

}  // namespace
}  // namespace sunder::run
