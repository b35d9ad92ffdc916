// Schedules: what --faults means, that it reads back exactly, and what is refused.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nemesis/nemesis.hpp"
#include "nemesis/parameters.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ScheduleOptions options_for(std::size_t nodes,
                            std::chrono::nanoseconds duration,
                            std::uint64_t seed = 1) {
  ScheduleOptions options;
  options.nodes = nodes;
  options.clients = 10;
  options.duration = duration;
  options.random = base::Random(seed);
  options.events = {"applied", "appended", "became-leader", "snapshot-taken"};
  return options;
}

bool has(const Schedule& schedule, std::string_view family, std::string_view shape = {}) {
  return std::ranges::any_of(schedule, [&](const PlannedFault& fault) {
    return fault.family == family && (shape.empty() || fault.shape == shape);
  });
}

TEST(Schedule, ExplicitItemsStandWhereTheyWerePut) {
  const auto schedule =
      make_schedule("kill:all@10s+1s, partition:leader@3s+4s", options_for(5, 30s));
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  ASSERT_EQ(schedule->size(), 2U);
  EXPECT_EQ(schedule->at(0).family, "partition");
  EXPECT_EQ(schedule->at(0).shape, "leader");
  EXPECT_EQ(schedule->at(0).start, 3s);
  EXPECT_EQ(schedule->at(0).duration, 4s);
  EXPECT_EQ(schedule->at(0).id, 1U);
  EXPECT_EQ(schedule->at(1).family, "kill");
  EXPECT_EQ(schedule->at(1).start, 10s);
}

TEST(Schedule, NamedNodesAndParametersAreKept) {
  const auto schedule = make_schedule(
      "partition:n1+n2/n3+n4+n5@2s+6s;flap=500ms;seed=9,kill:n2+n4@1s+1s", options_for(5, 30s));
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  EXPECT_EQ(schedule->at(0).shape, "nodes");
  EXPECT_EQ(schedule->at(0).target, "n2+n4");
  EXPECT_EQ(schedule->at(1).shape, "groups");
  EXPECT_EQ(schedule->at(1).target, "n1+n2/n3+n4+n5");
  EXPECT_EQ(schedule->at(1).parameters.at("flap"), "500ms");
  EXPECT_EQ(schedule->at(1).seed, 9U);
}

TEST(Schedule, ItemsMayBePlacedByEvent) {
  const auto schedule = make_schedule(
      "kill:subject@became-leader+1s;after=2s;delay=50ms;count=3,partition:leader@snapshot-taken+"
      "2s",
      options_for(5, 30s));
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  ASSERT_EQ(schedule->size(), 2U);
  EXPECT_EQ(schedule->at(0).at, (EventPlacement{.event = "snapshot-taken"}));
  EXPECT_EQ(schedule->at(0).start, 0s);
  const PlannedFault& fault = schedule->at(1);
  EXPECT_EQ(fault.shape, "subject");
  EXPECT_EQ(fault.start, 2s);
  EXPECT_EQ(fault.duration, 1s);
  EXPECT_EQ(fault.at, (EventPlacement{.event = "became-leader", .delay = 50ms, .count = 3}));
  const auto again = make_schedule(to_text(*schedule), options_for(5, 30s, 2));
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(*again, *schedule) << to_text(*schedule);
}

