// Real sunder-kv processes: Redis' own tools against them, crashes, sessions, followers, the
// command line.

#include <csignal>
#include <sstream>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/kv_processes.hpp"

namespace sunder::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using wire::RespKind;
using wire::RespValue;

const RespValue kOk = RespValue::simple("OK");

std::string key_of(int number) {
  return fmt::format("k{}", number);
}

// SET until it is acknowledged: an election on a busy machine may refuse one, and setting twice
// changes nothing.
bool set(BlockingClient& client, const std::string& key, const std::string& value) {
  return wait_until([&] { return client.call({"SET", key, value}) == kOk; });
}

TEST(KvProcess, AnswersRedisCli) {
  KvProcesses nodes(1);
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "x", "1"}), kOk);
  const std::string commands =
      "GET x\nINCR x\nAPPEND x 0\nCAS x 20 5\nCAS x 20 6\nCAS new (nil) 1\nRPUSH l a b c\nLRANGE l "
      "-2 -1\n"
      "DEL x missing\nGET x\nINCR l\nNONSENSE\nGET\n"
      "MULTI\nSET a 1\nINCR a\nGET a\nEXEC\nMULTI\nSET a "
      "9\nDISCARD\nMULTI\nNONSENSE\nEXEC\nEXEC\nGET a\nSELECT 0\n";
  const ExitStatus cli = run_program({"redis-cli", "-h", nodes.address(1)}, commands);
  EXPECT_EQ(cli.code, 0);
  const std::vector<std::string> expected = {"1",
                                             "2",
                                             "2",
                                             "OK",
                                             "CASMISMATCH 5",
                                             "",
                                             "OK",
                                             "3",
                                             "b",
                                             "c",
                                             "1",
                                             "",
                                             "WRONGTYPE the key holds another type of value",
                                             "",
                                             "ERR unknown command 'NONSENSE'",
                                             "",
                                             "ERR wrong number of arguments for 'GET'",
                                             "",
                                             "OK",
                                             "QUEUED",
                                             "QUEUED",
                                             "QUEUED",
                                             "OK",
                                             "2",
                                             "2",
                                             "OK",
                                             "QUEUED",
                                             "OK",
                                             "OK",
                                             "ERR unknown command 'NONSENSE'",
                                             "",
                                             "EXECABORT a command was refused; nothing was done",
                                             "",
                                             "ERR EXEC without MULTI",
                                             "",
                                             "2",
                                             "OK"};
  std::vector<std::string> lines;
  std::istringstream text(cli.output);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  EXPECT_EQ(lines, expected);
}

TEST(KvProcess, RunsRedisBenchmarkThroughAFollower) {
  // Patient elections: redis-benchmark takes a refusal for a failure.
  KvProcesses nodes(3, {"--tick", "60ms"});
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  const std::size_t follower = leader % 3 + 1;
  ASSERT_EQ(nodes.call_until_ok(follower, {"SET", "x", "1"}), kOk);
  const ExitStatus benchmark = run_program({"redis-benchmark",
                                            "-h",
                                            nodes.address(follower),
                                            "-t",
                                            "ping,set,get,incr,rpush",
                                            "-n",
                                            "500",
                                            "-c",
                                            "10",
                                            "-P",
                                            "4",
                                            "--csv"});
  EXPECT_EQ(benchmark.code, 0) << benchmark.output;
  EXPECT_THAT(benchmark.output, HasSubstr("\"RPUSH\""));
  EXPECT_THAT(benchmark.output, Not(HasSubstr("rror")));
}

TEST(KvProcess, KeepsEveryAcknowledgedWriteThroughKillNineOfAllNodes) {
  KvProcesses nodes(3, {"--snapshot-every", "50"});
  nodes.start_all();
  constexpr int kWrites = 170;
  int written = 0;
  for (const int until : {60, 120, kWrites}) {
    ASSERT_EQ(nodes.call_until_ok(1, {"SET", "probe", "1"}), kOk);
    BlockingClient client(nodes.address(1));
    for (; written < until; ++written) {
      ASSERT_TRUE(set(client, key_of(written), std::to_string(written)));
    }
    nodes.kill_all();
    nodes.start_all();
  }
  ASSERT_EQ(nodes.call_until_ok(2, {"SET", "probe", "2"}), kOk);
  for (int i = 0; i < written; ++i) {
    EXPECT_EQ(nodes.call_until_ok(2, {"GET", key_of(i)}), RespValue::bulk(std::to_string(i)));
  }
}

