// A run's directory: made once, never over somebody else's files, lines written as they come.

#include "harness/run/directory.hpp"

#include <gtest/gtest.h>

#include "harness/base/file.hpp"

namespace sunder::run {
namespace {

namespace fs = std::filesystem;

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest()
      : folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  ~DirectoryTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(DirectoryTest, MakesTheWantedDirectoryAndAcceptsAnEmptyOne) {
  EXPECT_TRUE(make_run_directory(folder_ / "a" / "b", "raft/register-1").has_value());
  EXPECT_TRUE(make_run_directory(folder_ / "a" / "b", "raft/register-1").has_value());
}

TEST_F(DirectoryTest, RefusesADirectoryThatHoldsSomething) {
  ASSERT_TRUE(base::write_file(folder_ / "precious", "x").has_value());
  const auto made = make_run_directory(folder_, "raft/register-1");
  ASSERT_TRUE(made.has_error());
  EXPECT_TRUE(base::is(made.error(), Errc::usage));
}

TEST_F(DirectoryTest, WritesEachLineAtOnce) {
  auto file = LineFile::create(folder_ / "lines");
  ASSERT_TRUE(file.has_value());
  file->append("one\n");
  EXPECT_EQ(base::read_file(folder_ / "lines").value(), "one\n");
  file->append("two\n");
  EXPECT_EQ(base::read_file(folder_ / "lines").value(), "one\ntwo\n");
  EXPECT_EQ(file->failure(), "");
}

TEST_F(DirectoryTest, RemembersThatWritingFailed) {
  auto file = LineFile::create("/dev/full");
  ASSERT_TRUE(file.has_value());
  file->append("lost\n");
  EXPECT_NE(file->failure().find("No space left"), std::string::npos);
}

}  // namespace
}  // namespace sunder::run
