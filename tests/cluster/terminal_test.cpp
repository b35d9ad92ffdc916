// An interactive shell beside the cluster, on a terminal: what `sunder up` does.

#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>
#include <utmp.h>

#include "harness/base/assert.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/universe.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/test_cluster.hpp"

namespace sunder::cluster {
namespace {

using boost::asio::awaitable;

class TerminalTest : public tests::InUniverse {};

constexpr int kLimitMs = 20'000;
constexpr int kShellStatus = 5;

awaitable<void> run_shell(Cluster& cluster) {
  std::vector<std::string> shell{"bash", "--norc", "-i"};
  const auto status = co_await cluster.run_beside(std::move(shell));
  EXPECT_TRUE(status.has_value() && *status == kShellStatus);
}

// The session's leader: a universe with a shell, then the terminal must be ours again.
int shell_session() {
  const auto status = enter_universe({}, [] {
    tests::with_cluster({.nodes = 1, .clients = 1}, &run_shell);
    return ::testing::Test::HasFailure() ? 1 : 0;
  });
  if (status.has_error() || *status != 0) return 2;
  return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp() ? 0 : 3;
}

struct Session {
  pid_t leader = 0;
  base::FileDescriptor terminal;
};

Session start_session(tests::User user) {
  int master = -1;
  int slave = -1;
  SUNDER_ASSERT(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  const pid_t leader = tests::fork_as(user, [&] {
    ::close(master);
    SUNDER_ASSERT(::login_tty(slave) == 0);
    return shell_session();
  });
  ::close(slave);
  return Session{leader, base::FileDescriptor(master)};
}

// Reads what appears on the terminal until `text` does; everything read.
std::string read_until(const Session& session, std::string_view text) {
  std::string seen;
  std::array<char, 4096> bytes;
  while (seen.find(text) == std::string::npos) {
    pollfd item{session.terminal.get(), POLLIN, 0};
    if (::poll(&item, 1, kLimitMs) != 1) break;
    const ssize_t count = ::read(session.terminal.get(), bytes.data(), bytes.size());
    if (count <= 0) break;
    seen.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return seen;
}

// The shell has job control, its children get Ctrl-C and it does not; at the end the terminal
// belongs to us again.
TEST_P(TerminalTest, BelongsToTheShellAndThenToUsAgain) {
  const Session session = start_session(GetParam());
  const auto type = [&](std::string_view text) {
    EXPECT_TRUE(base::write_all(session.terminal.get(), text).has_value());
  };
  type("echo begin-$((40 + 2))\n");
  const std::string begin = read_until(session, "begin-42");
  EXPECT_NE(begin.find("begin-42"), std::string::npos) << begin;
  EXPECT_EQ(begin.find("job control"), std::string::npos) << begin;
  type("sh -c 'echo ready-$((1 + 1)); exec sleep 1000'\n");
  EXPECT_NE(read_until(session, "ready-2").find("ready-2"), std::string::npos);
  type("\x03");
  type("echo after-$((2 + 3))-$?\n");
  const std::string after = read_until(session, "after-5-");
  EXPECT_NE(after.find("after-5-130"), std::string::npos) << after;
  type("exit 5\n");
  EXPECT_EQ(tests::wait_for(session.leader), 0);
}

INSTANTIATE_TEST_SUITE_P(Users,
                         TerminalTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::cluster
