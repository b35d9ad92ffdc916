// A log torn at its end is sound; one that is damaged before a whole record is not.

#include "nodes/storage/log_check.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "harness/base/file.hpp"

namespace sunder::nodes::storage {
namespace {

namespace fs = std::filesystem;

// The log of a RocksDB that was given these records, one batch each, and never closed a table.
std::string log_of(const std::vector<std::string>& records) {
  std::string pattern = (fs::temp_directory_path() / "sunder-log-XXXXXX").string();
  const fs::path directory = ::mkdtemp(pattern.data());
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.avoid_flush_during_shutdown = true;
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, directory.string(), &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (const std::string& record : records) {
      EXPECT_TRUE(database->Put(synced, "key", record).ok());
    }
  }
  std::string log;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".log") log = base::read_file(entry.path()).value();
  }
  EXPECT_TRUE(check_logs(directory).has_value());
  fs::remove_all(directory);
  return log;
}

TEST(LogCheck, AWholeLogIsSound) {
  EXPECT_FALSE(damaged_record(log_of({"one", "two", std::string(100'000, 'x'), "three"})));
  EXPECT_FALSE(damaged_record(""));
}

TEST(LogCheck, ARecordMayBeginWithTheLastBytesOfABlock) {
  for (std::size_t length = 32'718; length < 32'740; ++length) {
    EXPECT_FALSE(damaged_record(log_of({std::string(length, 'x'), "two", "three"}))) << length;
  }
}

TEST(LogCheck, ATornEndIsSound) {
  const std::string log = log_of({"one", std::string(5000, 'x')});
  for (std::size_t cut = 1; cut < 5000; cut += 97) {
    EXPECT_FALSE(damaged_record(log.substr(0, log.size() - cut))) << cut;
  }
  // A sector in the middle of the last record that was never written.
  std::string torn = log;
  torn.replace(torn.size() - 3000, 512, std::string(512, '\0'));
  EXPECT_FALSE(damaged_record(torn));
}

TEST(LogCheck, ATornEndOfSeveralBlocksIsSound) {
  std::string log = log_of({"one", std::string(100'000, 'x')});
  // Its first block is gone, later pieces of the same record are whole.
  log.replace(4096, 512, std::string(512, '\0'));
  EXPECT_FALSE(damaged_record(log));
}

TEST(LogCheck, DamageBeforeALaterRecordIsFound) {
  const std::string log = log_of({"one", std::string(2000, 'x'), "two"});
  for (std::size_t at = 0; at + 50 < log.size(); at += 13) {
    std::string flipped = log;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_TRUE(damaged_record(flipped).has_value()) << at;
  }
  // A lost write reads as zeros.
  std::string hole = log;
  hole.replace(500, 1000, std::string(1000, '\0'));
  EXPECT_TRUE(damaged_record(hole).has_value());
}

TEST(LogCheck, ADirectoryThatIsNotThereIsSound) {
  EXPECT_TRUE(check_logs("/nowhere/at/all").has_value());
}

}  // namespace
}  // namespace sunder::nodes::storage