TEST(Schedule, RefusesWrongPlacementsByEvent) {
  struct Row {
    std::string_view text;
    std::string_view says;
  };

  const std::array rows{
      Row{"kill:leader@became-king+1s",
          "no event 'became-king'; there are: after-acks, appended, applied"},
      Row{"kill:subject@2s+1s", "kill:subject needs a placement by event"},
      Row{"kill:leader@2s+1s;after=1s", "after needs a placement by event"},
      Row{"kill:leader@became-leader+1s;count=0", "count '0': give 1 to"},
      Row{"kill:leader@became-leader+1s;count=x", "count 'x': give 1 to"},
      Row{"kill:leader@became-leader+1s;delay=1h", "delay must be at most 10m"},
      Row{"kill:leader@became-leader+1s;after=40s", "starts at 40s"},
      Row{"kill:subject", "kill:subject needs a placement by event"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto schedule = make_schedule(row.text, options_for(5, 30s));
    ASSERT_TRUE(schedule.has_error());
    EXPECT_TRUE(is(schedule.error(), Errc::usage));
    EXPECT_THAT(schedule.error().message(), HasSubstr(std::string(row.says)));
  }
}

TEST(Schedule, NoneIsEmptyAndReadsBack) {
  const auto schedule = make_schedule("none", options_for(5, 30s));
  ASSERT_TRUE(schedule.has_value());
  EXPECT_TRUE(schedule->empty());
  EXPECT_EQ(to_text(*schedule), "none");
}

TEST(Schedule, TextReadsBackExactly) {
  const std::array<std::string_view, 5> texts{"all",
                                              "partition",
                                              "partition,kill,pause",
                                              "restart,kill:leader",
                                              "partition:ring,pause:n2@1s+1500us"};
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    ScheduleOptions options = options_for(5, 150s + std::chrono::milliseconds(seed * 137), seed);
    options.required = {"partition:minority", "kill:all"};
    for (const std::string_view text : texts) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", faults " << text);
      const auto schedule = make_schedule(text, options);
      ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
      // Another seed: nothing of a resolved schedule is left to chance.
      options.random = base::Random(seed + 1);
      const auto again = make_schedule(to_text(*schedule), options);
      ASSERT_TRUE(again.has_value()) << again.error().message() << " in " << to_text(*schedule);
      EXPECT_EQ(*again, *schedule) << to_text(*schedule);
    }
  }
}

TEST(Schedule, RandomSchedulesPlaceWhatWasAskedAndWhatPromisesNeed) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    ScheduleOptions options = options_for(5, 30s, seed);
    options.required = {"partition:minority", "kill:all"};
    const auto schedule = make_schedule("partition,kill,pause", options);
    ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
    EXPECT_TRUE(has(*schedule, "partition", "minority"));
    EXPECT_TRUE(has(*schedule, "kill", "all"));
    EXPECT_TRUE(has(*schedule, "pause"));
    EXPECT_FALSE(has(*schedule, "restart"));
    for (const PlannedFault& fault : *schedule) {
      EXPECT_GE(fault.start, 0s);
      EXPECT_GT(fault.duration, 0s);
      EXPECT_LT(fault.start + fault.duration, 30s);
    }
  }
}

// A partition must leave time for ten election time-outs of 400 ms and operations that are due in a
// second.
TEST(Schedule, ADefaultRunHoldsItsNeededPartitionLongEnoughToJudge) {
  for (const std::string_view text : {"partition,kill,pause", "partition,kill,pause,restart"}) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      ScheduleOptions options = options_for(5, 30s, seed);
      options.required = {"partition:leader-minority", "kill:all"};
      const auto schedule = make_schedule(text, options);
      ASSERT_TRUE(schedule.has_value());
      const auto needed = std::ranges::find(*schedule, "leader-minority", &PlannedFault::shape);
      ASSERT_NE(needed, schedule->end());
      EXPECT_GE(needed->duration, 5900ms) << to_text(*schedule);
      EXPECT_TRUE(needed->parameters.empty());  // flapping would leave nothing to judge
    }
  }
}

TEST(Schedule, SameSeedSameSchedule) {
  const auto first = make_schedule("all", options_for(5, 150s, 7));
  const auto second = make_schedule("all", options_for(5, 150s, 7));
  const auto other = make_schedule("all", options_for(5, 150s, 8));
  ASSERT_TRUE(first.has_value() && second.has_value() && other.has_value());
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
}

