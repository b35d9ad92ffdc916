// The disks of a cluster, mounted: what the kernel and a process see of them, each fault family's
// effect, and that nothing is left.
//
// The test itself is the process that writes: it lives in the same mount namespace as the nodes.
// Skipped where /dev/fuse is closed to us.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/history/operation.hpp"
#include "nemesis/nemesis.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/test_cluster.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::nemesis {
namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;
using cluster::Cluster;
using ::testing::HasSubstr;
using tests::in_universe;
using tests::with_cluster;

class DiskTest : public tests::InUniverse {
 protected:
  // Whether that user may mount; asked in a process of its own.
  static bool can_mount(tests::User user) {
    const pid_t child = tests::fork_as(user, [] {
      const base::FileDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
      return device.valid() ? 0 : 1;
    });
    return tests::wait_for(child) == 0;
  }

  void on_disks(std::size_t nodes, tests::ClusterBody body) const {
    if (!can_mount(GetParam())) GTEST_SKIP() << "/dev/fuse is closed to this user";
    in_universe(GetParam(), [nodes, body] {
      with_cluster({.nodes = nodes, .clients = 1, .disks = true}, body);
    });
  }
};

// Where the disk of a node is mounted, from the kernel's own list.
fs::path mount_of(std::size_t node) {
  std::ifstream mounts("/proc/self/mounts");
  const std::string end = "/n" + std::to_string(node + 1) + "/data";
  for (std::string device, path, type, rest; mounts >> device >> path >> type;) {
    std::getline(mounts, rest);
    if (type == "fuse" && path.ends_with(end)) return path;
  }
  ADD_FAILURE() << "no disk is mounted at …" << end;
  return "/nowhere";
}

// One file, as a process has it open.
class OpenFile {
 public:
  explicit OpenFile(const fs::path& path, int flags = 0)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644)) {
    EXPECT_TRUE(descriptor_.valid()) << path << ": " << std::strerror(errno);
  }

  // 0, or the error.
  int append(std::string_view bytes) const {
    ::lseek(descriptor_.get(), 0, SEEK_END);
    const ssize_t count = ::write(descriptor_.get(), bytes.data(), bytes.size());
    return count == static_cast<ssize_t>(bytes.size()) ? 0 : count < 0 ? errno : -1;
  }

  int sync() const { return ::fsync(descriptor_.get()) == 0 ? 0 : errno; }

  int get() const { return descriptor_.get(); }

 private:
  base::FileDescriptor descriptor_;
};

int sync_names(const fs::path& directory) {
  const base::FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY));
  return ::fsync(descriptor.get()) == 0 ? 0 : errno;
}

std::string content(const fs::path& path) {
  const auto bytes = base::read_file(path);
  return bytes.has_value() ? *bytes : "(" + bytes.error().message() + ")";
}

awaitable<std::unique_ptr<ActiveFault>> begin(NemesisContext& context, std::string text) {
  ScheduleOptions options;
  options.nodes = context.cluster.nodes();
  const auto schedule = make_schedule(text, options);
  EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  PlannedFault fault = schedule->front();
  const FaultInfo* const family = find_fault(fault.family);
  auto active = co_await family->apply(context, std::move(fault));
  EXPECT_TRUE(active.has_value()) << active.error().message();
  co_return std::move(*active);
}

void expect_healed(const Cluster& cluster) {
  const auto left = cluster.leftovers();
  ASSERT_TRUE(left.has_value()) << left.error().message();
  EXPECT_TRUE(left->empty()) << left->front();
}

NemesisContext context_of(Cluster& cluster, const base::RunClock& clock) {
  return NemesisContext{cluster, clock, nullptr, {}, false, nullptr, history::kNever, nullptr};
}

