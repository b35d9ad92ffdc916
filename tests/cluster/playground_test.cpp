// sunder up with sunder fault, heal and status from its shell: as a user types them.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "harness/base/file.hpp"
#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Playground : public InUniverse {
 protected:
  // Runs a shell script beside a cluster of three nodes. Each line's output goes to a file.
  Ended up(const std::string& script) {
    return run_sunder(
        GetParam(), folder_.path(), {"up", "raft", "--nodes", "3", "--", "sh", "-c", script});
  }

  Ended sunder(std::vector<std::string> arguments) {
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  [[nodiscard]] std::string text(const std::string& name) const {
    const auto read = base::read_file(folder_.path() / name);
    return read.has_value() ? *read : "no file " + name;
  }

  [[nodiscard]] json::object object(const std::string& name) const {
    return json::parse(text(name)).as_object();
  }

  TemporaryFolder folder_;
};

json::object node_of(const json::object& status, std::string_view name) {
  for (const json::value& node : status.at("nodes").as_array()) {
    if (node.at("name").as_string() == name) return node.as_object();
  }
  return {};
}

std::string link_of(const json::object& status, std::string_view from, std::string_view to) {
  for (const json::value& link : status.at("links").as_array()) {
    if (link.at("from").as_string() == from && link.at("to").as_string() == to) {
      return json::value_to<std::string>(link.at("state"));
    }
  }
  return "none";
}

// One cluster for all of it: a cut that clients see, faults by role, by time and by event, and what
// was done as a schedule that a run takes.
TEST_P(Playground, FaultsActOnTheRunningClusterAndAreHealed) {
  const Ended play =
      up("sunder fault 'partition n1 | n2,n3' > cut || exit 11\n"
         "until redis-cli -h n2 set y 2 > majority && grep -q OK majority; do :; done\n"
         "timeout 20 redis-cli -h n1 set x 1 > minority 2>&1\n"
         "sunder status --json > cut.json || exit 12\n"
         "sunder status > cut.txt || exit 13\n"
         "sunder heal 1 > healed || exit 14\n"
         "sunder status --json > healed.json || exit 15\n"
         "sunder fault kill:n3 --json > kill.json || exit 16\n"
         "sunder status --json > dead.json || exit 17\n"
         "sunder fault pause:subject@became-leader+1s > waits || exit 18\n"
         "sunder fault pause n1 --for 10ms > short || exit 19\n"
         "while sunder status --json | grep -q '\"id\":4,'; do :; done\n"
         "sunder heal > all || exit 20\n"
         "sunder status --as-schedule > schedule || exit 21\n"
         "stat -c %a \"$SUNDER_CONTROL\" > mode\n"
         "sunder fault kill:n2 > standing || exit 22\n");
  ASSERT_EQ(play.status, 0) << play.err;
  EXPECT_EQ(text("cut"), "fault 1: partition groups: n1 | n2,n3: stands\n");
  EXPECT_EQ(text("majority"), "OK\n");
  EXPECT_NE(text("minority"), "OK\n") << "the cut-off node acknowledged";
  const json::object cut = object("cut.json");
  EXPECT_EQ(link_of(cut, "n1", "n2"), "cut");
  EXPECT_EQ(link_of(cut, "n2", "n3"), "ok");
  EXPECT_EQ(cut.at("faults").as_array().size(), 1U);
  EXPECT_NE(text("cut.txt").find("partition groups: n1 | n2,n3"), std::string::npos);
  EXPECT_NE(text("healed").find("healed\n  packets dropped"), std::string::npos) << text("healed");
  EXPECT_EQ(link_of(object("healed.json"), "n1", "n2"), "ok");
  EXPECT_EQ(object("kill.json").at("faults").as_array().at(0).at("state").as_string(), "stands");
  const json::object dead = node_of(object("dead.json"), "n3");
  EXPECT_EQ(dead.at("state").as_string(), "dead");
  EXPECT_EQ(dead.at("pid").as_int64(), 0);
  EXPECT_NE(text("waits").find("waits"), std::string::npos);
  EXPECT_EQ(text("mode"), "600\n");
  const std::string schedule = text("schedule");
  EXPECT_TRUE(schedule.starts_with("partition:n1/n2+n3@")) << schedule;
  EXPECT_NE(schedule.find("kill:n3@"), std::string::npos) << schedule;
  EXPECT_NE(schedule.find("pause:n1@"), std::string::npos) << schedule;
  EXPECT_EQ(schedule.find("subject"), std::string::npos) << "it never began";
  // What stood at the end was healed too, and written down.
  std::string last;
  std::istringstream lines(text("runs/latest/faults.jsonl"));
  for (std::string line; std::getline(lines, line);) last = line;
  EXPECT_NE(last.find("kill nodes: n2"), std::string::npos) << last;
  EXPECT_GT(json::parse(last).at("healed").to_number<std::int64_t>(), 0);

  const std::string faults = schedule.substr(0, schedule.size() - 1);
  Program run(GetParam(),
              folder_.path(),
              {"run",
               "raft/register",
               "--nodes",
               "3",
               "--duration",
               "60s",
               "--faults",
               faults,
               "--out",
               "again"});
  EXPECT_TRUE(eventually([&] { return fs::exists(folder_.path() / "again" / "history.jsonl"); }));
  run.signal(SIGINT);
  const Ended ended = run.wait();
  EXPECT_LE(ended.status, 2) << ended.err;
  EXPECT_EQ(json::value_to<std::string>(object("again/run.json").at("schedule")), faults);
}

TEST_P(Playground, BadInputIsOneLineAndTheRightExitCode) {
  const Ended play =
      up("sunder fault meteor:n1 2> e1; echo $? > c1\n"
         "sunder fault pause:n9 2> e2; echo $? > c2\n"
         "sunder fault kill 2> e3; echo $? > c3\n"
         "sunder fault 'partition:leader;flap=1h' 2> e4; echo $? > c4\n"
         "sunder heal 5 2> e5; echo $? > c5\n"
         "sunder heal five 2> e6; echo $? > c6\n"
         "sunder fault kill:n1@sunrise+1s 2> e7; echo $? > c7\n");
  ASSERT_EQ(play.status, 0) << play.err;
  const std::vector<std::string> says{
      "no fault 'meteor'", "n9", "shape", "flap", "no fault 5", "five", "sunrise"};
  for (std::size_t i = 0; i < says.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    SCOPED_TRACE(says[i]);
    EXPECT_EQ(text("c" + number), "64\n");
    const std::string error = text("e" + number);
    EXPECT_NE(error.find(says[i]), std::string::npos) << error;
    EXPECT_EQ(std::ranges::count(error, '\n'), 1) << error;
  }
  const Ended after = sunder({"status"});
  EXPECT_EQ(after.status, 64) << "the cluster is gone, and its socket";
  EXPECT_EQ(std::ranges::count(after.err, '\n'), 1) << after.err;
  const Ended elsewhere = sunder({"fault", "kill:n1", "--dir", "nowhere"});
  EXPECT_EQ(elsewhere.status, 64);
}

INSTANTIATE_TEST_SUITE_P(Users, Playground, ::testing::ValuesIn(users()), user_name);

}  // namespace
}  // namespace sunder::tests
