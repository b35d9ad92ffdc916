#include "nodes/replica/storage.hpp"

#include <filesystem>
#include <future>
#include <memory>

#include <gtest/gtest.h>

namespace sunder::nodes::replica {
namespace {

class StorageTest : public ::testing::Test {
 protected:
  StorageTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "sunder-storage-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }

  ~StorageTest() override { std::filesystem::remove_all(directory_); }

  // Writes the requests, waits until they are on disk, closes, and reads everything anew.
  raft::Recovered after(std::vector<WriteRequest> requests) {
    {
      std::promise<void> done;
      std::future<void> all_written = done.get_future();
      const std::uint64_t last = requests.empty() ? 0 : requests.back().sequence;
      auto storage = Storage::open(directory_, {}, [&done, last](std::uint64_t sequence) {
        if (sequence == last) done.set_value();
      });
      for (WriteRequest& request : requests) (*storage)->submit(std::move(request));
      if (last > 0) {
        EXPECT_EQ(all_written.wait_for(std::chrono::seconds(20)), std::future_status::ready);
      }
    }
    auto storage = Storage::open(directory_, {}, [](std::uint64_t) {});
    return (*storage)->recover().value();
  }

  static WriteRequest entries(std::uint64_t sequence,
                              raft::Index first,
                              raft::Index last,
                              raft::Term term) {
    WriteRequest request;
    request.sequence = sequence;
    for (raft::Index index = first; index <= last; ++index) {
      raft::Entry entry;
      entry.index = index;
      entry.term = term;
      entry.data = "entry " + std::to_string(index);
      request.entries.push_back(std::move(entry));
    }
    return request;
  }

  static raft::Snapshot snapshot_at(raft::Index index) {
    return {
        .index = index, .term = 1, .hash = 5, .data = std::make_shared<const std::string>("state")};
  }

  std::filesystem::path directory_;
};

TEST_F(StorageTest, IsEmptyWhenNew) {
  const raft::Recovered recovered = after({});
  EXPECT_EQ(recovered.hard_state, raft::HardState());
  EXPECT_EQ(recovered.snapshot.index, 0U);
  EXPECT_TRUE(recovered.entries.empty());
}

TEST_F(StorageTest, ReplacesTheTailThatIsTruncated) {
  WriteRequest second = entries(2, 200, 300, 2);
  second.truncate_from = 200;
  second.hard_state = raft::HardState{.term = 2, .voted_for = 3};
  WriteRequest third = entries(3, 250, 251, 3);
  third.truncate_from = 250;
  const raft::Recovered recovered = after({entries(1, 1, 400, 1), second, third});
  EXPECT_EQ(recovered.hard_state, (raft::HardState{.term = 2, .voted_for = 3}));
  ASSERT_EQ(recovered.entries.size(), 251U);
  EXPECT_EQ(recovered.entries[198].term, 1U);
  EXPECT_EQ(recovered.entries[199].term, 2U);
  EXPECT_EQ(recovered.entries[250].term, 3U);
  EXPECT_EQ(recovered.entries[250].data, "entry 251");
}

TEST_F(StorageTest, KeepsTheLogAfterItsOwnSnapshot) {
  WriteRequest compaction;
  compaction.sequence = 2;
  compaction.snapshot = snapshot_at(7);
  const raft::Recovered recovered = after({entries(1, 1, 10, 1), compaction});
  EXPECT_EQ(recovered.snapshot.index, 7U);
  EXPECT_EQ(recovered.applied, 7U);
  EXPECT_EQ(*recovered.snapshot.data, "state");
  ASSERT_EQ(recovered.entries.size(), 3U);
  EXPECT_EQ(recovered.entries.front().index, 8U);
}

TEST_F(StorageTest, DropsTheWholeLogForALeadersSnapshot) {
  WriteRequest install;
  install.sequence = 2;
  install.snapshot = snapshot_at(7);
  install.drop_log = true;
  const raft::Recovered recovered = after({entries(1, 1, 10, 1), install});
  EXPECT_EQ(recovered.snapshot.index, 7U);
  EXPECT_TRUE(recovered.entries.empty());
}

TEST_F(StorageTest, RefusesALogWithAGap) {
  auto storage = Storage::open(directory_, {}, [](std::uint64_t) {});
  ASSERT_TRUE(storage.has_value());
  (*storage)->submit(entries(1, 1, 2, 1));
  (*storage)->submit(entries(2, 4, 5, 1));
  storage->reset();
  auto again = Storage::open(directory_, {}, [](std::uint64_t) {});
  EXPECT_TRUE((*again)->recover().has_error());
}

}  // namespace
}  // namespace sunder::nodes::replica