// The neighbour of the test above that must fail: the snapshot lacks what its last entries did.
TEST(KvProcess, LosesAcknowledgedWritesWhenTheSnapshotTailIsSabotaged) {
  KvProcesses nodes(1, {"--snapshot-every", "100", "--sabotage", "lose-snapshot-tail"});
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "probe", "1"}), kOk);
  BlockingClient client(nodes.address(1));
  for (int i = 0; i < 120; ++i) ASSERT_TRUE(set(client, key_of(i), "v"));
  nodes.kill_all();
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "probe", "2"}), kOk);
  BlockingClient reader(nodes.address(1));
  int lost = 0;
  for (int i = 0; i < 120; ++i)
    lost += reader.call({"GET", key_of(i)}) == RespValue::null() ? 1 : 0;
  EXPECT_GT(lost, 10);
}

TEST(KvProcess, FailsOverWhenTheLeaderIsKilledAndTakesItBack) {
  KvProcesses nodes(3, {"--snapshot-every", "20"});
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  ASSERT_EQ(nodes.call_until_ok(leader, {"SET", "before", "1"}), kOk);
  nodes.kill(leader);
  const std::size_t other = leader % 3 + 1;
  ASSERT_EQ(nodes.call_until_ok(other, {"SET", "after", "2"}), kOk);
  EXPECT_EQ(nodes.call_until_ok(other, {"GET", "before"}), RespValue::bulk("1"));
  // More than the log keeps: the old leader needs a snapshot.
  BlockingClient client(nodes.address(other));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(set(client, key_of(i), "v"));
  nodes.start(leader);
  EXPECT_EQ(nodes.call_until_ok(leader, {"GET", "after"}), RespValue::bulk("2"));
  EXPECT_TRUE(wait_until([&] {
    return info_field(nodes.call(leader, {"INFO"}), "applied") ==
           info_field(nodes.call(other, {"INFO"}), "applied");
  }));
  EXPECT_THAT(nodes.events(leader), HasSubstr("snapshot-installed"));
}

TEST(KvProcess, ReplacesALeaderThatIsStoppedAndHasItFollowAfterwards) {
  KvProcesses nodes(3);
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  nodes.signal(leader, SIGSTOP);
  const std::size_t other = leader % 3 + 1;
  ASSERT_EQ(nodes.call_until_ok(other, {"SET", "x", "new"}), kOk);
  nodes.signal(leader, SIGCONT);
  // Whatever it still believes, it must not answer from the past.
  EXPECT_EQ(nodes.call_until_ok(leader, {"GET", "x"}), RespValue::bulk("new"));
}

TEST(KvProcess, HandsLeadershipOverWhenAskedAndBeforeAPlannedStop) {
  KvProcesses nodes(3);
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  const std::size_t other = leader % 3 + 1;
  const auto leads = [&](std::size_t node) {
    return info_field(nodes.call(node, {"INFO"}), "role") == "leader";
  };
  EXPECT_EQ(nodes.call(leader, {"TRANSFER", "n9"}).kind, RespKind::error);
  EXPECT_THAT(nodes.call(other, {"TRANSFER"}).text, StartsWith("NOTLEADER"));
  ASSERT_EQ(nodes.call_until_ok(leader, {"SET", "x", "1"}), kOk);
  // A follower that is behind at this instant is not handed anything: ask until it happens.
  EXPECT_TRUE(wait_until([&] {
    if (leads(other)) return true;
    (void)nodes.call(leader, {"TRANSFER", "n" + std::to_string(other)});
    return false;
  }));
  nodes.signal(other, SIGTERM);
  EXPECT_EQ(nodes.wait(other), 0);
  EXPECT_EQ(nodes.call_until_ok(leader, {"GET", "x"}), RespValue::bulk("1"));
}

// Node 2 answers with an error of this word, at the latest when an election is over.
bool is_refused(const KvProcesses& nodes, const Arguments& command, std::string_view word) {
  return wait_until([&] {
    const RespValue reply = nodes.call(2, command);
    return reply.kind == RespKind::error && reply.text.starts_with(word);
  });
}