awaitable<void> is_a_file_system(Cluster&) {
  const fs::path root = mount_of(0);
  fs::create_directories(root / "a/b");
  {
    const OpenFile file(root / "a/b/file");
    EXPECT_EQ(file.append("hello "), 0);
    EXPECT_EQ(file.append(std::string(3 << 20, 'x')), 0);
    EXPECT_EQ(file.sync(), 0);
    EXPECT_EQ(::ftruncate(file.get(), 5), 0);
    // Open, without a name.
    fs::rename(root / "a/b/file", root / "moved");
    fs::remove(root / "moved");
    EXPECT_EQ(file.append("!"), 0);
    char bytes[7] = {};
    EXPECT_EQ(::pread(file.get(), bytes, 6, 0), 6);
    EXPECT_STREQ(bytes, "hello!");
    // A private mapping works; a shared one is refused, as mount.hpp says.
    void* const mapped = ::mmap(nullptr, 6, PROT_READ, MAP_PRIVATE, file.get(), 0);
    EXPECT_NE(mapped, MAP_FAILED);
    if (mapped != MAP_FAILED) ::munmap(mapped, 6);
  }
  std::ofstream(root / "CURRENT") << "one";
  std::ofstream(root / "CURRENT.tmp") << "two";
  fs::rename(root / "CURRENT.tmp", root / "CURRENT");
  EXPECT_EQ(content(root / "CURRENT"), "two");
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root)) names.insert(entry.path().filename());
  EXPECT_EQ(names, (std::set<std::string>{"CURRENT", "a"}));
  std::error_code error;
  fs::create_symlink("CURRENT", root / "link", error);
  EXPECT_TRUE(error);
  EXPECT_EQ(fs::remove_all(root / "a"), 2U);
  co_return;
}

TEST_P(DiskTest, ADiskIsAFileSystem) {
  on_disks(1, &is_a_file_system);
}

awaitable<void> loses_power(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const fs::path root = mount_of(0);
  {
    const OpenFile log(root / "log");
    EXPECT_EQ(log.append("synced"), 0);
    EXPECT_EQ(log.sync(), 0);
    EXPECT_EQ(sync_names(root), 0);
    EXPECT_EQ(log.append(" and not"), 0);
    const OpenFile direct(root / "direct", O_DSYNC);
    EXPECT_EQ(direct.append("durable at once"), 0);
    EXPECT_EQ(sync_names(root), 0);
    const OpenFile nameless(root / "nameless");
    EXPECT_EQ(nameless.append("x"), 0);
    EXPECT_EQ(nameless.sync(), 0);
  }
  auto fault = co_await begin(context, "power-loss:n1@0s+1s");
  EXPECT_EQ(content(root / "log"), "synced");
  EXPECT_EQ(content(root / "direct"), "durable at once");
  EXPECT_FALSE(fs::exists(root / "nameless"));
  EXPECT_EQ(cluster.state(0), cluster::NodeState::down);
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
  std::string evidence;
  for (const auto& item : fault->record().evidence) {
    evidence += item.name + "=" + std::to_string(static_cast<int>(item.value)) + "\n";
  }
  EXPECT_THAT(evidence, HasSubstr("n1 forgot of log=8\n"));
  EXPECT_THAT(evidence, HasSubstr("n1 forgot whole nameless=1\n"));
  EXPECT_THAT(evidence, HasSubstr("n1 names forgotten=1\n"));
  co_await tests::await_answer(cluster, 0);
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
  expect_healed(cluster);
}

TEST_P(DiskTest, APowerLossForgetsWhatWasNotSyncedAndNamesIt) {
  on_disks(2, &loses_power);
}

awaitable<void> tears(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const fs::path root = mount_of(0);
  {
    const OpenFile log(root / "log");
    EXPECT_EQ(log.sync(), 0);
    EXPECT_EQ(sync_names(root), 0);
    EXPECT_EQ(log.append(std::string(64 * 512, 'w')), 0);
  }
  auto fault = co_await begin(context, "torn-write:n1@0s+1s;keep=50%;seed=3");
  const std::string left = content(root / "log");
  const auto written = static_cast<std::size_t>(std::ranges::count(left, 'w'));
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, 64U * 512);
  EXPECT_EQ(written % 512, 0U);
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_TRUE(fault->record().exercised);
  expect_healed(cluster);
}

TEST_P(DiskTest, ATornWriteLeavesSomeSectors) {
  on_disks(1, &tears);
}

struct Row {
  const char* fault;
  void (*under_it)(const fs::path& path);
};

// A process that is stopped and continued while it waits for its sync gets it all the same, and
// after all of the delay.
void sync_while_stopped(const fs::path& path) {
  const auto begun = base::MonotonicClock::now();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(OpenFile(path).sync());
  for (int i = 0; i < 5; ++i) {
    ::poll(nullptr, 0, 20);
    ::kill(child, SIGSTOP);
    ::kill(child, SIGCONT);
  }
  EXPECT_EQ(tests::wait_for(child), 0);
  EXPECT_GE(base::MonotonicClock::now() - begun, std::chrono::milliseconds(300));
}

