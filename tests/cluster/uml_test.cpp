// --kernel uml, as a user has it: a command, a run with netem's faults, and every way to end them.
//
// A boot takes a second or two and the guest has one processor, so there are few tests and each
// looks at several things.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/universe.hpp"
#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A folder, and sunder in it.
class Place {
 public:
  [[nodiscard]] Ended sunder(User user, std::vector<std::string> arguments) const {
    return run_sunder(user, folder_.path(), std::move(arguments));
  }

  // sh -c SCRIPT under User-Mode Linux.
  [[nodiscard]] Ended shell(User user, std::string script) const {
    return sunder(user, {"under-uml", "--", "sh", "-c", std::move(script)});
  }

  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }

  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

class Uml : public InUniverse {
 protected:
  Place place_;
};

// What is the same for root: once is enough.
class UmlAsUser : public ::testing::Test {
 protected:
  Place place_;
};

json::value parse_file(const fs::path& file) {
  return json::parse(base::read_file(file).value());
}

// A pipe whose writing end every process inherits that is started while this lives: it hangs up
// when the last of them is gone.
class Census {
 public:
  Census() {
    int ends[2];
    SUNDER_ASSERT(::pipe(ends) == 0);
    SUNDER_ASSERT(::fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }

  // No process inherits it from now on.
  void close() { write_.reset(); }

  [[nodiscard]] bool all_gone() const {
    constexpr int kLimit_ms = 20'000;
    pollfd item{read_.get(), POLLIN, 0};
    return ::poll(&item, 1, kLimit_ms) == 1 && (item.revents & POLLHUP) != 0;
  }

 private:
  base::FileDescriptor read_;
  base::FileDescriptor write_;
};

// What linux.uml leaves where it may: its guest's memory, its control sockets.
std::size_t uml_files() {
  std::size_t count = 0;
  std::error_code ignored;
  for (const char* folder : {"/tmp", "/dev/shm"}) {
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      count += entry.path().filename().string().starts_with("vm_file") ? 1U : 0U;
    }
  }
  const char* const home = std::getenv("HOME");
  return count + (home != nullptr && fs::exists(fs::path(home) / ".uml") ? 1U : 0U);
}

