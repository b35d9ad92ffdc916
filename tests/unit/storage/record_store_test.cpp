// What was reported as written is there after the store is opened again: the last of each name.

#include "nodes/storage/record_store.hpp"

#include <future>
#include <map>

#include <gtest/gtest.h>

namespace sunder::nodes::storage {
namespace {

namespace fs = std::filesystem;

class RecordStoreTest : public ::testing::Test {
 protected:
  RecordStoreTest() {
    std::string pattern = (fs::temp_directory_path() / "sunder-records-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }

  ~RecordStoreTest() override { fs::remove_all(directory_); }

  std::unique_ptr<RecordStore> open(OnWritten on_written = [](std::uint64_t) {}) {
    RecordStoreOptions options;
    options.name = "records";
    auto store = RecordStore::open(directory_, options, std::move(on_written));
    EXPECT_TRUE(store.has_value());
    return std::move(*store);
  }

  std::map<std::string, std::string> all() {
    std::map<std::string, std::string> found;
    const auto visit = [&found](std::string_view name, std::string_view value) -> Result<void> {
      found.emplace(name, value);
      return {};
    };
    EXPECT_TRUE(open()->recover(visit).has_value());
    return found;
  }

  fs::path directory_;
};

TEST_F(RecordStoreTest, KeepsTheLastOfEachName) {
  {
    std::promise<void> done;
    auto written = done.get_future();
    auto store = open([&done](std::uint64_t sequence) {
      if (sequence == 3) done.set_value();
    });
    store->submit({.sequence = 1, .records = {{"a", "1"}, {"b", "1"}}});
    store->submit({.sequence = 2, .records = {{"a", "2"}, {"c", "1"}, {"c", "2"}}});
    store->submit({.sequence = 3, .records = {{"b", std::nullopt}, {"d", ""}}});
    ASSERT_EQ(written.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
  EXPECT_EQ(all(), (std::map<std::string, std::string>{{"a", "2"}, {"c", "2"}, {"d", ""}}));
}

TEST_F(RecordStoreTest, EndsAtTheFirstErrorOfTheVisitor) {
  open()->submit({.sequence = 1, .records = {{"a", "1"}, {"b", "1"}}});
  int seen = 0;
  const auto refuse = [&seen](std::string_view, std::string_view) -> Result<void> {
    ++seen;
    return base::make_error(Errc::failed, "no");
  };
  EXPECT_TRUE(open()->recover(refuse).has_error());
  EXPECT_EQ(seen, 1);
}

TEST_F(RecordStoreTest, NamesTheDirectoryThatItCannotOpen) {
  RecordStoreOptions options;
  options.name = "records";
  const auto store = RecordStore::open("/proc/nowhere", options, [](std::uint64_t) {});
  ASSERT_TRUE(store.has_error());
  EXPECT_NE(store.error().message().find("/proc/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace sunder::nodes::storage