// Overlapping faults of a schedule in slots never disable more than a minority together.
bool is_light(const PlannedFault& fault) {
  const auto shapes = find_fault(fault.family)->shapes;
  const auto shape = std::ranges::find(shapes, fault.shape, &FaultShape::name);
  return shape->random.light && extent_of(*shape) == Extent::one;
}

TEST(Schedule, OverlappingRandomFaultsTouchOneNodeEach) {
  std::size_t overlaps = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto schedule = make_schedule("kill,partition,pause,restart", options_for(5, 120s, seed));
    ASSERT_TRUE(schedule.has_value());
    for (std::size_t i = 0; i + 1 < schedule->size(); ++i) {
      const PlannedFault& first = schedule->at(i);
      const PlannedFault& second = schedule->at(i + 1);
      if (second.start >= first.start + first.duration) continue;
      ++overlaps;
      EXPECT_TRUE(is_light(first)) << to_text(*schedule);
      EXPECT_TRUE(is_light(second)) << to_text(*schedule);
      EXPECT_NE(first.family, second.family);
    }
  }
  EXPECT_GT(overlaps, 100U);
}

bool stand_together(const PlannedFault& a, const PlannedFault& b) {
  return a.start < b.start + b.duration && b.start < a.start + a.duration;
}

std::size_t nodes_disabled(const PlannedFault& fault, std::size_t nodes) {
  const FaultInfo& family = *find_fault(fault.family);
  const Burden& burden = family.burden;
  if (!burden.stops && !burden.cuts && !burden.ends) return 0;
  const auto shape = std::ranges::find(family.shapes, fault.shape, &FaultShape::name);
  const Extent extent = fault.shape == "nodes" ? Extent::one : extent_of(*shape);
  if (extent == Extent::all) return nodes;
  if (extent == Extent::majority) return majority_of(nodes);
  if (extent == Extent::minority) return minority_of(nodes);
  return extent == Extent::one ? 1 : 0;
}

TEST(Schedule, AllStaysWithinTheBudgetAndHasEveryFamily) {
  std::size_t overlaps = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const std::size_t nodes : {3U, 5U, 7U}) {
      ScheduleOptions options = options_for(nodes, 0s, seed);
      options.required = {"partition:leader-minority", "kill:all"};
      options.duration = std::max<std::chrono::nanoseconds>(
          30s, *suitable_duration("all", options) + std::chrono::seconds(seed));
      const auto schedule = make_schedule("all", options);
      ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
      SCOPED_TRACE(to_text(*schedule));
      for (const FaultInfo& family : all_faults()) EXPECT_TRUE(has(*schedule, family.name));
      EXPECT_TRUE(has(*schedule, "kill", "all"));
      std::set<std::string> lasting;
      for (const PlannedFault& fault : *schedule) {
        EXPECT_LE(fault.start + fault.duration, options.duration);
        const Burden& burden = find_fault(fault.family)->burden;
        if (burden.lies || burden.ends) lasting.insert(fault.target);
        std::size_t disabled = 0;
        std::set<std::string> gone;  // several of what lasts may share a node
        for (const PlannedFault& other : *schedule) {
          if (!stand_together(fault, other)) continue;
          if (other.id != fault.id) ++overlaps;
          const Burden& its = find_fault(other.family)->burden;
          if (its.lies || its.ends) {
            gone.insert(other.target);
          } else {
            disabled += nodes_disabled(other, nodes);
          }
        }
        disabled += gone.size();
        // Faults that stand alone may touch everybody.
        const bool alone = nodes_disabled(fault, nodes) == disabled;
        EXPECT_TRUE(alone || disabled <= minority_of(nodes)) << fault.family;
      }
      EXPECT_LE(lasting.size(), std::max<std::size_t>(1, minority_of(nodes)));
    }
  }
  EXPECT_GT(overlaps, 100U);
}

