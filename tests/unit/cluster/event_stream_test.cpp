#include "harness/cluster/event_stream.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sunder::cluster {
namespace {

const base::RunClock kClock(1'000);

std::string line(int sequence, const std::string& more = "") {
  return "{\"v\":1,\"node\":\"n9\",\"seq\":" + std::to_string(sequence) +
         ",\"time\":1500,\"event\":\"became-leader\"" + more + "}";
}

class Stream {
 public:
  void feed(std::string_view bytes) { stream_.feed(bytes); }

  [[nodiscard]] std::uint64_t dropped() const { return stream_.dropped(); }

  [[nodiscard]] const std::vector<history::NodeEvent>& events() const { return events_; }

 private:
  std::vector<history::NodeEvent> events_;
  EventStream stream_{
      "n1", kClock, [this](const history::NodeEvent& event) { events_.push_back(event); }};
};

TEST(EventStream, ReadsOneEvent) {
  const auto parsed =
      parse_event(line(9, ",\"term\":4,\"hash\":\"9f\",\"pre\":true,\"list\":[1]"), "n1", kClock);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
  const history::NodeEvent& event = parsed->event;
  EXPECT_EQ(event.node, "n1");
  EXPECT_EQ(event.sequence, 9U);
  EXPECT_EQ(event.time, 500);
  EXPECT_EQ(event.event, "became-leader");
  EXPECT_EQ(event.number("term"), 4);
  EXPECT_EQ(event.number("pre"), 1);
  EXPECT_EQ(event.text("hash"), "9f");
  EXPECT_EQ(event.text("list"), "[1]");
  EXPECT_EQ(event.numbers.size() + event.texts.size(), 4U);
  EXPECT_FALSE(parsed->dropped.has_value());
}

TEST(EventStream, RefusesWhatIsNotAnEvent) {
  for (const char* text : {"",
                           "hello",
                           "[]",
                           "{}",
                           "{\"v\":2,\"seq\":1,\"time\":1,\"event\":\"x\"}",
                           "{\"v\":1,\"seq\":-1,\"time\":1,\"event\":\"x\"}",
                           "{\"v\":1,\"time\":1,\"event\":\"x\"}",
                           "{\"v\":1,\"seq\":1,\"event\":\"x\"}",
                           "{\"v\":1,\"seq\":1,\"time\":1}",
                           "{\"v\":1,\"seq\":1,\"time\":1,\"event\":7}",
                           "{\"v\":1,\"seq\":1,\"time\":1,\"event\":\"x\"} more"}) {
    SCOPED_TRACE(text);
    const auto parsed = parse_event(text, "n1", kClock);
    ASSERT_TRUE(parsed.has_error());
    EXPECT_TRUE(is(parsed.error(), Errc::protocol));
  }
}

TEST(EventStream, DoesNotCareHowBytesArrive) {
  const std::string text = line(1) + "\n" + line(2) + "\n" + line(3) + "\n";
  for (std::size_t step = 1; step <= text.size(); step += 7) {
    Stream stream;
    for (std::size_t at = 0; at < text.size(); at += step) {
      stream.feed(std::string_view(text).substr(at, step));
    }
    EXPECT_EQ(stream.events().size(), 3U) << "step " << step;
    EXPECT_EQ(stream.dropped(), 0U);
  }
}

TEST(EventStream, KeepsAHalfLineForItself) {
  Stream stream;
  stream.feed(line(1));
  EXPECT_TRUE(stream.events().empty());
  stream.feed("\n");
  EXPECT_EQ(stream.events().size(), 1U);
}

TEST(EventStream, CountsGapsInTheNumbers) {
  Stream stream;
  stream.feed(line(5) + "\n" + line(6) + "\n" + line(10) + "\n");
  EXPECT_EQ(stream.dropped(), 3U);
}

TEST(EventStream, BelievesTheLargerOfGapsAndTheNodesOwnCount) {
  Stream stream;
  stream.feed(line(1) + "\n" + line(4, ",\"dropped\":2") + "\n");
  EXPECT_EQ(stream.dropped(), 2U);
  stream.feed(line(5, ",\"dropped\":9") + "\n");
  EXPECT_EQ(stream.dropped(), 9U);
}

TEST(EventStream, SkipsALineThatIsTooLongAndGoesOn) {
  Stream stream;
  const std::string half(50'000, 'x');
  stream.feed(line(1) + "\n");
  stream.feed(half);
  stream.feed(half);
  stream.feed(half + "\n" + line(2) + "\nnonsense\n" + line(3) + "\n");
  EXPECT_EQ(stream.events().size(), 3U);
  EXPECT_EQ(stream.dropped(), 2U);
}

}  // namespace
}  // namespace sunder::cluster
