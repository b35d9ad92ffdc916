// in_universe: runs the body of a test inside a universe of its own, as root or as an ordinary
// user.
//
// The body runs in the runner's process; EXPECT_* inside it print as usual, and any failure there
// fails the test outside. Cluster tests are parametrised over users(): as root both, else only the
// ordinary user that we are.
//
//   class Partition : public InUniverse {};
//   TEST_P(Partition, CutsBothWays) { in_universe(GetParam(), [] { … EXPECT_EQ(…) … }); }
//   INSTANTIATE_TEST_SUITE_P(Users, Partition, ::testing::ValuesIn(users()), user_name);

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/types.h>

namespace sunder::tests {

enum class User { root, ordinary };

// Who this machine lets us be.
[[nodiscard]] std::vector<User> users();
[[nodiscard]] std::string user_name(const ::testing::TestParamInfo<User>& info);

class InUniverse : public ::testing::TestWithParam<User> {};

// Forks; the child becomes `user` (an unprivileged uid when we are root) and ends with what `body`
// returns, or 70 for an exception. The caller waits for it.
[[nodiscard]] pid_t fork_as(User user, const std::function<int()>& body);
// Waits for a child of fork_as(): its exit status, 128 + N for signal N.
[[nodiscard]] int wait_for(pid_t child);

// Runs `body` inside a universe and expects that it fails no expectation.
void in_universe(User user, const std::function<void()>& body);

// An empty folder that everybody may write to, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sunder::tests