TEST(KvProcess, AppliesANumberedCommandOnceHoweverOftenItIsSent) {
  KvProcesses nodes(3);
  nodes.start_all();
  const RespValue opened = nodes.call_until_ok(1, {"SESSION", "OPEN"});
  ASSERT_EQ(opened.kind, RespKind::integer);
  const std::string session = std::to_string(opened.integer);
  ASSERT_NE(nodes.wait_for_leader(), 0U);
  for (std::size_t node = 1; node <= 3; ++node) {
    SCOPED_TRACE(node);
    EXPECT_EQ(nodes.call_until_ok(node, {"SEQ", session, "1", "INCR", "c"}), RespValue::number(1));
  }
  nodes.kill_all();
  nodes.start_all();
  EXPECT_EQ(nodes.call_until_ok(2, {"SEQ", session, "1", "INCR", "c"}), RespValue::number(1));
  EXPECT_EQ(nodes.call_until_ok(2, {"SEQ", session, "2", "INCR", "c"}), RespValue::number(2));
  EXPECT_TRUE(is_refused(nodes, {"SEQ", session, "1", "INCR", "c"}, "STALESEQ"));
  EXPECT_TRUE(is_refused(nodes, {"SEQ", "999999", "1", "INCR", "c"}, "NOSESSION"));
  EXPECT_TRUE(is_refused(nodes, {"SEQ", session, "0", "INCR", "c"}, "ERR"));
  EXPECT_EQ(nodes.call_until_ok(2, {"GET", "c"}), RespValue::bulk("2"));
}

TEST(KvProcess, AppliesARetryAgainWhenSessionsAreSabotaged) {
  KvProcesses nodes(1, {"--sabotage", "apply-twice"});
  nodes.start_all();
  const RespValue opened = nodes.call_until_ok(1, {"SESSION", "OPEN"});
  const std::string session = std::to_string(opened.integer);
  EXPECT_EQ(nodes.call(1, {"SEQ", session, "1", "INCR", "c"}), RespValue::number(1));
  EXPECT_EQ(nodes.call(1, {"SEQ", session, "1", "INCR", "c"}), RespValue::number(2));
}

TEST(KvProcess, RedirectsFromFollowersWhenToldTo) {
  KvProcesses nodes(3, {"--on-follower", "redirect"});
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  const std::size_t follower = leader % 3 + 1;
  const std::string expected = fmt::format("NOTLEADER n{}", leader);
  EXPECT_TRUE(wait_until([&] { return nodes.call(follower, {"SET", "x", "1"}).text == expected; }));
  EXPECT_EQ(nodes.call_until_ok(leader, {"SET", "x", "1"}), kOk);
}

TEST(KvProcess, RefusesWithoutAMajority) {
  KvProcesses nodes(3);
  nodes.start_all();
  const std::size_t leader = nodes.wait_for_leader();
  ASSERT_NE(leader, 0U);
  nodes.kill(leader % 3 + 1);
  nodes.kill((leader + 1) % 3 + 1);
  ASSERT_TRUE(
      wait_until([&] { return info_field(nodes.call(leader, {"INFO"}), "role") != "leader"; }));
  EXPECT_THAT(nodes.call(leader, {"SET", "x", "1"}).text, StartsWith("NOLEADER"));
  EXPECT_THAT(nodes.call(leader, {"GET", "x"}).text, StartsWith("NOLEADER"));
}

TEST(KvProcess, TellsItsEventsOnDescriptorThreeAndStopsCleanly) {
  KvProcesses nodes(1);
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "x", "1"}), kOk);
  nodes.signal(1, SIGTERM);
  EXPECT_EQ(nodes.wait(1), 0);
  std::istringstream lines(nodes.events(1));
  std::int64_t sequence = 0;
  bool led = false;
  for (std::string line; std::getline(lines, line); ++sequence) {
    const boost::json::object event = boost::json::parse(line).as_object();
    EXPECT_EQ(event.at("v").as_int64(), 1);
    EXPECT_EQ(event.at("node").as_string(), "n1");
    EXPECT_EQ(event.at("seq").as_int64(), sequence);
    EXPECT_GT(event.at("time").as_int64(), 0);
    led = led || event.at("event").as_string() == "became-leader";
  }
  EXPECT_TRUE(led);
}

TEST(KvProcess, EndsWithSixtyFourAndOneLineForAWrongCommandLine) {
  const std::string program = std::string(SUNDER_BINARY_DIR) + "/sunder-kv";
  const Arguments good = {program,
                          "--id",
                          "n1",
                          "--listen",
                          "127.0.0.1:1",
                          "--peers",
                          "n1=127.0.0.1:2",
                          "--data-dir",
                          "/tmp/never-made",
                          "--mode",
                          "raft"};
  const auto with = [&good](std::size_t at, const std::string& value) {
    Arguments command = good;
    command.at(at) = value;
    return command;
  };
  Arguments sabotaged = good;
  sabotaged.insert(sabotaged.end(), {"--sabotage", "be-nice"});
  Arguments members = good;
  members.insert(members.end(), {"--members", "n1,n2"});
  Arguments follower = good;
  follower.insert(follower.end(), {"--on-follower", "ignore"});
  for (const Arguments& command : {Arguments{program},
                                   with(2, "node"),
                                   with(4, "nowhere"),
                                   with(6, "n2=127.0.0.1:2"),
                                   with(6, "n1"),
                                   with(10, "paxos"),
                                   with(9, "--moda"),
                                   sabotaged,
                                   members,
                                   follower}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(command, " ")));
    const ExitStatus status = run_program(command);
    EXPECT_EQ(status.code, 64);
    EXPECT_THAT(status.output, StartsWith("sunder-kv: "));
    EXPECT_EQ(std::count(status.output.begin(), status.output.end(), '\n'), 1) << status.output;
  }
}

