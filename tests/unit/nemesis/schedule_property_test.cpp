// Properties of the schedule language over the whole fault table: what is written reads back, and
// nothing that is typed is answered by more than one line.

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "nemesis/nemesis.hpp"
#include "nemesis/parameters.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNodes = 7;

ScheduleOptions options_with(std::uint64_t seed) {
  ScheduleOptions options;
  options.nodes = kNodes;
  options.duration = 10min;
  options.random = base::Random(seed);
  options.events = {"became-leader", "committed", "snapshot-started"};
  options.atlas = {{"became-leader", "pause:leader@0s+600ms"}, {"committed", ""}};
  return options;
}

// A value within the row's limits, as a user might write it.
std::string any_value(const FaultParameter& row, base::Random& random) {
  if (row.kind == ParameterKind::word) {
    return std::string(row.words[static_cast<std::size_t>(random.below(row.words.size()))]);
  }
  if (row.kind == ParameterKind::pattern) return random.chance(0.5) ? "*.log" : "data/[a-c]?_1";
  const double value = row.low + (row.high - row.low) * random.unit();
  switch (row.kind) {
    case ParameterKind::duration:
      return fmt::format("{}ns", static_cast<std::int64_t>(value));
    case ParameterKind::percent:
      return fmt::format("{}{}", value, random.chance(0.5) ? "%" : "");
    case ParameterKind::bit_rate:
      return fmt::format("{}bit", static_cast<std::int64_t>(value));
    default:
      return fmt::format("{}", value);
  }
}

std::string any_item(base::Random& random) {
  const auto faults = all_faults();
  const FaultInfo& family = faults[static_cast<std::size_t>(random.below(faults.size()))];
  const auto index = static_cast<std::size_t>(random.below(family.shapes.size()));
  std::string shape(family.shapes[index].name);
  const bool by_event = shape == "subject" || shape == "others" || random.chance(0.4);
  if (shape == "nodes") shape = "n2+n5";
  if (shape == "groups") shape = random.chance(0.5) ? "n1+n2/n4" : "n1>n2+n3";
  std::string text = fmt::format("{}:{}@", family.name, shape);
  if (by_event) {
    text += fmt::format("became-leader={}+{}ms;delay={}us;after={}ms;within={}s",
                        random.between(1, 50),
                        random.between(1, 9000),
                        random.below(5000),
                        random.below(60'000),
                        random.below(9));
  } else {
    text += fmt::format("{}us+{}ms", random.below(600'000'000), random.between(1, 9000));
  }
  for (const FaultParameter& row : family.parameters) {
    if (random.chance(0.5)) text += fmt::format(";{}={}", row.name, any_value(row, random));
  }
  if (random.chance(0.5)) text += fmt::format(";seed={}", random.next());
  return text;
}

TEST(ScheduleProperties, WhateverIsAcceptedReadsBackExactly) {
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    base::Random random(seed);
    std::string text = any_item(random);
    while (random.chance(0.4)) text += ", " + any_item(random);
    SCOPED_TRACE(text);
    const auto schedule = make_schedule(text, options_with(seed));
    if (schedule.has_error()) {  // parameters may exclude each other
      ASSERT_TRUE(is(schedule.error(), Errc::usage)) << schedule.error().message();
      continue;
    }
    ++accepted;
    const auto again = make_schedule(to_text(*schedule), options_with(seed + 1));
    ASSERT_TRUE(again.has_value()) << again.error().message() << " in " << to_text(*schedule);
    ASSERT_EQ(*again, *schedule) << to_text(*schedule);
  }
  EXPECT_GT(accepted, 1'000U);
}

TEST(ScheduleProperties, TheSameSeedGivesTheSameSchedule) {
  for (const FaultInfo& family : all_faults()) {
    SCOPED_TRACE(family.name);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto one = make_schedule(family.name, options_with(seed));
      const auto two = make_schedule(family.name, options_with(seed));
      ASSERT_TRUE(one.has_value() && two.has_value()) << one.error().message();
      EXPECT_EQ(*one, *two);
      const auto stored = make_schedule(to_text(*one), options_with(seed + 1));
      ASSERT_TRUE(stored.has_value()) << stored.error().message();
      EXPECT_EQ(*stored, *one) << to_text(*one);
    }
  }
}

