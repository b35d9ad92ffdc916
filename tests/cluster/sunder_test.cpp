// The program as a user has it: real runs on real nodes, as root and as an ordinary user.
//
// Every run is short and its faults are placed by hand, so that what must be found is found every
// time.

#include <csignal>
#include <filesystem>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Sunder : public InUniverse {
 protected:
  Ended sunder(std::vector<std::string> arguments) {
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

  TemporaryFolder folder_;
};

// The verdict of a promise in a report.json.
std::string verdict_of(const fs::path& report, std::string_view promise) {
  const json::value document = json::parse(base::read_file(report).value());
  for (const json::value& row : document.at("promises").as_array()) {
    if (row.at("name").as_string() == promise)
      return json::value_to<std::string>(row.at("verdict"));
  }
  return "absent";
}

// Of all promises, in order: "available: kept".
std::vector<std::string> verdicts(const fs::path& report) {
  std::vector<std::string> all;
  const json::value document = json::parse(base::read_file(report).value());
  for (const json::value& row : document.at("promises").as_array()) {
    all.push_back(json::value_to<std::string>(row.at("name")) + ": " +
                  json::value_to<std::string>(row.at("verdict")));
  }
  return all;
}

TEST_P(Sunder, AHealthyClusterKeepsItsPromisesUnderFaults) {
  const Ended run =
      sunder({"run",
              "raft/register",
              "--seed",
              "1",
              "--duration",
              "14s",
              "--faults",
              "kill:all@500ms+300ms,pause:leader@2s+1s,partition:leader-minority@4s+7s",
              "--out",
              "healthy"});
  expect_kept(run,
              {"linearizable",
               "minority-refuses",
               "durable",
               "available",
               "recovers",
               "stays-up",
               "faults-bit"});
  const std::vector<std::string> first = verdicts(path("healthy/report.json"));
  for (const char* file :
       {"run.json", "history.jsonl", "faults.jsonl", "report.html", "junit.xml", "summary.md"}) {
    EXPECT_TRUE(fs::exists(path("healthy") / file)) << file;
  }
  const Ended check = sunder({"check", "healthy/history.jsonl", "--model", "register"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  const Ended again = sunder({"report", "healthy"});
  EXPECT_EQ(again.status, run.status) << again.out << again.err;
  EXPECT_EQ(verdicts(path("healthy/report.json")), first);
}

TEST_P(Sunder, ASabotagedClusterIsCaughtWithTheRightPromise) {
  const Ended run = sunder({"run",
                            "raft/register",
                            "--seed",
                            "3",
                            "--duration",
                            "12s",
                            "--sabotage",
                            "ack-before-quorum",
                            "--mix",
                            "read=4,write=48,cas=48",
                            "--faults",
                            "partition:leader-minority@1s+1s,partition:leader-minority@3s+1s,"
                            "partition:leader-minority@5s+1s,partition:leader-minority@7s+1s,"
                            "partition:leader-minority@9s+1s",
                            "--out",
                            "sabotaged"});
  EXPECT_EQ(run.status, 1) << run.out << run.err;
  EXPECT_EQ(verdict_of(path("sabotaged/report.json"), "linearizable"), "broken");
  const Ended check = sunder({"check", "sabotaged/history.jsonl", "--model", "register"});
  EXPECT_EQ(check.status, 1) << check.out << check.err;
}

bool put(const char* path, const std::string& text) {
  const base::FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() && base::write_all(file.get(), text).has_value();
}

// In the place of /dev/fuse this process and its children find a device that is none.
bool hide_fuse() {
  const std::string users = fmt::format("0 {} 1", ::geteuid());
  const std::string groups = fmt::format("0 {} 1", ::getegid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put("/proc/self/setgroups", "deny") &&
         put("/proc/self/uid_map", users) && put("/proc/self/gid_map", groups) &&
         ::mount("/dev/null", "/dev/fuse", nullptr, MS_BIND, nullptr) == 0;
}

TEST_P(Sunder, DiskFaultsWithoutFuseAreRefusedInOneLine) {
  std::vector<std::string> arguments{
      "run", "raft/register", "--faults", "power-loss", "--out", path("nothing")};
  Program run(GetParam(), folder_.path(), std::move(arguments), &hide_fuse);
  const Ended ended = run.wait();
  EXPECT_EQ(ended.status, 3) << ended.err;
  EXPECT_NE(ended.err.find("power-loss cannot be here: fuse: "), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
}

TEST_P(Sunder, APowerLossRevealsAcknowledgedWritesThatWereNotSynced) {
  const Ended run = sunder({"run",
                            "raft/register",
                            "--nodes",
                            "3",
                            "--seed",
                            "1",
                            "--duration",
                            "8s",
                            "--sabotage",
                            "ack-before-sync",
                            "--faults",
                            "power-loss:all@2s+500ms,power-loss:all@5s+500ms",
                            "--out",
                            "lost"});
  if (run.err.find("fuse: ") != std::string::npos) {
    // The device is closed to this user: then that is all there is to say.
    EXPECT_EQ(run.status, 3) << run.err;
    return;
  }
  EXPECT_EQ(run.status, 1) << run.out << run.err;
  EXPECT_EQ(verdict_of(path("lost/report.json"), "durable-power-loss"), "broken");
  const std::string page = base::read_file(path("lost/report.html")).value();
  EXPECT_NE(page.find("n1 forgot of "), std::string::npos) << "the files that lost bytes are named";
}

TEST_P(Sunder, KillNineLeavesNoProcessAndAReadableHistory) {
  Program run(
      GetParam(),
      folder_.path(),
      {"run", "raft/register", "--seed", "5", "--duration", "60s", "--out", path("killed")});
  const fs::path history = path("killed/history.jsonl");
  ASSERT_TRUE(eventually([&] { return fs::exists(history) && fs::file_size(history) > 10'000; }));
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes_mentioning(path("killed")).empty(); }));
  const Ended check = sunder({"check", "killed/history.jsonl", "--model", "register"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
}

TEST_P(Sunder, CtrlCHealsChecksAndSaysPartial) {
  Program run(
      GetParam(),
      folder_.path(),
      {"run", "raft/register", "--seed", "5", "--duration", "60s", "--out", path("stopped")});
  const fs::path history = path("stopped/history.jsonl");
  ASSERT_TRUE(eventually([&] { return fs::exists(history) && fs::file_size(history) > 10'000; }));
  run.signal(SIGINT);
  const Ended ended = run.wait();
  // Nothing is broken; what the schedule had not come to yet is not exercised.
  EXPECT_TRUE(ended.status == 0 || ended.status == 2) << ended.status << ended.out << ended.err;
  const json::value report = json::parse(base::read_file(path("stopped/report.json")).value());
  EXPECT_TRUE(report.at("partial").as_bool());
  EXPECT_TRUE(eventually([&] { return processes_mentioning(path("stopped")).empty(); }));
}

TEST_P(Sunder, ReplayRunsExactlyTheScheduleOfARun) {
  const auto schedule_of = [&](const std::string& run) {
    const json::value inputs = json::parse(base::read_file(path(run) / "run.json").value());
    return json::value_to<std::string>(inputs.at("schedule"));
  };
  const Ended first = sunder({"run",
                              "raft/register",
                              "--seed",
                              "9",
                              "--nodes",
                              "3",
                              "--duration",
                              "4s",
                              "--faults",
                              "kill,pause",
                              "--out",
                              "first"});
  const Ended second = sunder({"replay", "first", "--out", "second"});
  EXPECT_NE(first.status, 3) << first.err;
  EXPECT_NE(second.status, 3) << second.err;
  EXPECT_EQ(schedule_of("first"), schedule_of("second"));
  EXPECT_EQ(verdict_of(path("second/report.json"), "faults-bit"), "kept");
}

TEST_P(Sunder, UpRunsACommandBesideTheClusterAndEndsWithIt) {
  const Ended up =
      sunder({"up", "raft", "--nodes", "3", "--", "redis-cli", "-h", "n2", "set", "x", "1"});
  EXPECT_EQ(up.status, 0) << up.err;
  EXPECT_EQ(up.out, "OK\n");
  const Ended failing = sunder({"up", "raft", "--nodes", "1", "--", "sh", "-c", "exit 7"});
  EXPECT_EQ(failing.status, 7) << failing.err;
}

TEST_P(Sunder, ACampaignStatesTheVerdictsItExpects) {
  ASSERT_TRUE(base::write_file(path("tiny.toml"), R"(
[[run]]
scenario = "raft/register"
seed = 1
nodes = 3
duration = "8s"
faults = "none"
)")
                  .has_value());
  const Ended met = sunder({"campaign", "tiny.toml", "--out", "met"});
  EXPECT_EQ(met.status, any_tells_of_overload(path("met")) ? 2 : 0) << met.out << met.err;
  EXPECT_TRUE(fs::exists(path("met/campaign.html")));
  ASSERT_TRUE(base::write_file(path("tiny.toml"), R"(
[[run]]
scenario = "raft/register"
seed = 1
nodes = 3
duration = "8s"
faults = "none"
expect = "broken"
)")
                  .has_value());
  const Ended unmet = sunder({"campaign", "tiny.toml", "--out", "unmet"});
  EXPECT_EQ(unmet.status, 3) << unmet.out << unmet.err;
}

INSTANTIATE_TEST_SUITE_P(Users, Sunder, ::testing::ValuesIn(users()), user_name);

class SunderUsage : public Sunder {};

TEST_P(SunderUsage, BadInputIsOneLineAndTheRightExitCode) {
  struct Row {
    std::vector<std::string> arguments;
    int status;
    const char* says;
  };

  ASSERT_TRUE(base::write_file(path("bad.jsonl"), "{\"type\":\"invoke\"\n{}\n").has_value());
  ASSERT_TRUE(base::write_file(path("bad.toml"), "[[run]]\nscenario = 1\n").has_value());
  const std::vector<Row> rows{
      {{}, 64, "subcommand"},
      {{"rnu"}, 64, "rnu"},
      {{"run"}, 64, "scenario"},
      {{"run", "raft/nothing"}, 64, "raft/register"},
      {{"run", "raft/register", "--nodes", "0"}, 64, "--nodes"},
      {{"run", "raft/register", "--nodes", "many"}, 64, "--nodes"},
      {{"run", "raft/register", "--duration", "30"}, 64, "--duration"},
      {{"run", "raft/register", "--faults", "meteor"}, 64, "meteor"},
      {{"run", "raft/register", "--faults", "kill:n9"}, 64, "n1 to n5"},
      {{"run", "raft/register", "--nodes", "1", "--faults", "partition:minority"},
       64,
       "at least 3"},
      {{"run", "raft/register", "--faults", "kill:leader@meteor"}, 64, "became-leader"},
      {{"run", "raft/register", "--faults", "loss:all@1s+1s;loss=150%"}, 64, "0% to 100%"},
      {{"run", "raft/register", "--faults", "all", "--duration", "1s"}, 64, "too short"},
      {{"run", "raft/register", "--sabotage", "meteor"}, 64, "ack-before-quorum"},
      {{"run", "raft/register", "--out", "/proc/nowhere"}, 3, "/proc/nowhere"},
      {{"campaign", "missing.toml"}, 65, "missing.toml"},
      {{"campaign", "bad.toml"}, 65, "bad.toml:"},
      {{"campaign", "bad.toml", "--shard", "9/3"}, 64, "--shard"},
      {{"check", "missing.jsonl", "--model", "register"}, 65, "missing.jsonl"},
      {{"check", "bad.jsonl", "--model", "register"}, 65, "bad.jsonl:1:"},
      {{"check", "bad.jsonl", "--model", "meteor"}, 64, "register"},
      {{"up", "meteor"}, 64, "raft"},
      {{"up", "raft", "--sabotage", "meteor"}, 64, "stale-read"},
      {{"list", "meteors"}, 64, "meteors"},
      {{"replay", "."}, 65, "not a run's directory"},
      {{"report", "."}, 65, "not a run's directory"},
  };
  for (const Row& row : rows) {
    std::string command;
    for (const std::string& argument : row.arguments) command += " " + argument;
    SCOPED_TRACE(command);
    const Ended ended = sunder(row.arguments);
    EXPECT_EQ(ended.status, row.status) << ended.err;
    EXPECT_NE(ended.err.find(row.says), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Users, SunderUsage, ::testing::ValuesIn(users()), user_name);

}  // namespace
}  // namespace sunder::tests
