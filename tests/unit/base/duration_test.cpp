// Durations as users write them: what is read, what is refused, and that printing reads back.

#include "harness/base/duration.hpp"

#include <gtest/gtest.h>

namespace sunder::base {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsNumbersWithUnits) {
  struct Row {
    const char* text;
    Duration expected;
  };

  for (const Row& row : {Row{"250ms", 250ms},
                         Row{"30s", 30s},
                         Row{"1.5s", 1500ms},
                         Row{"5m", 5min},
                         Row{"0s", 0s}}) {
    SCOPED_TRACE(row.text);
    const auto parsed = parse_duration(row.text);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
    EXPECT_EQ(*parsed, row.expected);
  }
}

TEST(Duration, RefusesWhatHasNoUnitOrIsNotANumber) {
  for (const char* text : {"", "30", "s", "-1s", "1 s", "nans", "1e300h", "30sec"}) {
    SCOPED_TRACE(text);
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed.has_error());
    EXPECT_TRUE(is(parsed.error(), Errc::usage));
  }
}

TEST(Duration, PrintsShortForms) {
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(250us), "250µs");
  EXPECT_EQ(format_duration(2min), "2m");
  EXPECT_EQ(format_duration(150s), "2m30s");
}

}  // namespace
}  // namespace sunder::base
