// Which operations a rule strikes, and what it counts.

#include "harness/disk/rules.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace sunder::disk {
namespace {

Attempt write_to(std::string_view path, std::uint64_t length = 100, std::uint64_t growth = 100) {
  return {Operation::write, path, 0, length, growth, 0};
}

Attempt sync_of(std::string_view path) {
  return {Operation::sync, path, 0, 0, 0, 0};
}

TEST(Rules, TheNthMatchingOperationFailsAndNoOther) {
  Rules rules;
  ASSERT_TRUE(rules.arm(1, {.kind = RuleKind::disk_error, .files = "*.log", .nth = 3}).has_value());
  std::vector<int> errors;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rules.judge(write_to("raft/000004.sst")).error, 0);
    errors.push_back(rules.judge(write_to("raft/000005.log")).error);
  }
  EXPECT_EQ(errors, (std::vector<int>{0, 0, EIO, 0, 0}));
  EXPECT_EQ(rules.counters(1)->seen, 5U);
  EXPECT_EQ(rules.counters(1)->struck, 1U);
  EXPECT_EQ(rules.counters(1)->bytes, 100U);
}

TEST(Rules, ARateStrikesThatShareAndTheSeedDecidesWhich) {
  std::vector<std::vector<int>> drawn;
  for (const std::uint64_t seed : {7U, 7U, 8U}) {
    Rules rules;
    ASSERT_TRUE(
        rules.arm(1, {.kind = RuleKind::disk_error, .rate = 0.25, .seed = seed}).has_value());
    std::vector<int> errors;
    for (int i = 0; i < 4000; ++i) errors.push_back(rules.judge(write_to("f")).error);
    EXPECT_NEAR(static_cast<double>(rules.counters(1)->struck), 1000, 120);
    drawn.push_back(std::move(errors));
  }
  EXPECT_EQ(drawn[0], drawn[1]);
  EXPECT_NE(drawn[0], drawn[2]);
}

