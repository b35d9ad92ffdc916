// Real sunder-kv processes in the quorum modes: commands, crashes, cut-off nodes, the command line.

#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/kv_processes.hpp"

namespace sunder::tests {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using wire::RespKind;
using wire::RespValue;

const RespValue kOk = RespValue::simple("OK");

NodeProgram of(const std::string& mode) {
  NodeProgram program;
  program.mode = mode;
  return program;
}

bool reads(const KvProcesses& nodes,
           std::size_t node,
           const std::string& key,
           const std::string& value) {
  return wait_until([&] { return nodes.call(node, {"GET", key}) == RespValue::bulk(value); });
}

TEST(QuorumProcess, AnyNodeAnswersAndOthersCommandsAreRefused) {
  KvProcesses nodes(5, {}, of("quorum"));
  nodes.start_all();
  for (std::size_t node = 1; node <= 5; ++node) {
    const std::string key = fmt::format("k{}", node);
    ASSERT_EQ(nodes.call_until_ok(node, {"SET", key, "v"}), kOk);
    EXPECT_TRUE(reads(nodes, node % 5 + 1, key, "v"));
  }
  EXPECT_EQ(nodes.call(1, {"GET", "missing"}).kind, RespKind::null);
  EXPECT_EQ(nodes.call(1, {"PING"}), RespValue::simple("PONG"));
  for (const Arguments& command : {Arguments{"CAS", "k1", "v", "w"},
                                   Arguments{"SESSION", "OPEN"},
                                   Arguments{"SET", "k1"},
                                   Arguments{"GET", ""},
                                   Arguments{"SET", "", "x"}}) {
    const RespValue reply = nodes.call(1, command);
    EXPECT_EQ(reply.kind, RespKind::error);
    EXPECT_THAT(reply.text, StartsWith("ERR "));
  }
  const RespValue info = nodes.call(2, {"INFO"});
  EXPECT_EQ(info_field(info, "mode"), "quorum");
  EXPECT_THAT(info_field(info, "peer_n1"), HasSubstr("connected=1,near=1,digest="));
}

TEST(QuorumProcess, KeepsEveryAcknowledgedWriteThroughKillNineOfAllNodes) {
  for (const std::string mode : {"quorum", "quorum-strict"}) {
    KvProcesses nodes(3, {}, of(mode));
    nodes.start_all();
    ASSERT_EQ(nodes.call_until_ok(1, {"SET", "first", "0"}), kOk);
    for (int i = 0; i < 100; ++i) {
      const std::size_t node = static_cast<std::size_t>(i) % 3 + 1;
      ASSERT_EQ(nodes.call_until_ok(node, {"SET", fmt::format("k{}", i), std::to_string(i)}), kOk);
    }
    nodes.kill_all();
    nodes.start_all();
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(reads(nodes, 2, fmt::format("k{}", i), std::to_string(i))) << mode << " k" << i;
    }
    // How many of the keys one node had by then is chance where one copy is enough.
    const auto has_some = ::testing::Matches(ContainsRegex(R"("event":"recovered","keys":[1-9])"));
    EXPECT_TRUE(wait_until([&] { return has_some(nodes.events(1)); })) << nodes.events(1);
  }
}

TEST(QuorumProcess, AvailableModeAnswersAloneAndHandsOff) {
  KvProcesses nodes(3, {}, of("quorum"));
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "a", "1"}), kOk);
  nodes.kill(2);
  nodes.kill(3);
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "a", "2"}), kOk);
  EXPECT_TRUE(reads(nodes, 1, "a", "2"));
  ASSERT_TRUE(wait_until([&] { return info_field(nodes.call(1, {"INFO"}), "hints") != "0"; }));
  // Hints are on the disk.
  nodes.kill(1);
  nodes.start_all();
  EXPECT_TRUE(reads(nodes, 2, "a", "2"));
  EXPECT_TRUE(reads(nodes, 3, "a", "2"));
  EXPECT_TRUE(wait_until([&] { return info_field(nodes.call(1, {"INFO"}), "hints") == "0"; }));
}

TEST(QuorumProcess, StrictModeRefusesAlone) {
  KvProcesses nodes(3, {}, of("quorum-strict"));
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "a", "1"}), kOk);
  nodes.kill(2);
  nodes.kill(3);
  EXPECT_TRUE(wait_until([&] {
    const RespValue reply = nodes.call(1, {"SET", "a", "2"});
    return reply.kind == RespKind::error && reply.text.starts_with("NOQUORUM ");
  }));
  nodes.start(2);
  EXPECT_EQ(nodes.call_until_ok(1, {"SET", "a", "3"}), kOk);
  EXPECT_TRUE(reads(nodes, 2, "a", "3"));
}

TEST(QuorumProcess, StopsCleanlyOnSigterm) {
  KvProcesses nodes(2, {}, of("quorum"));
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "a", "1"}), kOk);
  nodes.signal(1, SIGTERM);
  EXPECT_EQ(nodes.wait(1), 0);
}

TEST(QuorumProcess, SaysWhatIsWrongWithTheCommandLine) {
  struct Row {
    Arguments arguments;
    const char* said;
  };

  const std::string program = std::string(SUNDER_BINARY_DIR) + "/sunder-kv";
  const Arguments good = {program,
                          "--id",
                          "n1",
                          "--listen",
                          "127.0.0.1:6379",
                          "--peers",
                          "n1=127.0.0.1:7000,n2=127.0.0.2:7000",
                          "--data-dir",
                          "/tmp/none"};
  for (const Row& row : {Row{{"--mode", "quorum", "--r", "3"}, "--r 3: give 1 to 2"},
                         Row{{"--mode", "quorum", "--w", "0"}, "--w 0: give 1 to 2"},
                         Row{{"--mode=quorum", "--sabotage", "vote-twice"}, "'vote-twice'"},
                         Row{{"--mode", "quorum", "--quorums", "lax"}, "--quorums"},
                         Row{{"--mode", "quorums"}, "'quorums' is not a mode"}}) {
    SCOPED_TRACE(row.said);
    Arguments command = good;
    command.insert(command.end(), row.arguments.begin(), row.arguments.end());
    const ExitStatus ended = run_program(command);
    EXPECT_EQ(ended.code, 64);
    EXPECT_THAT(ended.output, HasSubstr(row.said));
  }
}

}  // namespace
}  // namespace sunder::tests