TEST(Schedule, WhatTheMachineLacksIsLeftOutOfAllAndRefusedByName) {
  ScheduleOptions options = options_for(5, 100s);
  // No family of today needs this: the rows' needs are the machine's business.
  options.lacks = [](std::string_view) { return std::string("not here: modprobe it"); };
  const auto skipped = skipped_families("all", options);
  for (const FaultInfo& family : all_faults()) {
    const bool left_out =
        std::ranges::any_of(skipped, [&](const auto& row) { return row.first == family.name; });
    EXPECT_EQ(left_out, !family.needs.empty()) << family.name;
    if (!left_out) continue;
    const auto refused = make_schedule(family.name, options);
    ASSERT_TRUE(refused.has_error());
    EXPECT_TRUE(is(refused.error(), Errc::unsupported));
    EXPECT_THAT(refused.error().message(), HasSubstr("not here: modprobe it"));
  }
  const auto schedule = make_schedule("all", options);
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  for (const auto& [family, reason] : skipped) EXPECT_FALSE(has(*schedule, family));
  EXPECT_TRUE(skipped_families("kill", options).empty());
}

TEST(Schedule, SmallClustersGetOnlyPossibleShapes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ScheduleOptions options = options_for(3, 60s, seed);
    options.required = {"partition:ring"};
    const auto schedule = make_schedule("partition", options);
    ASSERT_TRUE(schedule.has_value());
    EXPECT_FALSE(has(*schedule, "partition", "ring"));
  }
}

// What the nodes of a mode without a leader tell.
ScheduleOptions leaderless(std::uint64_t seed) {
  ScheduleOptions options = options_for(5, 120s, seed);
  options.events = {"hint-stored", "recovered"};
  return options;
}

bool is_named_after_a_leader(const PlannedFault& fault) {
  return fault.shape.find("leader") != std::string::npos || fault.shape == "followers";
}

TEST(Schedule, WhereNobodyLeadsNoShapeIsNamedAfterALeader) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (const std::string_view text : {"all", "atlas:kill"}) {
      ScheduleOptions options = leaderless(seed);
      options.atlas = {{"recovered", "kill:one@0s+100ms"}};
      options.duration = suitable_duration(text, options).value();
      const auto schedule = make_schedule(text, options);
      ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
      EXPECT_TRUE(std::ranges::none_of(*schedule, is_named_after_a_leader)) << to_text(*schedule);
      EXPECT_TRUE(has(*schedule, "kill"));
    }
  }
}

TEST(Schedule, WhereSomebodyLeadsTheDrawIsWhatItWasWithoutEvents) {
  bool leaders = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ScheduleOptions unknown = options_for(5, 60s, seed);
    unknown.events.clear();
    const auto without = make_schedule("partition,kill,pause", unknown);
    const auto with = make_schedule("partition,kill,pause", options_for(5, 60s, seed));
    ASSERT_TRUE(without.has_value() && with.has_value());
    EXPECT_EQ(*without, *with) << "seed " << seed;
    leaders = leaders || std::ranges::any_of(*with, is_named_after_a_leader);
  }
  EXPECT_TRUE(leaders);
}

TEST(Schedule, WhereNobodyLeadsALeaderIsRefusedWithTheShapesThatExist) {
  for (const std::string_view text : {"kill:leader@1s+1s", "kill:followers", "kill:leader"}) {
    const auto schedule = make_schedule(text, leaderless(1));
    ASSERT_TRUE(schedule.has_error()) << text;
    EXPECT_EQ(schedule.error().code, base::Errc::usage);
    EXPECT_THAT(schedule.error().message(),
                HasSubstr(": no node of this mode leads; there are: all, majority, minority, "
                          "nodes, one, others, subject"));
  }
  EXPECT_TRUE(make_schedule("partition:link@1s+1s", leaderless(1)).has_value());
}

struct Refusal {
  std::string_view name;
  std::string_view text;
  std::string_view says;
  std::size_t nodes = 5;
};

