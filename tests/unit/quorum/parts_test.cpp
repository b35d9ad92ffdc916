// Stamps, the ring, versions with their digests, and the bytes of messages and records.

#include <map>

#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "nodes/quorum/message.hpp"
#include "nodes/quorum/records.hpp"
#include "nodes/quorum/ring.hpp"
#include "nodes/quorum/stamp.hpp"
#include "nodes/quorum/versions.hpp"

namespace sunder::nodes::quorum {
namespace {

TEST(HybridClock, GivesGreaterStampsWhateverTheWallClockDoes) {
  HybridClock clock(3);
  Stamp last;
  for (const std::int64_t wall : {5'000'000, 5'000'000, 5'000'999, 1'000, -7, 6'000'000}) {
    const Stamp next = clock.next(wall);
    EXPECT_GT(next, last);
    EXPECT_EQ(next.node, 3U);
    last = next;
  }
  EXPECT_EQ(last, (Stamp{.time = 6000, .counter = 0, .node = 3}));
}

TEST(HybridClock, GoesBeyondWhatItHasSeen) {
  HybridClock clock(1);
  const Stamp seen{.time = 9'000, .counter = 4, .node = 2};
  clock.see(seen);
  EXPECT_EQ(clock.next(1'000'000), (Stamp{.time = 9'000, .counter = 5, .node = 1}));
  clock.see({.time = 3, .counter = 99, .node = 2});
  EXPECT_EQ(clock.next(1'000'000), (Stamp{.time = 9'000, .counter = 6, .node = 1}));
  EXPECT_EQ(clock.next(10'000'000), (Stamp{.time = 10'000, .counter = 0, .node = 1}));
}

TEST(Stamps, AreOrderedByTimeThenCounterThenNode) {
  const Stamp middle{.time = 5, .counter = 5, .node = 5};
  EXPECT_LT((Stamp{.time = 4, .counter = 9, .node = 9}), middle);
  EXPECT_LT((Stamp{.time = 5, .counter = 4, .node = 9}), middle);
  EXPECT_LT((Stamp{.time = 5, .counter = 5, .node = 4}), middle);
  EXPECT_FALSE(wins({.stamp = middle, .value = "a"}, {.stamp = middle, .value = "a"}));
  EXPECT_TRUE(wins({.stamp = middle, .value = "b"}, {.stamp = middle, .value = "a"}));
}

TEST(Ring, WalksEveryNodeOnceAndSpreadsKeys) {
  const Ring ring({1, 2, 3, 4, 5});
  std::map<NodeId, int> kept;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto walk = ring.walk(key);
    EXPECT_EQ(std::set<NodeId>(walk.begin(), walk.end()).size(), 5U);
    const auto keepers = ring.keepers(key, 3);
    EXPECT_TRUE(std::equal(keepers.begin(), keepers.end(), walk.begin()));
    for (const NodeId node : keepers) ++kept[node];
  }
  for (const auto& [node, count] : kept) {
    EXPECT_GT(count, 350) << node;
    EXPECT_LT(count, 850) << node;
  }
}

TEST(Ring, MovesFewKeysWhenANodeJoins) {
  const Ring before({1, 2, 3, 4});
  const Ring after({1, 2, 3, 4, 5});
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    const NodeId now = after.keepers(key, 1).front();
    if (before.keepers(key, 1).front() == now) continue;
    EXPECT_EQ(now, 5U) << "keys move only to the new node";
    ++moved;
  }
  EXPECT_GT(moved, 100);
  EXPECT_LT(moved, 350);
}

TEST(Ring, GivesAllWhenAskedForMore) {
  EXPECT_EQ(Ring({7}).keepers("a", 3), std::vector<NodeId>{7});
}

// Two nodes that got the same versions, in any order and number, have the same digests; one more or
// less, and they differ.
TEST(Versions, HaveDigestsOfWhatBothKeep) {
  const Ring ring({1, 2, 3, 4, 5});
  base::Random random(11);
  std::vector<Item> items;
  for (int i = 0; i < 500; ++i) {
    items.push_back({.key = "k" + std::to_string(random.below(100)),
                     .version = {.stamp = {.time = random.below(50), .counter = 0, .node = 1},
                                 .value = std::to_string(random.below(3))}});
  }
  Versions one(ring, {.self = 1});
  Versions two(ring, {.self = 2});
  for (const Item& item : items) one.put(item.key, item.version);
  random.shuffle(items);
  for (const Item& item : items) {
    if (two.both_keep(item.key, 1)) two.put(item.key, item.version);
  }
  EXPECT_EQ(one.digests_with(2), two.digests_with(1));
  EXPECT_NE(one.digest_with(2), one.digest_with(3));
  std::string shared;
  for (int i = 0; shared.empty(); ++i) {
    if (one.both_keep("x" + std::to_string(i), 2)) shared = "x" + std::to_string(i);
  }
  two.put(shared, {.stamp = {.time = 99, .counter = 0, .node = 1}, .value = "v"});
  EXPECT_NE(one.digests_with(2), two.digests_with(1));
  one.put(shared, {.stamp = {.time = 99, .counter = 0, .node = 1}, .value = "w"});
  EXPECT_NE(one.digest_with(2), two.digest_with(1)) << "equal stamps, different values";
}

TEST(Versions, AreListedFromAKeyOn) {
  const Ring ring({1, 2});
  Versions versions(ring, {.self = 1});
  for (int i = 0; i < 1000; ++i)
    versions.put("k" + std::to_string(i), {.stamp = {1, 0, 1}, .value = ""});
  std::size_t all = 0;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    std::string after;
    for (;;) {
      const auto listed = versions.list(2, bucket, after, 5);
      all += listed.size();
      if (listed.size() < 5) break;
      after = listed.back().first;
    }
  }
  EXPECT_EQ(all, 1000U);
}

Message full_message() {
  Message message;
  message.kind = MessageKind::transfer;
  message.clock = {.time = 1, .counter = 2, .node = 3};
  message.request = 4;
  message.key = std::string("a\0b", 3);
  message.version = Version{.stamp = {.time = 5, .counter = 6, .node = 7}, .value = "v"};
  message.stamp = {.time = 8, .counter = 9, .node = 1};
  message.owner = 2;
  message.force = true;
  message.rows.assign(kBuckets, 77);
  message.bucket = 63;
  message.after = "k";
  message.to_the_end = true;
  message.listed.emplace_back("x", Stamp{.time = 3, .counter = 0, .node = 1});
  message.items.push_back({.key = "y", .version = {.stamp = {.time = 1}, .value = ""}});
  message.wanted = {"p", "q"};
  return message;
}

TEST(Messages, ComeBackFromTheirBytes) {
  const Message message = full_message();
  EXPECT_EQ(decode_message(encode(message)).value(), message);
  EXPECT_EQ(decode_message(encode(Message())).value(), Message());
}

TEST(Messages, OfNoneOfOursAreRefused) {
  EXPECT_TRUE(decode_message("\xff\xff").has_error());
  Message message = full_message();
  message.rows.resize(3);
  EXPECT_TRUE(decode_message(encode(message)).has_error());
  const std::string bytes = encode(full_message());
  base::Random random(5);
  for (int i = 0; i < 10'000; ++i) {
    std::string damaged = bytes.substr(0, random.below(bytes.size() + 1));
    if (!damaged.empty()) damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    (void)decode_message(damaged);
  }
}

TEST(Records, ComeBackAsVersionsAndHints) {
  const Version version{.stamp = {.time = 5, .counter = 6, .node = 7}, .value = "v"};
  Recovered recovered;
  for (const NodeId owner : {kNobody, 0x01020304U}) {
    const storage::Record record = record_of({.owner = owner, .key = "key", .version = version});
    ASSERT_TRUE(take_record(record.name, *record.value, recovered).has_value());
  }
  ASSERT_EQ(recovered.items.size(), 1U);
  EXPECT_EQ(recovered.items.front(), (Item{.key = "key", .version = version}));
  ASSERT_EQ(recovered.hints.size(), 1U);
  EXPECT_EQ(recovered.hints.front().owner, 0x01020304U);
  EXPECT_EQ(recovered.hints.front().item.key, "key");
  EXPECT_FALSE(record_of({.owner = 1, .key = "key", .version = {}}).value.has_value());
  EXPECT_TRUE(take_record("x", "", recovered).has_error());
  EXPECT_TRUE(take_record("h12", "", recovered).has_error());
  EXPECT_TRUE(take_record("v1", "\xff", recovered).has_error());
}

}  // namespace
}  // namespace sunder::nodes::quorum
