#include "tests/cluster/in_universe.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <system_error>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/cluster/universe.hpp"

namespace sunder::tests {
namespace {

constexpr uid_t kNobody = 65534;
constexpr int kException = 70;

void become_nobody() {
  SUNDER_ASSERT(::setgroups(0, nullptr) == 0);
  SUNDER_ASSERT(::setresgid(kNobody, kNobody, kNobody) == 0);
  SUNDER_ASSERT(::setresuid(kNobody, kNobody, kNobody) == 0);
  // A change of uid makes /proc/self belong to root; a program started by that user would not have
  // that.
  SUNDER_ASSERT(::prctl(PR_SET_DUMPABLE, 1) == 0);
}

// Failures, in tests that do not record successes.
int parts_recorded() {
  return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
}

}  // namespace

std::vector<User> users() {
  if (::geteuid() == 0) return {User::root, User::ordinary};
  return {User::ordinary};
}

std::string user_name(const ::testing::TestParamInfo<User>& info) {
  return info.param == User::root ? "AsRoot" : "AsUser";
}

pid_t fork_as(User user, const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  SUNDER_ASSERT(child >= 0);
  if (child > 0) return child;
  int status = kException;
  try {
    if (user == User::ordinary && ::geteuid() == 0) become_nobody();
    status = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception in a forked test: %s\n", error.what());
  }
  std::fflush(nullptr);
  ::_exit(status);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void in_universe(User user, const std::function<void()>& body) {
  // The fork inherits the failures so far; only new ones are the body's.
  const int parts_before = parts_recorded();
  const pid_t child = fork_as(user, [&body, parts_before] {
    cluster::UniverseOptions options;
    options.hosts = cluster::hosts_of(9, 32);
    const auto status = cluster::enter_universe(options, [&body, parts_before] {
      body();
      return parts_recorded() == parts_before ? 0 : 1;
    });
    if (status.has_error()) std::fprintf(stderr, "%s\n", status.error().message().c_str());
    return status.has_error() ? 3 : *status;
  });
  EXPECT_EQ(wait_for(child), 0) << "a test inside a universe failed; see above";
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sunder-test-XXXXXX").string();
  SUNDER_ASSERT(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
  ::chmod(path_.c_str(), 0777);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // files of another user may have to stay
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sunder::tests