TEST(ScheduleProperties, ValuesOutsideOfTheirLimitsAreRefusedWithThem) {
  for (const FaultInfo& family : all_faults()) {
    for (const FaultParameter& row : family.parameters) {
      SCOPED_TRACE(fmt::format("{} {}", family.name, row.name));
      const bool worded = row.kind == ParameterKind::word || row.kind == ParameterKind::pattern;
      const auto wrong = canonical_value(row, worded ? "no such word!" : "1e300");
      ASSERT_TRUE(wrong.has_error());
      EXPECT_NE(wrong.error().message().find(limits_of(row)), std::string::npos)
          << wrong.error().message();
      EXPECT_TRUE(canonical_value(row, "").has_error());
      if (worded) continue;
      base::Random random(7);
      EXPECT_TRUE(canonical_value(row, any_value(row, random)).has_value());
    }
  }
}

TEST(ScheduleProperties, EveryExampleOfTheCatalogueIsValid) {
  for (const FaultInfo& family : all_faults()) {
    SCOPED_TRACE(family.name);
    EXPECT_FALSE(family.evidence.empty());
    EXPECT_FALSE(family.example.empty());
    ScheduleOptions options = options_with(1);
    options.nodes = 5;
    options.events.clear();
    const auto schedule = make_schedule(family.example, options);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  }
}

// Bytes of valid items, shuffled, doubled, dropped and replaced.
TEST(ScheduleProperties, WhateverIsTypedGetsOneLine) {
  constexpr std::string_view spice = "@+;:,=/>n1 \n\t%*9azé\0all none atlas";
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    base::Random random(seed);
    std::string text = random.chance(0.9) ? any_item(random) : "atlas:kill";
    for (std::uint64_t changes = random.below(6); changes > 0 && !text.empty(); --changes) {
      const auto at = static_cast<std::size_t>(random.below(text.size()));
      const char byte = spice[static_cast<std::size_t>(random.below(spice.size()))];
      switch (random.below(4)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + static_cast<std::size_t>(random.below(4)));
          break;
        default:
          text += text.substr(at);
      }
    }
    SCOPED_TRACE(text);
    const auto schedule = make_schedule(text, options_with(seed));
    if (schedule.has_value()) continue;
    EXPECT_TRUE(is(schedule.error(), Errc::usage)) << schedule.error().message();
    EXPECT_EQ(schedule.error().message().find('\n'), std::string::npos);
  }
}

TEST(ScheduleProperties, AnAtlasTriesEveryEventWithEveryFamilyOneAfterTheOther) {
  ScheduleOptions options = options_with(3);
  options.duration = 0s;
  const auto schedule = make_schedule("atlas", options);
  ASSERT_TRUE(schedule.has_value()) << schedule.error().message();
  std::chrono::nanoseconds free{0};
  for (const PlannedFault& fault : *schedule) {
    if (fault.at.event.empty()) continue;
    EXPECT_GE(fault.start, free);
    free = fault.start + fault.at.within + fault.duration;
  }
  for (const FaultInfo& family : all_faults()) {
    for (const auto& [event, provoked_by] : options.atlas) {
      EXPECT_EQ(std::ranges::count_if(*schedule,
                                      [&](const PlannedFault& fault) {
                                        return fault.family == family.name &&
                                               fault.at.event == event;
                                      }),
                1)
          << family.name << " at " << event;
    }
  }
  const auto again = make_schedule(to_text(*schedule), options_with(4));
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(*again, *schedule);
  const auto suitable = suitable_duration("atlas:kill", options);
  ASSERT_TRUE(suitable.has_value());
  options.duration = *suitable;
  EXPECT_TRUE(make_schedule("atlas:kill", options).has_value());
  options.duration = *suitable - 1s;
  EXPECT_TRUE(make_schedule("atlas:kill", options).has_error());
  EXPECT_TRUE(make_schedule("atlas:kill:leader", options).has_error());
  EXPECT_TRUE(make_schedule("atlas:flood", options).has_error());
}

}  // namespace
}  // namespace sunder::nemesis