TEST(Schedule, RefusalsNameTheWordAndWhatExists) {
  const std::vector<Refusal> rows{
      {"unknown family", "partition,flood", "no fault 'flood'; there are: "},
      {"empty", "", "no fault ''"},
      {"nothing between commas", "kill,,pause", "no fault ''"},
      {"trailing comma", "kill,", "no fault ''"},
      {"unknown shape",
       "kill:leaders@1s+1s",
       "no shape 'leaders' (did you mean 'leader'?); it has: all, followers, leader"},
      {"bare explicit shape word", "kill:nodes@1s+1s", "no shape 'nodes'"},
      {"no such node", "kill:n6@1s+1s", "no node 'n6': this cluster has n1 to n5"},
      {"node zero", "kill:n0@1s+1s", "no node 'n0'"},
      {"node twice", "kill:n1+n1@1s+1s", "names a node twice"},
      {"node on two sides", "partition:n1/n1+n2@1s+1s", "names n1 twice"},
      {"one side only", "partition:n1+n2+n3@1s+1s", "all nodes on one side", 3},
      {"one way needs two", "partition:n1>n2>n3@1s+1s", "two sides"},
      {"every without moving",
       "refuse:one@3s+1s;every=1s",
       "refuse:one: every belongs to the shape moving"},
      {"moving and flapping", "refuse:moving@3s+1s;flap=1s", "refuse:moving does not flap as well"},
      {"no such client", "refuse:c11>n1@1s+1s", "no client 'c11': this run has c1 to c10"},
      {"a link between clients", "refuse:c1>c2@1s+1s", "at least one a node"},
      {"a link to itself", "refuse:n1<>n1@1s+1s", "a link has two ends"},
      {"clients on sides", "refuse:c1/n2@1s+1s", "must name links, as in c1>n2"},
      {"clients of a process fault", "kill:c1@1s+1s", "no node 'c1'"},
      {"unknown answer",
       "no-new-connections:one@1s+1s;answer=maybe",
       "answer 'maybe' must be one of: silence, refuse"},
      {"ring too small", "partition:ring@1s+1s", "needs at least 4 nodes, this cluster has 3", 3},
      {"partition of one", "partition", "needs at least 2 nodes, this cluster has 1", 1},
      {"starts too late", "kill:one@30s+1s", "starts at 30s, but the load lasts only 30s"},
      {"zero duration", "kill:one@3s+0s", "must last longer than nothing"},
      {"no unit", "kill:one@3+1s", "not a duration"},
      {"no shape", "kill@3s+1s", "needs a shape"},
      {"unknown parameter",
       "partition:one@3s+1s;speed=1s",
       "no parameter 'speed'; it has: every, flap, seed"},
      {"parameter of another family",
       "kill:one@3s+1s;flap=1s",
       "no parameter 'flap'; it has: none, seed"},
      {"parameter out of bounds", "partition:one@3s+1s;flap=1ms", "flap '1ms' must be 20ms to 10m"},
      {"bad seed", "kill:one@3s+1s;seed=x", "seed 'x' is not a number"},
      {"seed without placement", "partition:one;seed=5", "needs a placement"},
      {"none with others", "none,kill", "'none' stands alone"},
  };
  for (const Refusal& row : rows) {
    SCOPED_TRACE(row.name);
    const auto schedule = make_schedule(row.text, options_for(row.nodes, 30s));
    ASSERT_TRUE(schedule.has_error()) << to_text(*schedule);
    EXPECT_TRUE(is(schedule.error(), Errc::usage));
    EXPECT_THAT(schedule.error().message(), HasSubstr(std::string(row.says)));
    EXPECT_EQ(schedule.error().message().find('\n'), std::string::npos);
  }
}

TEST(Schedule, TooShortARunForItsFaultsIsRefused) {
  const auto schedule = make_schedule("all", options_for(5, 2s));
  ASSERT_TRUE(schedule.has_error());
  EXPECT_THAT(schedule.error().message(), HasSubstr("2s is too short for "));
  EXPECT_THAT(schedule.error().message(), HasSubstr("give --duration "));
  const auto suitable = suitable_duration("all", options_for(5, 0s));
  ASSERT_TRUE(suitable.has_value());
  EXPECT_TRUE(make_schedule("all", options_for(5, *suitable)).has_value());
  EXPECT_EQ(suitable_duration("kill", options_for(5, 0s)).value(), 0s);
}

