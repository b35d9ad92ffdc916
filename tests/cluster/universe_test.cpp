#include "harness/cluster/universe.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/base/random.hpp"
#include "harness/cluster/fabric.hpp"
#include "tests/cluster/in_universe.hpp"

namespace sunder::cluster {
namespace {

using tests::fork_as;
using tests::in_universe;
using tests::wait_for;

constexpr std::chrono::seconds kLimit{20};

class UniverseTest : public tests::InUniverse {};

// Waits for a condition with a limit, without spinning.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto begun = base::MonotonicClock::now();
  while (!condition()) {
    if (base::MonotonicClock::now() - begun > kLimit) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

// Mounts of ours that show outside: none, ever.
std::size_t mounts_over(std::string_view place) {
  const std::string text = base::read_file("/proc/self/mountinfo").value();
  const std::string column = fmt::format(" {} ", place);
  std::size_t count = 0;
  for (std::size_t at = text.find(column); at != std::string::npos; at = text.find(column, at + 1))
    ++count;
  return count;
}

// A universe as a run makes one: a fabric, and processes that would live for ever, one of them an
// orphan.
int busy_universe(int sign) {
  UniverseOptions options;
  options.hosts = hosts_of(3, 2);
  const auto status = enter_universe(options, [&] {
    auto fabric = Fabric::create(3, 2);
    if (fabric.has_error()) return 90;
    for (int i = 0; i < 3; ++i) {
      if (::fork() != 0) continue;
      if (i == 0 && ::fork() != 0) ::_exit(0);
      ::execlp("sleep", "sleep", "1000", nullptr);
      ::_exit(91);
    }
    (void)base::write_all(sign, "r");
    for (;;) ::pause();
    return 0;
  });
  return status.has_value() ? *status : 92;
}

// Every process of the universe, whatever it is and wherever it is, holds the other end of `sign`:
// it says when the universe stands, and it hangs up when the last of them is gone.
struct Busy {
  pid_t outer = 0;
  base::FileDescriptor sign;
};

Busy start_busy(tests::User user) {
  int ends[2];
  SUNDER_ASSERT(::pipe(ends) == 0);
  SUNDER_ASSERT(::fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0);
  const int write_end = ends[1];
  const int read_end = ends[0];
  const pid_t outer = fork_as(user, [&] {
    ::close(read_end);
    return busy_universe(write_end);
  });
  ::close(write_end);
  return Busy{outer, base::FileDescriptor(read_end)};
}

constexpr int kLimitMs = 20'000;

void await_ready(const Busy& busy) {
  pollfd item{busy.sign.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&item, 1, kLimitMs), 1);
  char byte = 0;
  ASSERT_EQ(::read(busy.sign.get(), &byte, 1), 1) << "the universe died first";
}

// Whether every process has gone within the limit.
bool all_gone(const Busy& busy) {
  for (;;) {
    pollfd item{busy.sign.get(), POLLIN, 0};
    if (::poll(&item, 1, kLimitMs) != 1) return false;
    char byte = 0;
    if (::read(busy.sign.get(), &byte, 1) == 0) return true;
  }
}

bool still_there(const Busy& busy) {
  pollfd item{busy.sign.get(), POLLIN, 0};
  return ::poll(&item, 1, 0) == 0;
}

std::vector<pid_t> children_of(pid_t parent) {
  const auto text = base::read_file(fmt::format("/proc/{0}/task/{0}/children", parent));
  std::vector<pid_t> found;
  if (text.has_error()) return found;
  const char* rest = text->c_str();
  char* end = nullptr;
  for (long pid = std::strtol(rest, &end, 10); end != rest; pid = std::strtol(rest, &end, 10)) {
    found.push_back(static_cast<pid_t>(pid));
    rest = end;
  }
  return found;
}

enum class Victim { outer, init, runner };

// The process to kill; nothing when it does not exist (yet).
std::optional<pid_t> find_victim(Victim victim, pid_t outer) {
  if (victim == Victim::outer) return outer;
  const auto inits = children_of(outer);
  if (inits.empty()) return std::nullopt;
  if (victim == Victim::init) return inits.front();
  const auto runners = children_of(inits.front());
  if (runners.empty()) return std::nullopt;
  return runners.front();
}

TEST_P(UniverseTest, PassesTheExitStatusOn) {
  for (const int expected : {0, 1, 64, 255}) {
    const pid_t child = fork_as(GetParam(), [&] {
      const auto status = enter_universe({}, [&] { return expected; });
      return status.has_value() && *status == expected ? 0 : 1;
    });
    EXPECT_EQ(wait_for(child), 0) << expected;
  }
  const pid_t child = fork_as(GetParam(), [] {
    const auto status = enter_universe({}, [] { return ::raise(SIGABRT); });
    return status.has_value() && *status == 128 + SIGABRT ? 0 : 1;
  });
  EXPECT_EQ(wait_for(child), 0);
}

TEST_P(UniverseTest, IsAWorldOfItsOwn) {
  in_universe(GetParam(), [] {
    EXPECT_EQ(::getppid(), 1);
    EXPECT_EQ(::geteuid(), 0U);
    char host[64] = {};
    EXPECT_EQ(::gethostname(host, sizeof host), 0);
    EXPECT_STREQ(host, "sunder");
    EXPECT_NE(base::read_file("/etc/hosts")->find("10.0.1.2 c2\n"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(fmt::format("/proc/{}/stat", ::getpid())));
  });
}

TEST_P(UniverseTest, LeavesTheOutsideAsItWas) {
  const std::string hosts = base::read_file("/etc/hosts").value();
  const std::size_t over_hosts = mounts_over("/etc/hosts");
  const std::size_t over_proc = mounts_over("/proc");
  in_universe(GetParam(), [=] { EXPECT_EQ(mounts_over("/etc/hosts"), over_hosts + 1); });
  EXPECT_EQ(base::read_file("/etc/hosts").value(), hosts);
  EXPECT_EQ(mounts_over("/etc/hosts"), over_hosts);
  EXPECT_EQ(mounts_over("/proc"), over_proc);
}

// The runner dies of the forwarded signal, because it has no handler.
TEST_P(UniverseTest, ForwardsSignals) {
  for (const int number : {SIGINT, SIGTERM}) {
    const Busy busy = start_busy(GetParam());
    await_ready(busy);
    EXPECT_TRUE(still_there(busy));
    ::kill(busy.outer, number);
    EXPECT_EQ(wait_for(busy.outer), 128 + number);
    EXPECT_TRUE(all_gone(busy));
  }
}

TEST_P(UniverseTest, DiesAsAWholeWhenOnePartIsKilled) {
  for (const Victim victim : {Victim::outer, Victim::init, Victim::runner}) {
    SCOPED_TRACE(static_cast<int>(victim));
    const Busy busy = start_busy(GetParam());
    await_ready(busy);
    const auto target = find_victim(victim, busy.outer);
    ASSERT_TRUE(target.has_value());
    EXPECT_TRUE(still_there(busy));
    ::kill(*target, SIGKILL);
    EXPECT_EQ(wait_for(busy.outer), 128 + SIGKILL);
    EXPECT_TRUE(all_gone(busy));
  }
}

// Also at instants at which only half of it exists; they come from a seed.
TEST_P(UniverseTest, LeavesNothingWhenKilledAtAnyInstant) {
  constexpr std::uint64_t kSeed = 7;
  base::Random random(kSeed);
  const std::size_t over_hosts = mounts_over("/etc/hosts");
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", kSeed, round));
    const auto victim = static_cast<Victim>(random.below(3));
    const timespec delay{0, random.between(0, 12'000'000)};
    const Busy busy = start_busy(GetParam());
    ::ppoll(nullptr, 0, &delay, nullptr);
    std::optional<pid_t> target;
    ASSERT_TRUE(eventually([&] { return (target = find_victim(victim, busy.outer)).has_value(); }));
    ::kill(*target, SIGKILL);
    EXPECT_EQ(wait_for(busy.outer), 128 + SIGKILL);
    EXPECT_TRUE(all_gone(busy));
  }
  EXPECT_EQ(mounts_over("/etc/hosts"), over_hosts);
}

TEST_P(UniverseTest, StandsBesideAnother) {
  const Busy first = start_busy(GetParam());
  const Busy second = start_busy(GetParam());
  await_ready(first);
  await_ready(second);
  ::kill(first.outer, SIGKILL);
  EXPECT_EQ(wait_for(first.outer), 128 + SIGKILL);
  EXPECT_TRUE(all_gone(first));
  EXPECT_TRUE(still_there(second));
  ::kill(second.outer, SIGTERM);
  EXPECT_EQ(wait_for(second.outer), 128 + SIGTERM);
  EXPECT_TRUE(all_gone(second));
}

// A chroot is where namespaces are forbidden for sure; the error says so.
TEST(Universe, SaysWhyItCannotBe) {
  if (::geteuid() != 0) GTEST_SKIP() << "chroot needs root";
  const tests::TemporaryFolder folder;
  const pid_t child = fork_as(tests::User::root, [&folder] {
    if (::chroot(folder.path().c_str()) != 0) return 1;
    if (::setresuid(65534, 65534, 65534) != 0) return 2;
    const auto status = enter_universe({}, [] { return 0; });
    if (status.has_value()) return 3;
    return is(status.error(), Errc::unsupported) ? 0 : 4;
  });
  EXPECT_EQ(wait_for(child), 0);
}

INSTANTIATE_TEST_SUITE_P(Users,
                         UniverseTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::cluster
