// Files: whole reads, atomic writes, and errors that name the path.

#include "harness/base/file.hpp"

#include <gtest/gtest.h>

namespace sunder::base {
namespace {

TEST(File, ReadsBackWhatItWroteAndLeavesNoTemporaryFile) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "sunder_file_test";
  std::filesystem::create_directories(folder);
  const std::string content(200'000, 'x');
  ASSERT_TRUE(write_file(folder / "a", content).has_value());
  EXPECT_EQ(read_file(folder / "a").value(), content);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(File, ErrorsNameThePath) {
  const auto missing = read_file("/nonexistent/file");
  ASSERT_TRUE(missing.has_error());
  EXPECT_EQ(missing.error().message(), "open /nonexistent/file: No such file or directory");
}

TEST(File, ReadsProcFilesOfUnknownSize) {
  EXPECT_FALSE(read_file("/proc/self/status").value().empty());
}

}  // namespace
}  // namespace sunder::base
