// sunder prove: what is caught, what is missed, what is refused.

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "harness/base/file.hpp"
#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Prove : public InUniverse {
 protected:
  Ended prove(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"prove", "raft"});
    return run_sunder(GetParam(), folder_.path(), std::move(arguments));
  }

  [[nodiscard]] std::string text(const std::string& name) const {
    const auto read = base::read_file(folder_.path() / name);
    return read.has_value() ? *read : "no file " + name;
  }

  TemporaryFolder folder_;
};

TEST_P(Prove, ASabotageIsCaughtByItsScheduleAndTheHealthyControlIsNot) {
  const Ended proof = prove(
      {"--sabotage", "ack-before-append", "--attempt", "6s", "--random", "0", "--out", "proof"});
  EXPECT_EQ(proof.status, 0) << proof.out << proof.err;
  EXPECT_NE(proof.out.find("1 of 1 sabotages caught, 1 healthy control"), std::string::npos)
      << proof.out;
  const json::value document = json::parse(text("proof/prove.json"));
  const json::value& row = document.at("sabotages").as_array().at(0);
  EXPECT_EQ(row.at("caught").as_int64(), 1);
  const json::value& seed = row.at("seeds").as_array().at(0);
  EXPECT_TRUE(seed.at("caught").as_bool());
  EXPECT_LE(seed.at("wall_s").to_number<double>(), 90);
  EXPECT_FALSE(document.at("controls").as_array().at(0).at("false_alarm").as_bool());
  const std::string page = text("proof/prove.html");
  EXPECT_NE(page.find("Sabotage × fault family"), std::string::npos);
  const std::string kept = json::value_to<std::string>(seed.at("directory"));
  EXPECT_TRUE(fs::exists(folder_.path() / "proof" / kept / "report.html")) << kept;
  EXPECT_NE(text("proof/prove.md").find("ack-before-append"), std::string::npos);
}

// Faults that cannot show it: nothing is caught, and that is the harness' defect.
TEST_P(Prove, ASabotageThatIsNotCaughtIsADefectOfTheHarness) {
  const Ended proof = prove({"--sabotage",
                             "vote-twice",
                             "--faults",
                             "none",
                             "--attempt",
                             "1s",
                             "--budget",
                             "1s",
                             "--controls",
                             "0",
                             "--json"});
  EXPECT_EQ(proof.status, 3) << proof.out << proof.err;
  const json::value document = json::parse(proof.out);
  EXPECT_EQ(document.at("sabotages").as_array().at(0).at("caught").as_int64(), 0);
  EXPECT_EQ(document.at("exit_code").as_int64(), 3);
}

TEST_P(Prove, KillNineLeavesNothing) {
  const std::string out = (folder_.path() / "killed").string();
  Program program(
      GetParam(), folder_.path(), {"prove", "raft", "--sabotage", "stale-read", "--out", out});
  ASSERT_TRUE(eventually([&] {
    return !processes_mentioning("--data-dir " + out).empty() ||
           processes_mentioning(out).size() > 3;
  }));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes_mentioning(out).empty(); }));
}

TEST_P(Prove, BadInputIsOneLineAndTheRightExitCode) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows{
      {{"--sabotage", "meteor"}, "ignore-term"},
      {{"--seeds", "0"}, "--seeds"},
      {{"--attempt", "10"}, "--attempt"},
      {{"--budget", "0s"}, "--budget"},
      {{"--faults", "meteor"}, "meteor"},
      {{"--jobs", "0"}, "--jobs"}};
  for (const auto& [arguments, says] : rows) {
    const Ended refused = prove(arguments);
    EXPECT_EQ(refused.status, 64) << refused.err;
    EXPECT_NE(refused.err.find(says), std::string::npos) << refused.err;
    EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
  }
  EXPECT_FALSE(fs::exists(folder_.path() / "runs")) << "nothing was made";
  const Ended mode = run_sunder(GetParam(), folder_.path(), {"prove", "meteor"});
  EXPECT_EQ(mode.status, 64);
}

INSTANTIATE_TEST_SUITE_P(Users, Prove, ::testing::ValuesIn(users()), user_name);

}  // namespace
}  // namespace sunder::tests