// What a process meets while each family's fault stands.
const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"disk-error:n1@0s+1s;files=*.log;operation=write;nth=2",
       [](const fs::path& path) {
         const OpenFile file(path);
         EXPECT_EQ(file.append("x"), 0);
         EXPECT_EQ(file.append("x"), EIO);
         EXPECT_EQ(file.append("x"), 0);
         EXPECT_EQ(OpenFile(path.parent_path() / "other").append("x"), 0);
       }},
      {"disk-full:n1@0s+1s;free=100",
       [](const fs::path& path) {
         const OpenFile file(path);
         EXPECT_EQ(file.append(std::string(80, 'x')), 0);
         EXPECT_EQ(file.append(std::string(80, 'x')), ENOSPC);
       }},
      {"fsync-fail:n1@0s+1s;nth=1",
       [](const fs::path& path) {
         const OpenFile file(path);
         EXPECT_EQ(file.append("dropped"), 0);
         EXPECT_EQ(file.sync(), EIO);
         EXPECT_EQ(file.sync(), 0);
       }},
      {"fsync-slow:n1@0s+1s;by=150ms",
       [](const fs::path& path) {
         const OpenFile file(path);
         const auto begun = base::MonotonicClock::now();
         EXPECT_EQ(file.sync(), 0);
         EXPECT_GE(base::MonotonicClock::now() - begun, std::chrono::milliseconds(150));
       }},
      {"fsync-slow:n1@0s+1s;by=300ms", &sync_while_stopped},
      {"short-io:n1@0s+1s;rate=100%;operation=write",
       [](const fs::path& path) { EXPECT_EQ(OpenFile(path).append("several bytes"), -1); }},
      {"bit-flip:n1@0s+1s;rate=100%",
       [](const fs::path& path) {
         EXPECT_EQ(OpenFile(path).append("content"), 0);
         EXPECT_NE(content(path), "content");
         EXPECT_EQ(content(path).size(), 7U);
       }},
      {"lost-write:n1@0s+1s;rate=100%",
       [](const fs::path& path) {
         EXPECT_EQ(OpenFile(path).append("content"), 0);
         EXPECT_EQ(content(path), std::string(7, '\0'));
       }},
      {"misdirected-write:n1@0s+1s;rate=100%",
       [](const fs::path& path) {
         EXPECT_EQ(OpenFile(path).append("content"), 0);
         EXPECT_THAT(content(path), ::testing::StartsWith(std::string(7, '\0')));
         EXPECT_THAT(content(path), HasSubstr("content"));
       }},
  };
  return table;
}

// Each family in turn on one file: struck while it stands, honest afterwards.
awaitable<void> fails_and_heals(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const fs::path root = mount_of(0);

  int number = 0;
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.fault);
    const fs::path path = root / (std::to_string(number++) + ".log");
    auto fault = co_await begin(context, row.fault);
    row.under_it(path);
    EXPECT_TRUE(fault->heal().has_value());
    EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
    fs::remove(path);
    EXPECT_EQ(OpenFile(path).append("honest"), 0);
    EXPECT_EQ(content(path), "honest");
    co_await tests::await_answer(cluster, 0);
    expect_healed(cluster);
  }
  EXPECT_TRUE(cluster.unexpected_deaths().empty());
}

TEST_P(DiskTest, EachFamilyStrikesAndHeals) {
  on_disks(1, &fails_and_heals);
}

awaitable<void> idle(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  {
    auto fault = co_await begin(context, "disk-error:n1@0s+1s;files=nothing");
    EXPECT_EQ(cluster.leftovers()->size(), 1U);  // it is armed
    EXPECT_TRUE(fault->heal().has_value());
    EXPECT_FALSE(fault->record().exercised);
    EXPECT_THAT(fault->record().reason, HasSubstr("no operation on a file like nothing"));
  }
  {
    // Nobody heals this one but its destructor.
    auto fault = co_await begin(context, "fsync-slow:n1@0s+1s");
  }
  expect_healed(cluster);
}

TEST_P(DiskTest, AFaultThatStruckNothingSaysSo) {
  on_disks(1, &idle);
}

awaitable<void> without(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  ScheduleOptions options;
  options.nodes = 1;
  auto schedule = make_schedule("power-loss:n1@0s+1s", options);
  const auto active = co_await find_fault("power-loss")->apply(context, schedule->front());
  EXPECT_TRUE(active.has_error() && is(active.error(), Errc::unsupported));
}

TEST_P(DiskTest, AClusterWithoutDisksSaysSo) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 1, .clients = 1}, &without); });
}

INSTANTIATE_TEST_SUITE_P(Users, DiskTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
