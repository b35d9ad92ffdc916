// The packed log of events gives back what was put in.

#include "harness/history/event_log.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"

namespace sunder::history {
namespace {

std::vector<NodeEvent> unpacked(const EventLog& log) {
  std::vector<NodeEvent> events;
  for (const NodeEvent& event : log) events.push_back(event);
  return events;
}

void expect_same(const std::vector<NodeEvent>& got, const std::vector<NodeEvent>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].node, wanted[i].node) << "event " << i;
    EXPECT_EQ(got[i].sequence, wanted[i].sequence) << "event " << i;
    EXPECT_EQ(got[i].time, wanted[i].time) << "event " << i;
    EXPECT_EQ(got[i].event, wanted[i].event) << "event " << i;
    EXPECT_EQ(got[i].numbers, wanted[i].numbers) << "event " << i;
    EXPECT_EQ(got[i].texts, wanted[i].texts) << "event " << i;
  }
}

std::string word(base::Random& random, std::string_view stem) {
  return std::string(stem) + std::to_string(random.below(12));
}

std::int64_t any_number(base::Random& random) {
  const std::uint64_t number = random.next() >> random.below(64);
  return static_cast<std::int64_t>(random.chance(0.5) ? number : ~number);
}

NodeEvent any_event(base::Random& random) {
  NodeEvent event;
  event.node = word(random, "n");
  event.sequence = random.next() >> random.below(64);
  event.time = any_number(random);
  event.event = word(random, "event-");
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    event.numbers.emplace_back(word(random, "number-"), any_number(random));
  }
  for (std::uint64_t i = random.below(3); i > 0; --i) {
    event.texts.emplace_back(word(random, "text-"), std::string(random.below(40), '\xff'));
  }
  return event;
}

TEST(EventLog, IsEmptyAtFirst) {
  const EventLog log;
  EXPECT_TRUE(log.empty());
  EXPECT_THAT(unpacked(log), testing::IsEmpty());
}

TEST(EventLog, GivesBackWhatWasPutIn) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    base::Random random(seed);
    std::vector<NodeEvent> events;
    EventLog log;
    for (std::uint64_t i = random.below(200); i > 0; --i) {
      events.push_back(any_event(random));
      log.push_back(events.back());
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    expect_same(unpacked(log), events);
    const EventLog copy = log;
    log.clear();
    EXPECT_TRUE(log.empty());
    expect_same(unpacked(copy), events);
  }
}

TEST(EventLog, KeepsExtremesAndTextsLongerThanAChunk) {
  NodeEvent event;
  event.node = "n1";
  event.sequence = std::numeric_limits<std::uint64_t>::max();
  event.time = std::numeric_limits<std::int64_t>::min();
  event.numbers = {{"a", std::numeric_limits<std::int64_t>::max()}, {"b", -1}, {"", 0}};
  const std::size_t long_text = (std::size_t{1} << 20) + 1;
  event.texts = {{"empty", ""}, {"long", std::string(long_text, 'x')}};
  expect_same(unpacked({event, event, event}), {event, event, event});
}

// What a node behind Raft tells of one entry.
TEST(EventLog, TakesFiftyBytesForAnEvent) {
  EventLog log;
  constexpr std::int64_t kEvents = 100'000;
  for (std::int64_t i = 0; i < kEvents; ++i) {
    NodeEvent event;
    event.node = "n" + std::to_string(1 + i % 5);
    event.sequence = static_cast<std::uint64_t>(i);
    event.time = i * 48'000;
    event.event = "appended";
    event.numbers = {{"first", i}, {"last", i}, {"term", 7}};
    event.texts = {{"hash", "297b573900ff8483"}};
    log.push_back(event);
  }
  EXPECT_LE(log.bytes(), 50U * kEvents);
}

}  // namespace
}  // namespace sunder::history
