// What survives a loss of power, against an oracle that replays the surviving changes from the
// start.

#include "harness/disk/durable_file.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace sunder::disk {
namespace {

class StringMedium final : public Medium {
 public:
  Result<std::uint64_t> size() const override { return bytes.size(); }

  Result<std::string> read(std::uint64_t offset, std::uint64_t length) const override {
    return offset >= bytes.size() ? std::string() : bytes.substr(offset, length);
  }

  Result<void> write(std::uint64_t offset, std::string_view written) override {
    if (bytes.size() < offset + written.size()) bytes.resize(offset + written.size());
    bytes.replace(offset, written.size(), written);
    return {};
  }

  Result<void> resize(std::uint64_t size) override {
    bytes.resize(size);
    return {};
  }

  std::string bytes;
};

struct Step {
  int kind = 0;  // 0-5: write, 6: resize, 7: sync, 8: failed sync, 9: the last descriptor is closed
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

std::string bytes_of(std::size_t step, std::uint64_t length) {
  return std::string(length, static_cast<char>('a' + step % 26));
}

// The oracle: every change with its fate, replayed from an empty file.
struct Oracle {
  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;  // empty: a change of size, to `offset`
    char fate = 'u';    // unsynced, durable, lost
  };

  std::vector<Change> changes;

  void end_of(char from, char to) {
    for (Change& change : changes) {
      if (change.fate == from) change.fate = to;
    }
  }

  [[nodiscard]] std::string replay(std::string_view fates) const {
    StringMedium medium;
    for (const Change& change : changes) {
      if (fates.find(change.fate) == std::string_view::npos) continue;
      if (change.bytes.empty()) {
        (void)medium.resize(change.offset);
      } else {
        (void)medium.write(change.offset, change.bytes);
      }
    }
    return medium.bytes;
  }
};

RC_GTEST_PROP(DurableFile, ShowsEveryChangeAndKeepsTheDurableOnes, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(
      rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::inRange(0, 10)),
                           rc::gen::set(&Step::offset, rc::gen::inRange<std::uint64_t>(0, 64)),
                           rc::gen::set(&Step::length, rc::gen::inRange<std::uint64_t>(1, 32))));
  StringMedium medium;
  DurableFile file;
  Oracle oracle;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    if (step.kind < 6) {
      const std::string bytes = bytes_of(i, step.length);
      RC_ASSERT(file.write(medium, step.offset, bytes).has_value());
      oracle.changes.push_back({step.offset, bytes, 'u'});
    } else if (step.kind == 6) {
      // A change to the same size is none.
      if (step.offset != medium.bytes.size()) oracle.changes.push_back({step.offset, "", 'u'});
      RC_ASSERT(file.resize(medium, step.offset).has_value());
    } else if (step.kind == 7) {
      file.sync();
      oracle.end_of('u', 'd');
    } else if (step.kind == 8) {
      file.fail_sync();
      oracle.end_of('u', 'x');
    } else {
      RC_ASSERT(file.forget_doomed(medium).has_value());
      oracle.end_of('x', 'l');
    }
    RC_ASSERT(medium.bytes == oracle.replay("udx"));
  }
  base::Random random(1);
  const auto loss = file.lose_power(medium, Survival{}, random);
  RC_ASSERT(loss.has_value());
  RC_ASSERT(medium.bytes == oracle.replay("d"));
  RC_ASSERT(file.all_durable());
}

TEST(DurableFile, ForgetsAnAppendThatWasNotSynced) {
  StringMedium medium;
  DurableFile file;
  ASSERT_TRUE(file.write(medium, 0, "kept").has_value());
  file.sync();
  ASSERT_TRUE(file.write(medium, 4, "gone").has_value());
  EXPECT_EQ(medium.bytes, "keptgone");
  base::Random random(1);
  const auto loss = file.lose_power(medium, {}, random);
  EXPECT_EQ(medium.bytes, "kept");
  EXPECT_EQ(loss->bytes, 4U);
  EXPECT_EQ(loss->kept, 0U);
}

TEST(DurableFile, BringsBackWhatATruncationCutOff) {
  StringMedium medium;
  DurableFile file;
  ASSERT_TRUE(file.write(medium, 0, "whole").has_value());
  file.sync();
  ASSERT_TRUE(file.resize(medium, 2).has_value());
  ASSERT_TRUE(file.write(medium, 1, "xyz").has_value());
  base::Random random(1);
  const auto loss = file.lose_power(medium, {}, random);
  EXPECT_EQ(medium.bytes, "whole");
  EXPECT_EQ(loss->truncations, 1U);
}

TEST(DurableFile, NoLaterSyncSavesWhatAFailedOneDropped) {
  StringMedium medium;
  DurableFile file;
  ASSERT_TRUE(file.write(medium, 0, "first").has_value());
  file.fail_sync();
  EXPECT_EQ(medium.bytes, "first");  // the page cache still has it
  file.sync();                       // says that all is well
  ASSERT_TRUE(file.write(medium, 5, "second").has_value());
  file.sync();
  base::Random random(1);
  ASSERT_TRUE(file.lose_power(medium, {}, random).has_value());
  EXPECT_EQ(medium.bytes, std::string(5, '\0') + "second");
}

TEST(DurableFile, TearsAWriteAtSectors) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    StringMedium medium;
    DurableFile file;
    ASSERT_TRUE(file.write(medium, 100, std::string(4096, 'w')).has_value());
    base::Random random(seed);
    const auto loss = file.lose_power(medium, Survival{.keep = 0.5}, random);
    EXPECT_EQ(loss->bytes + loss->kept, 4096U);
    EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(medium.bytes, 'w')), loss->kept);
    for (std::size_t sector = 1; (sector + 1) * 512 <= medium.bytes.size(); ++sector) {
      const std::string content = medium.bytes.substr(sector * 512, 512);
      EXPECT_TRUE(content == std::string(512, 'w') || content == std::string(512, '\0'));
    }
  }
}

TEST(DurableFile, WhatTearsAlwaysForgetsOneSector) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    StringMedium medium;
    DurableFile file;
    for (std::uint64_t i = 0; i < 4; ++i) {
      ASSERT_TRUE(file.write(medium, i * 512, std::string(512, 'w')).has_value());
    }
    base::Random random(seed);
    const auto loss = file.lose_power(medium, Survival{.keep = 1, .tears = true}, random);
    EXPECT_EQ(loss->bytes, 512U);
    EXPECT_EQ(loss->kept, 3 * 512U);
  }
}

TEST(DurableFile, InOrderOnlyAPrefixSurvives) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    StringMedium medium;
    DurableFile file;
    for (std::uint64_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(file.write(medium, i * 512, std::string(512, 'w')).has_value());
    }
    base::Random random(seed);
    const auto loss = file.lose_power(medium, Survival{.keep = 1, .in_order = true}, random);
    EXPECT_EQ(medium.bytes, std::string(loss->kept, 'w'));
  }
}

TEST(DurableFile, TheSameSeedLosesTheSame) {
  std::vector<std::string> left;
  for (int i = 0; i < 2; ++i) {
    StringMedium medium;
    DurableFile file;
    ASSERT_TRUE(file.write(medium, 0, std::string(16384, 'w')).has_value());
    base::Random random(7);
    ASSERT_TRUE(file.lose_power(medium, Survival{.keep = 0.5}, random).has_value());
    left.push_back(medium.bytes);
  }
  EXPECT_EQ(left[0], left[1]);
}

}  // namespace
}  // namespace sunder::disk