TEST(Schedule, AShortRunOfFewFamiliesHurries) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ScheduleOptions options = options_for(5, 6s, seed);
    options.required = {"partition:leader-minority", "kill:all"};
    const auto schedule = make_schedule("partition,kill,pause,restart", options);
    ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
    EXPECT_TRUE(has(*schedule, "partition", "leader-minority"));
    for (const PlannedFault& fault : *schedule) EXPECT_LT(fault.start + fault.duration, 6s);
  }
  EXPECT_TRUE(make_schedule("partition,kill,pause,restart", options_for(5, 3s)).has_error());
}

TEST(Schedule, FamiliesAreNamedOnceAndSorted) {
  EXPECT_THAT(*families_of("partition,kill:all@1s+1s,partition:one@2s+1s"),
              ElementsAre("kill", "partition"));
  EXPECT_EQ(families_of("all")->size(), all_faults().size());
  EXPECT_TRUE(families_of("none")->empty());
  EXPECT_TRUE(families_of("flood").has_error());
}

void expect_complete(const FaultParameter& parameter) {
  SCOPED_TRACE(parameter.name);
  EXPECT_FALSE(parameter.summary.empty());
  const bool worded = parameter.kind == ParameterKind::word;
  EXPECT_EQ(worded, !parameter.words.empty());
  if (!worded && parameter.kind != ParameterKind::pattern) {
    EXPECT_LT(parameter.low, parameter.high);
  }
  if (parameter.otherwise.empty()) return;
  const auto canonical = canonical_value(parameter, parameter.otherwise);
  ASSERT_TRUE(canonical.has_value()) << canonical.error().message();
  EXPECT_EQ(*canonical, parameter.otherwise);
}

TEST(FaultTable, IsSortedUniqueAndComplete) {
  const auto faults = all_faults();
  EXPECT_EQ(std::ranges::adjacent_find(faults, {}, &FaultInfo::name), faults.end());
  EXPECT_TRUE(std::ranges::is_sorted(faults, {}, &FaultInfo::name));
  for (const FaultInfo& fault : faults) {
    SCOPED_TRACE(fault.name);
    EXPECT_EQ(find_fault(fault.name), &fault);
    EXPECT_NE(fault.apply, nullptr);
    EXPECT_FALSE(fault.summary.empty());
    EXPECT_TRUE(std::ranges::is_sorted(fault.shapes, {}, &FaultShape::name));
    double weight = 0;
    for (const FaultShape& shape : fault.shapes) {
      weight += shape.random.weight;
      EXPECT_FALSE(shape.summary.empty());
      EXPECT_LT(shape.random.share_low, shape.random.share_high);
      EXPECT_LT(shape.random.share_high, 1.0);
    }
    EXPECT_GT(weight, 0);
    for (const FaultParameter& parameter : fault.parameters) expect_complete(parameter);
  }
  EXPECT_EQ(find_fault("flood"), nullptr);
}

TEST(Targets, SidesTakeInTheNodesThatWereNotNamed) {
  const auto sides = parse_sides("n2", 4);
  ASSERT_TRUE(sides.has_value());
  EXPECT_THAT(sides->sides, ElementsAre(ElementsAre(1U), ElementsAre(0U, 2U, 3U)));
  EXPECT_FALSE(sides->one_way);
  const auto one_way = parse_sides("n2>n1+n3", 4);
  ASSERT_TRUE(one_way.has_value());
  EXPECT_THAT(one_way->sides, ElementsAre(ElementsAre(1U), ElementsAre(0U, 2U)));
  EXPECT_TRUE(one_way->one_way);
}

}  // namespace
}  // namespace sunder::nemesis