std::string member_list(const KvProcesses& nodes) {
  const std::size_t leader = nodes.wait_for_leader();
  if (leader == 0) return "no leader";
  const RespValue list = nodes.call(leader, {"MEMBER", "LIST"});
  if (list.kind != RespKind::array || list.items.size() != 2) return list.text;
  return list.items[0].text + " " + list.items[1].text;
}

// At whoever leads, until it is done: a leader may have gone in between.
bool change_member(const KvProcesses& nodes, const std::string& what, const std::string& node) {
  return wait_until([&] {
    const std::size_t leader = nodes.wait_for_leader();
    if (leader == 0) return false;
    const RespValue reply = nodes.call(leader, {"MEMBER", what, node});
    return reply.kind == RespKind::integer || reply.text.starts_with("ERR it is a member already");
  });
}

TEST(KvProcess, ChangesItsMembersWhileItServes) {
  KvProcesses nodes(4, {"--members", "n1,n2,n3", "--snapshot-every", "20"});
  nodes.start_all();
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(nodes.call_until_ok(1, {"SET", key_of(i), std::to_string(i)}), kOk);
  }
  EXPECT_EQ(member_list(nodes), "n1,n2,n3 committed");
  // n4 waits: it knows no leader, and nobody hears of it.
  EXPECT_THAT(nodes.call(4, {"GET", "k1"}).text, StartsWith("NOLEADER"));
  // It gets the snapshot, the entries after it, and a vote.
  ASSERT_TRUE(change_member(nodes, "ADD", "n4"));
  EXPECT_EQ(member_list(nodes), "n1,n2,n3,n4 committed");
  EXPECT_EQ(nodes.call_until_ok(4, {"GET", "k59"}), RespValue::bulk("59"));
  EXPECT_THAT(nodes.events(4), HasSubstr("snapshot-installed"));
  // The leader removes itself, goes on without a vote, and is not missed.
  const std::size_t removed = nodes.wait_for_leader();
  ASSERT_NE(removed, 0U);
  ASSERT_TRUE(change_member(nodes, "REMOVE", fmt::format("n{}", removed)));
  ASSERT_TRUE(wait_until([&] {
    const std::size_t leader = nodes.wait_for_leader();
    return leader != 0 && leader != removed;
  }));
  EXPECT_THAT(member_list(nodes), Not(HasSubstr(fmt::format("n{}", removed))));
  // What the members are is durable, on the removed one, too.
  nodes.kill_all();
  nodes.start_all();
  EXPECT_THAT(member_list(nodes), Not(HasSubstr(fmt::format("n{}", removed))));
  EXPECT_NE(nodes.wait_for_leader(), removed);
  ASSERT_TRUE(change_member(nodes, "ADD", fmt::format("n{}", removed)));
  EXPECT_EQ(member_list(nodes), "n1,n2,n3,n4 committed");
  EXPECT_EQ(nodes.call_until_ok(removed, {"GET", "k59"}), RespValue::bulk("59"));
}

TEST(KvProcess, RefusesChangesOfMembersThatMakeNoSense) {
  KvProcesses nodes(1);
  nodes.start_all();
  ASSERT_EQ(nodes.call_until_ok(1, {"SET", "x", "1"}), kOk);
  for (const Arguments& command : {Arguments{"MEMBER"},
                                   Arguments{"MEMBER", "ADD"},
                                   Arguments{"MEMBER", "ADD", "n7"},
                                   Arguments{"MEMBER", "ADD", "n1"},
                                   Arguments{"MEMBER", "REMOVE", "n1"},
                                   Arguments{"MEMBER", "REMOVE", "everybody"},
                                   Arguments{"MEMBER", "LIST", "n1"}}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(command, " ")));
    EXPECT_THAT(nodes.call(1, command).text, StartsWith("ERR "));
  }
  EXPECT_EQ(member_list(nodes), "n1 committed");
}

}  // namespace
}  // namespace sunder::tests