TEST_P(Uml, ACommandIsWhereTheCallerIs) {
  const std::size_t files_before = uml_files();
  const Ended ended = place_.shell(
      GetParam(),
      "pwd; cat /proc/version; echo to-error >&2; printf '%s' 'no newline' >made; exit 7");
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_EQ(ended.err, "to-error\n");
  EXPECT_TRUE(ended.out.starts_with(place_.folder().string() + "\nLinux version ")) << ended.out;
  EXPECT_EQ(base::read_file(place_.path("made")).value(), "no newline");

  struct stat made {};

  ASSERT_EQ(::stat(place_.path("made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, GetParam() == User::root ? 0 : ::geteuid() == 0 ? 65534 : ::geteuid());
  EXPECT_EQ(uml_files(), files_before);
}

// Faults that this kernel lacks, from the command line to the verdict. Standard output is the
// document alone. Placed by hand: two nodes must be undisturbed for long enough to be judged while
// the third loses packets.
TEST_F(UmlAsUser, ARunUnderDelayAndLossKeepsItsPromises) {
  const Ended run = place_.sunder(User::ordinary,
                                  {"run",
                                   "raft/register",
                                   "--kernel",
                                   "uml",
                                   "--nodes",
                                   "3",
                                   "--clients",
                                   "4",
                                   "--duration",
                                   "20s",
                                   "--seed",
                                   "1",
                                   "--faults",
                                   "delay:all@500ms+2s;latency=30ms,loss:one@3s+9s;loss=10%",
                                   "--out",
                                   "slow",
                                   "--json"});
  EXPECT_EQ(run.status, tells_of_overload(run.out) ? 2 : 0) << run.out << run.err;
  const json::value report = json::parse(run.out);
  EXPECT_EQ(report.at("exit_code").as_int64(), run.status);
  const json::value inputs = parse_file(place_.path("slow/run.json"));
  EXPECT_EQ(inputs.at("kernel").as_string(), "uml");
  const auto kernel = json::value_to<std::string>(inputs.at("host").at("kernel"));
  EXPECT_TRUE(kernel.starts_with("User-Mode Linux ")) << kernel;
}

TEST_P(Uml, KillNineLeavesNothingAndAReadableHistory) {
  const std::size_t files_before = uml_files();
  Census census;
  Program run(GetParam(),
              place_.folder(),
              {"run",
               "raft/register",
               "--kernel",
               "uml",
               "--nodes",
               "3",
               "--clients",
               "4",
               "--seed",
               "5",
               "--faults",
               "none",
               "--duration",
               "60s",
               "--out",
               place_.path("killed")});
  census.close();
  const fs::path history = place_.path("killed/history.jsonl");
  ASSERT_TRUE(eventually([&] { return fs::exists(history) && fs::file_size(history) > 10'000; }));
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(census.all_gone()) << "processes are left";
  EXPECT_EQ(uml_files(), files_before);
  const Ended check =
      place_.sunder(GetParam(), {"check", "killed/history.jsonl", "--model", "register"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
}

TEST_F(UmlAsUser, CtrlCHealsChecksAndSaysPartial) {
  Program run(User::ordinary,
              place_.folder(),
              {"run",
               "raft/register",
               "--kernel",
               "uml",
               "--nodes",
               "3",
               "--clients",
               "4",
               "--seed",
               "5",
               "--faults",
               "none",
               "--duration",
               "60s",
               "--out",
               place_.path("stopped")});
  const fs::path history = place_.path("stopped/history.jsonl");
  ASSERT_TRUE(eventually([&] { return fs::exists(history) && fs::file_size(history) > 10'000; }));
  run.signal(SIGINT);
  const Ended ended = run.wait();
  EXPECT_TRUE(ended.status == 0 || ended.status == 2) << ended.status << ended.out << ended.err;
  EXPECT_TRUE(parse_file(place_.path("stopped/report.json")).at("partial").as_bool());
}

TEST_F(UmlAsUser, TheDoctorAsksThere) {
  const Ended ended = place_.sunder(User::ordinary, {"doctor", "--kernel", "uml", "--json"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  const json::value document = json::parse(ended.out);
  const auto under_uml = [&](std::string_view wanted) {
    for (const json::value& row : document.at("capabilities").as_array()) {
      if (row.at("name").as_string() == wanted) return row.at("under_uml");
    }
    return json::value("absent");
  };
  EXPECT_EQ(under_uml("universe"), json::value(true));
  EXPECT_EQ(under_uml("netem"), json::value(true));
  EXPECT_EQ(under_uml("fuse"), json::value(true));
  EXPECT_EQ(under_uml("cgroup"), json::value(true));
  EXPECT_EQ(under_uml("pressure"), json::value(false));
  for (const json::value& fault : document.at("faults").as_array()) {
    const bool here = fault.at("natively").as_bool();
    EXPECT_EQ(here, fault.at("lacks").as_string().empty()) << fault;
    EXPECT_EQ(here, fault.at("remedy").as_string().empty()) << fault;
  }
  EXPECT_GE(document.at("faults").as_array().size(), 4U);
}

TEST_F(UmlAsUser, AKernelThatBreaksIsAFailureOfTheHarness) {
  const Ended ended = place_.shell(User::ordinary, "echo c >/proc/sysrq-trigger");
  EXPECT_EQ(ended.status, 3) << ended.out;
  EXPECT_NE(ended.err.find("without leaving an exit status"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("Kernel panic"), std::string::npos) << ended.err;
}

TEST_P(Uml, WithoutTheKernelTheErrorNamesThePackage) {
  const pid_t child = fork_as(GetParam(), [&] {
    const auto status = cluster::enter_universe({}, [&] {
      // Not a program any more, for this universe.
      if (::mount("/dev/null", "/usr/bin/linux.uml", nullptr, MS_BIND, nullptr) != 0) return 1;
      const Ended ended =
          run_sunder(User::root, place_.folder(), {"run", "raft/register", "--kernel", "uml"});
      EXPECT_EQ(ended.status, 3);
      EXPECT_NE(ended.err.find("apt install user-mode-linux"), std::string::npos) << ended.err;
      EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
      return ::testing::Test::HasFailure() ? 2 : 0;
    });
    return status.has_value() ? *status : 3;
  });
  EXPECT_EQ(wait_for(child), 0);
}

#ifdef SUNDER_NETEM_TESTS
// The tests that measure what links do to packets, in a kernel that has netem: run nowhere else, so
// a row of skipped ones must not pass for success.
TEST_F(UmlAsUser, TheMeasuringTestsOfNetemPass) {
  const Ended ended =
      place_.sunder(User::ordinary,
                    {"under-uml",
                     "--",
                     SUNDER_NETEM_TESTS,
                     "--gtest_brief=1",
                     "--gtest_filter=*AsUser*",  // in the guest both users come by the same kernel
                     "--gtest_output=json:" + place_.path("netem.json").string()});
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  const json::value result = parse_file(place_.path("netem.json"));
  std::size_t passed = 0;
  std::size_t skipped = 0;
  for (const json::value& suite : result.at("testsuites").as_array()) {
    for (const json::value& test : suite.at("testsuite").as_array()) {
      const bool ran = test.at("result").as_string() == "COMPLETED";
      EXPECT_FALSE(test.as_object().contains("failures")) << test;
      ++(ran ? passed : skipped);
    }
  }
  constexpr std::size_t kPassedMin = 10;
  EXPECT_GE(passed, kPassedMin);
  EXPECT_LE(skipped, 1U) << ended.out;
  fmt::print("{} tests of netem ran under User-Mode Linux, {} were skipped\n", passed, skipped);
}
#endif

INSTANTIATE_TEST_SUITE_P(Users, Uml, ::testing::ValuesIn(users()), user_name);

}  // namespace
}  // namespace sunder::tests