TEST(Rules, EachKindConcernsItsOperations) {
  struct Row {
    const char* name;
    Rule rule;
    bool read, write, sync;
  };

  const std::vector<Row> rows{
      {"errors everywhere", {.kind = RuleKind::disk_error}, true, true, true},
      {"errors when reading",
       {.kind = RuleKind::disk_error, .operation = "read"},
       true,
       false,
       false},
      {"short", {.kind = RuleKind::short_io}, true, true, false},
      {"flips when writing",
       {.kind = RuleKind::bit_flip, .operation = "write"},
       false,
       true,
       false},
      {"lost", {.kind = RuleKind::lost_write}, false, true, false},
      {"misdirected", {.kind = RuleKind::misdirected_write}, false, true, false},
      {"failed sync", {.kind = RuleKind::fsync_fail}, false, false, true},
      {"slow sync", {.kind = RuleKind::fsync_slow}, false, false, true},
      {"full", {.kind = RuleKind::disk_full}, false, true, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Rules rules;
    ASSERT_TRUE(rules.arm(1, row.rule).has_value());
    (void)rules.judge({Operation::read, "f", 0, 100, 0, 100});
    EXPECT_EQ(rules.counters(1)->seen, row.read ? 1U : 0U);
    (void)rules.judge(write_to("f"));
    EXPECT_EQ(rules.counters(1)->seen, (row.read ? 1U : 0U) + (row.write ? 1U : 0U));
    (void)rules.judge(sync_of("f"));
    EXPECT_EQ(rules.counters(1)->seen,
              (row.read ? 1U : 0U) + (row.write ? 1U : 0U) + (row.sync ? 1U : 0U));
  }
}

TEST(Rules, AFullDiskTakesItsQuotaAndOverwritesStillWork) {
  Rules rules;
  ASSERT_TRUE(rules.arm(1, {.kind = RuleKind::disk_full, .quota = 250}).has_value());
  EXPECT_EQ(rules.judge(write_to("f")).error, 0);
  EXPECT_EQ(rules.judge(write_to("f")).error, 0);
  EXPECT_EQ(rules.judge(write_to("f")).error, ENOSPC);
  EXPECT_EQ(rules.judge(write_to("f", 100, 0)).error, 0);
  EXPECT_EQ(rules.judge(write_to("f", 50, 50)).error, 0);
}

TEST(Rules, AMisdirectedWriteNeverLandsWhereItShould) {
  Rules rules;
  ASSERT_TRUE(rules.arm(1, {.kind = RuleKind::misdirected_write, .seed = 3}).has_value());
  for (std::uint64_t offset = 0; offset < 200; offset += 7) {
    const Ruling ruling = rules.judge({Operation::write, "f", offset, 8, 0, 1200});
    ASSERT_TRUE(ruling.misdirect.has_value());
    EXPECT_NE(*ruling.misdirect, offset);
    EXPECT_EQ(*ruling.misdirect % 512, offset % 512);
  }
}

TEST(Rules, ShortTransfersAreNeitherEmptyNorWhole) {
  Rules rules;
  ASSERT_TRUE(rules.arm(1, {.kind = RuleKind::short_io, .seed = 3}).has_value());
  for (int i = 0; i < 200; ++i) {
    const Ruling ruling = rules.judge({Operation::read, "f", 0, 5, 0, 5});
    ASSERT_TRUE(ruling.length.has_value());
    EXPECT_GE(*ruling.length, 1U);
    EXPECT_LT(*ruling.length, 5U);
  }
  // One byte cannot be shortened.
  EXPECT_FALSE(rules.judge({Operation::read, "f", 0, 1, 0, 5}).length.has_value());
}

TEST(Rules, RulesComposeUntilTheyAreDisarmed) {
  Rules rules;
  ASSERT_TRUE(
      rules.arm(1, {.kind = RuleKind::fsync_slow, .delay = std::chrono::seconds(1)}).has_value());
  ASSERT_TRUE(
      rules.arm(2, {.kind = RuleKind::fsync_slow, .delay = std::chrono::seconds(2)}).has_value());
  ASSERT_TRUE(rules.arm(3, {.kind = RuleKind::fsync_fail}).has_value());
  const Ruling all = rules.judge(sync_of("f"));
  EXPECT_EQ(all.delay, std::chrono::seconds(3));
  EXPECT_TRUE(all.fail_sync);
  EXPECT_EQ(rules.disarm(2)->struck, 1U);
  EXPECT_EQ(rules.disarm(3)->struck, 1U);
  EXPECT_FALSE(rules.disarm(3).has_value());
  const Ruling rest = rules.judge(sync_of("f"));
  EXPECT_EQ(rest.delay, std::chrono::seconds(1));
  EXPECT_FALSE(rest.fail_sync);
}

TEST(Rules, NonsenseIsRefused) {
  Rules rules;
  EXPECT_FALSE(rules.arm(1, {.kind = RuleKind::disk_error, .rate = 0}).has_value());
  EXPECT_FALSE(rules.arm(1, {.kind = RuleKind::disk_error, .rate = 1.5}).has_value());
  EXPECT_FALSE(rules.arm(1, {.kind = RuleKind::disk_error, .operation = "chew"}).has_value());
  ASSERT_TRUE(rules.arm(1, {}).has_value());
  EXPECT_FALSE(rules.arm(1, {}).has_value());
}

TEST(Rules, AGlobIsOverTheNameUnlessItHasASlash) {
  EXPECT_TRUE(matches("*.log", "raft/000005.log"));
  EXPECT_FALSE(matches("*.log", "raft/LOG"));
  EXPECT_TRUE(matches("raft/*.log", "raft/000005.log"));
  EXPECT_FALSE(matches("other/*.log", "raft/000005.log"));
  EXPECT_TRUE(matches("*", "raft/MANIFEST-000001"));
}

TEST(Rules, KindNamesAreWordsOfTheCatalogue) {
  for (const RuleKind kind : {RuleKind::disk_error,
                              RuleKind::disk_full,
                              RuleKind::short_io,
                              RuleKind::bit_flip,
                              RuleKind::lost_write,
                              RuleKind::misdirected_write,
                              RuleKind::fsync_fail,
                              RuleKind::fsync_slow}) {
    EXPECT_EQ(rule_kind_named(name_of(kind)), kind);
  }
  EXPECT_FALSE(rule_kind_named("meteor").has_value());
}

}  // namespace
}  // namespace sunder::disk
