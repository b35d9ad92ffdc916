// Families that degrade links: parameters to states, links of each shape, random strengths, and
// what counts as proof, on a fake cluster.

#include <array>
#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "nemesis/link_fault.hpp"
#include "tests/unit/nemesis/fake_cluster.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;
using cluster::Distribution;
using cluster::LinkState;
using history::FaultRecord;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::array<std::string_view, 7> kFamilies{
    "corrupt", "degrade", "delay", "duplicate", "loss", "rate", "reorder"};

Result<Schedule> schedule_of(std::string_view text) {
  ScheduleOptions options;
  options.nodes = 5;
  options.random = base::Random(3);
  return make_schedule(text, options);
}

LinkState state_of(std::string_view text) {
  const auto schedule = schedule_of(text);
  EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  if (schedule.has_error()) return {};
  auto state = link_state_of(schedule->front());
  EXPECT_TRUE(state.has_value());
  state->seed = 0;
  return *state;
}

TEST(LinkFamilies, MakeStatesOfTheirParameters) {
  EXPECT_EQ(state_of("delay:all@0s+1s"), (LinkState{.delay = 50ms}));
  EXPECT_EQ(state_of("delay:n1>n2@0s+1s;latency=40ms;jitter=10ms;distribution=normal;order=kept"),
            (LinkState{.delay = 40ms, .jitter = 10ms, .distribution = Distribution::normal}));
  EXPECT_TRUE(state_of("delay:one@0s+1s;latency=40ms;jitter=10ms;order=free").overtaking);
  EXPECT_EQ(state_of("loss:all@0s+1s"), (LinkState{.loss = 0.1}));
  EXPECT_EQ(state_of("loss:all@0s+1s;loss=25%;burst=4"),
            (LinkState{.loss = 0.25, .loss_burst = 4}));
  EXPECT_EQ(state_of("duplicate:link@0s+1s;duplicate=50"), (LinkState{.duplicate = 0.5}));
  EXPECT_EQ(state_of("reorder:all@0s+1s"), (LinkState{.delay = 10ms, .reorder = 0.25}));
  EXPECT_EQ(state_of("corrupt:one@0s+1s"), (LinkState{.corrupt = 0.05}));
  EXPECT_EQ(state_of("rate:leader@0s+1s;rate=200kbit"), (LinkState{.rate = 200'000}));
  EXPECT_EQ(
      state_of("degrade:clients@0s+1s;latency=1ms;loss=5%;duplicate=2%;corrupt=1%;rate=2mbit"),
      (LinkState{
          .delay = 1ms, .loss = 0.05, .duplicate = 0.02, .corrupt = 0.01, .rate = 2'000'000}));
}

TEST(LinkFamilies, StrengthZeroIsHealthy) {
  for (const char* text : {"delay:all@0s+1s;latency=0s",
                           "loss:all@0s+1s;loss=0;burst=7",
                           "duplicate:all@0s+1s;duplicate=0",
                           "reorder:all@0s+1s;reorder=0",
                           "corrupt:all@0s+1s;corrupt=0",
                           "degrade:all@0s+1s;loss=0"}) {
    EXPECT_EQ(state_of(text), LinkState{}) << text;
  }
}

TEST(LinkFamilies, RefuseWhatCannotBe) {
  struct Row {
    const char* text;
    const char* words;
  };

  for (const Row& row : {
           Row{"delay:all@0s+1s;latency=11s", "must be 0ns to 10s"},
           Row{"delay:all@0s+1s;latency=5ms;jitter=6ms", "packets from the future"},
           Row{"delay:all@0s+1s;distribution=gauss", "must be one of: uniform, normal"},
           Row{"delay:all@0s+1s;table=/no/such.dist", "/no/such.dist"},
           Row{"loss:all@0s+1s;loss=101%", "must be 0% to 100%"},
           Row{"loss:all@0s+1s;burst=0", "must be 1 to 1000"},
           Row{"rate:all@0s+1s;rate=0bit", "must be 1kbit to 10gbit"},
           Row{"rate:all@0s+1s;rate=1", "must be a rate"},
           Row{"degrade:all@0s+1s", "says nothing of how"},
           Row{"degrade:all@0s+1s;jitter=0s", "says nothing of how"},
           Row{"loss:everybody@0s+1s", "no shape 'everybody'"},
           Row{"loss:n9@0s+1s", "no node 'n9'"},
       }) {
    const auto schedule = schedule_of(row.text);
    ASSERT_TRUE(schedule.has_error()) << row.text;
    EXPECT_THAT(schedule.error().message(), HasSubstr(row.words));
    EXPECT_TRUE(base::is(schedule.error(), Errc::usage)) << row.text;
  }
}

// Whatever chance gives passes the families' own checks, is felt, and is not a cut in disguise.
TEST(LinkFamilies, DrawSaneStrengths) {
  base::Random random(11);
  for (const std::string_view name : kFamilies) {
    const FaultInfo& family = *find_fault(name);
    ASSERT_NE(family.randomize, nullptr);
    for (int i = 0; i < 300; ++i) {
      PlannedFault fault;
      fault.family = name;
      fault.shape = "link";
      fault.duration = 3s;
      family.randomize(fault, random);
      const auto checked = family.check(fault, 5);
      ASSERT_TRUE(checked.has_value()) << checked.error().message();
      const auto state = link_state_of(fault);
      ASSERT_TRUE(state.has_value());
      EXPECT_FALSE(state->healthy()) << name;
      EXPECT_LE(state->delay + state->jitter, 100ms);
      EXPECT_LE(state->loss, 0.1);
      EXPECT_LE(state->corrupt, 0.1);
      EXPECT_TRUE(state->rate == 0 || state->rate >= 200'000);
    }
  }
}

TEST(LinkFamilies, OnlyTheRateNeedsNoNetem) {
  for (const std::string_view name : kFamilies) {
    EXPECT_EQ(find_fault(name)->needs.empty(), name == "rate") << name;
  }
}

class LinkFaults : public ::testing::Test {
 protected:
  FaultRecord run(std::string_view text) {
    auto schedule = schedule_of(text);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
    std::vector<FaultRecord> records;
    auto task = run_schedule(context, std::move(*schedule));
    auto keep = [&](const std::exception_ptr& error, Result<std::vector<FaultRecord>> result) {
      if (error) std::rethrow_exception(error);
      if (result.has_value()) records = std::move(*result);
    };
    boost::asio::co_spawn(loop, std::move(task), std::move(keep));
    loop.restart();
    loop.run();
    EXPECT_EQ(records.size(), 1U);
    EXPECT_TRUE(cluster.overlays.empty());
    return records.empty() ? FaultRecord{} : records.front();
  }

  boost::asio::io_context loop;
  FakeCluster cluster{3, 2};
  base::RunClock clock;
  NemesisContext context{cluster,
                         clock,
                         [] { return std::optional<std::size_t>(1); },
                         {0, 1},
                         false,
                         [](const auto&) {},
                         history::kNever,
                         [](const FaultRecord&) {}};
};

TEST_F(LinkFaults, TakeEveryLinkOrThoseOfClientsOrOneDirection) {
  cluster.passes_per_reading = 9;
  cluster.waits_per_reading = 2;
  const FaultRecord all = run("rate:all@0s+5ms;rate=64kbit");
  EXPECT_EQ(all.description, "rate all: every link, rate 64 kbit/s");
  EXPECT_EQ(all.cut_links.size(), 3U * 2 + 2 * 3 * 2);
  EXPECT_TRUE(all.porous);
  EXPECT_TRUE(all.exercised) << all.reason;
  EXPECT_EQ(run("rate:clients@0s+5ms").cut_links.size(), 2U * 3 * 2);
  const FaultRecord one_way = run("rate:n1>n2@0s+5ms");
  EXPECT_THAT(one_way.cut_links, Contains(Pair("n1", "n2")));
  EXPECT_THAT(one_way.cut_links, testing::Not(Contains(Pair("n2", "n1"))));
}

TEST_F(LinkFaults, ARateThatNobodyWaitedForWasNotExercised) {
  cluster.passes_per_reading = 9;
  EXPECT_EQ(run("rate:all@0s+5ms").reason, "no packet waited for the rate");
  cluster.drops_per_reading = 0;
  cluster.passes_per_reading = 0;
  EXPECT_EQ(run("rate:all@0s+5ms").reason, "no packet passed on a degraded link");
}

TEST_F(LinkFaults, AShareNeedsPacketsToBeSure) {
  cluster.passes_per_reading = 100;
  EXPECT_TRUE(run("corrupt:all@0s+5ms;corrupt=10%").exercised);
  EXPECT_THAT(run("corrupt:n1>n2@0s+5ms;corrupt=1%").reason, HasSubstr("too few packets passed"));
  EXPECT_TRUE(run("loss:all@0s+5ms").exercised);
  cluster.drops_per_reading = 0;
  EXPECT_EQ(run("loss:all@0s+5ms").reason, "no packet was dropped");
}

TEST_F(LinkFaults, ADelayNeedsAProbe) {
  cluster.passes_per_reading = 100;
  EXPECT_EQ(run("delay:all@0s+5ms").reason, "no probe arrived in time");
}

TEST_F(LinkFaults, ZeroStrengthIsSaid) {
  cluster.passes_per_reading = 100;
  EXPECT_THAT(run("loss:all@0s+5ms;loss=0").reason, HasSubstr("its strength is zero"));
}

TEST_F(LinkFaults, AKernelWithoutNetemIsSaid) {
  cluster.unsupported = true;
  const FaultRecord record = run("delay:all@0s+5ms");
  EXPECT_FALSE(record.exercised);
  EXPECT_THAT(record.reason, HasSubstr("no such qdisc"));
}

}  // namespace
}  // namespace sunder::nemesis
