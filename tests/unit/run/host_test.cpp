// HostWatch: what its delays excuse, and when they no longer do.

#include "harness/run/host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sunder::run {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(HostWatch, SaysHowLateTheHarnessItselfWas) {
  HostWatch watch{base::RunClock()};
  watch.note_delay(kSecond, 1);
  EXPECT_EQ(watch.overload(), "");
  watch.note_delay(2 * kSecond, 5000);
  EXPECT_THAT(watch.overload(), HasSubstr("ran 5000 ms late at 2.0 s"));
}

// Stopping nodes and unmounting their disks may take the loop a while; nothing is judged by then.
TEST(HostWatch, WhatComesAfterItsEndExcusesNothing) {
  HostWatch watch{base::RunClock()};
  watch.note_delay(kSecond, 1);
  watch.end();
  for (std::int64_t wake = 2; wake < 50; ++wake) watch.note_delay(wake * kSecond, 5000);
  EXPECT_EQ(watch.overload(), "");
  EXPECT_EQ(watch.samples().size(), 1U);
}

}  // namespace
}  // namespace sunder::run
