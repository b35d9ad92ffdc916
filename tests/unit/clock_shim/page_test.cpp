// The page's arithmetic and its two copies.

#include "harness/clock_shim/page.hpp"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace sunder::clock_shim {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

TEST(Component, AddsItsOffsetAtAnyTime) {
  const Component component{.base = 100, .offset = -7};
  EXPECT_EQ(shift_of(component, 100), -7);
  EXPECT_EQ(shift_of(component, 50), -7);
  EXPECT_EQ(shift_of(component, 10 * kBillion), -7);
}

TEST(Component, GainsWithTheTimeSinceItsBase) {
  const Component fast{.base = kBillion, .drift = 200'000'000};
  EXPECT_EQ(shift_of(fast, kBillion), 0);
  EXPECT_EQ(shift_of(fast, kBillion + 500 * kMillisecond), 100 * kMillisecond);
  EXPECT_EQ(shift_of(fast, 11 * kBillion), 2 * kBillion);
  const Component slow{.base = 0, .drift = -1};
  EXPECT_EQ(shift_of(slow, 3 * kBillion), -3);
}

// A century at ten times the speed stays within 64 bits.
TEST(Component, DoesNotOverflowInACentury) {
  constexpr std::int64_t kCentury = 3'155'760'000 * kBillion / 1;
  const Component component{.base = 0, .drift = 1'000'000'000};
  EXPECT_EQ(shift_of(component, kCentury), kCentury);
}

TEST(Component, IsThereInTheFirstHalfOfEachPeriod) {
  const Component component{.base = 1000, .strobe = 5, .period = 100};
  EXPECT_EQ(shift_of(component, 1000), 5);
  EXPECT_EQ(shift_of(component, 1049), 5);
  EXPECT_EQ(shift_of(component, 1050), 0);
  EXPECT_EQ(shift_of(component, 1099), 0);
  EXPECT_EQ(shift_of(component, 1100), 5);
}

TEST(Undisturbed, IsHowLongTheRealClockTakes) {
  EXPECT_EQ(undisturbed(600, 200'000'000), 500);
  EXPECT_EQ(undisturbed(400, -200'000'000), 500);
  EXPECT_EQ(undisturbed(3600 * kBillion, 0), 3600 * kBillion);
  EXPECT_EQ(undisturbed(10 * kBillion, 9 * kBillion), kBillion);
  EXPECT_EQ(undisturbed(1, 999'999'999), 1) << "rounded up: nothing is early";
}

TEST(Parameters, AddUp) {
  Parameters parameters;
  parameters.count = 2;
  parameters.components[0] = {.offset = 10, .drift = 3};
  parameters.components[1] = {.offset = -4, .drift = 5, .strobe = 1, .period = 10};
  EXPECT_EQ(parameters.shift(0), 7);
  EXPECT_EQ(parameters.drift(), 8);
  EXPECT_TRUE(parameters.strobes());
}

TEST(Page, GivesBackWhatWasWrittenLast) {
  const auto page = std::make_unique<Page>();
  EXPECT_EQ(read_parameters(*page).count, 0U);
  const Component all[2] = {{.base = 1, .offset = 2, .drift = 3, .strobe = 4, .period = 5},
                            {.offset = 6}};
  write_parameters(*page, all, 2);
  const Parameters read = read_parameters(*page);
  EXPECT_EQ(read.count, 2U);
  EXPECT_EQ(read.components[0], all[0]);
  EXPECT_EQ(read.components[1], all[1]);
  EXPECT_EQ(read.generation, 1U);
  write_parameters(*page, all, 0);
  EXPECT_EQ(read_parameters(*page).shift(77), 0);
}

// Every component of one writing has the same offset: a reader that sees two has mixed them.
TEST(Page, NeverShowsHalfOfAWriting) {
  const auto page = std::make_unique<Page>();
  constexpr std::int64_t kWritings = 20'000;
  std::thread writer([&page] {
    for (std::int64_t i = 1; i <= kWritings; ++i) {
      Component all[kComponentsMax];
      for (Component& component : all) component.offset = i;
      write_parameters(*page, all, kComponentsMax);
    }
  });
  for (std::int64_t last = 0; last < kWritings;) {
    const Parameters read = read_parameters(*page);
    for (std::uint32_t i = 1; i < read.count; ++i) {
      ASSERT_EQ(read.components[i].offset, read.components[0].offset);
    }
    if (read.count > 0) last = read.components[0].offset;
  }
  writer.join();
}

}  // namespace
}  // namespace sunder::clock_shim
