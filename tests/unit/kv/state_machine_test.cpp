#include "nodes/kv/state_machine.hpp"

#include <gtest/gtest.h>

#include "harness/base/random.hpp"

namespace sunder::nodes::kv {
namespace {

using wire::RespKind;
using wire::RespValue;

std::string proposal(std::vector<Arguments> commands,
                     std::uint64_t session = 0,
                     std::uint64_t sequence = 0) {
  proto::Proposal out;
  out.set_session(session);
  out.set_sequence(sequence);
  out.set_transaction(commands.size() > 1);
  for (const Arguments& command : commands) {
    proto::Command& to = *out.add_commands();
    for (const std::string& argument : command) to.add_arguments(argument);
  }
  return out.SerializeAsString();
}

std::string open_session() {
  proto::Proposal out;
  out.set_open_session(true);
  return out.SerializeAsString();
}

// A state machine that numbers the entries itself.
class Applied {
 public:
  explicit Applied(StateMachine::Options options = {}) : machine(options) {}

  RespValue run(Arguments command) {
    return machine.apply(++index, proposal({std::move(command)}));
  }

  RespValue run(std::uint64_t session, std::uint64_t sequence, Arguments command) {
    return machine.apply(++index, proposal({std::move(command)}, session, sequence));
  }

  // The new session's id.
  std::uint64_t open() {
    const RespValue reply = machine.apply(++index, open_session());
    return static_cast<std::uint64_t>(reply.integer);
  }

  StateMachine machine;
  std::uint64_t index = 0;
};

TEST(KvCommands, AreSortedAndFoundByName) {
  for (const char* const name : {"APPEND", "CAS", "DEL", "GET", "INCR", "LRANGE", "RPUSH", "SET"}) {
    SCOPED_TRACE(name);
    ASSERT_NE(find_command(name), nullptr);
    EXPECT_EQ(find_command(name)->name, name);
  }
  EXPECT_EQ(find_command("get"), nullptr);
  EXPECT_EQ(find_command("ZADD"), nullptr);
}

TEST(KvStateMachine, SetsOnlyWhatTheComparisonAllows) {
  Applied kv;
  EXPECT_EQ(kv.run({"CAS", "x", "1", "2"}), RespValue::error("CASMISMATCH (nil)"));
  EXPECT_EQ(kv.run({"CAS", "x", "(nil)", "1"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.run({"CAS", "x", "(nil)", "3"}), RespValue::error("CASMISMATCH 1"));
  EXPECT_EQ(kv.run({"CAS", "x", "1", "2"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.run({"GET", "x"}), RespValue::bulk("2"));
}

TEST(KvStateMachine, KeepsTypesApart) {
  Applied kv;
  EXPECT_EQ(kv.run({"RPUSH", "l", "a"}), RespValue::number(1));
  for (const Arguments& command :
       {Arguments{"GET", "l"}, {"INCR", "l"}, {"APPEND", "l", "x"}, {"CAS", "l", "a", "b"}}) {
    SCOPED_TRACE(command.front());
    EXPECT_EQ(kv.run(command).text.substr(0, 9), "WRONGTYPE");
  }
  EXPECT_EQ(kv.run({"SET", "l", "text"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.run({"RPUSH", "l", "a"}).kind, RespKind::error);
  EXPECT_EQ(kv.run({"LRANGE", "l", "0", "-1"}).kind, RespKind::error);
}

TEST(KvStateMachine, RefusesToCountWhatIsNotANumber) {
  Applied kv;
  EXPECT_EQ(kv.run({"INCR", "c"}), RespValue::number(1));
  for (const char* const value : {"", "one", "1x", "9223372036854775807"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(kv.run({"SET", "c", value}), RespValue::simple("OK"));
    EXPECT_EQ(kv.run({"INCR", "c"}).kind, RespKind::error);
    EXPECT_EQ(kv.run({"GET", "c"}), RespValue::bulk(value));
  }
}

TEST(KvStateMachine, CutsRangesAsRedisDoes) {
  Applied kv;
  kv.run({"RPUSH", "l", "a", "b", "c"});
  const auto range = [&kv](const char* first, const char* last) {
    std::string joined;
    for (const RespValue& item : kv.run({"LRANGE", "l", first, last}).items) joined += item.text;
    return joined;
  };
  EXPECT_EQ(range("0", "-1"), "abc");
  EXPECT_EQ(range("-2", "9"), "bc");
  EXPECT_EQ(range("-9", "0"), "a");
  EXPECT_EQ(range("2", "1"), "");
  EXPECT_EQ(range("5", "9"), "");
  EXPECT_EQ(kv.run({"LRANGE", "l", "x", "1"}).kind, RespKind::error);
}

TEST(KvSessions, AnswerARetryWithoutApplyingItAgain) {
  Applied kv;
  const auto session = kv.open();
  EXPECT_EQ(session, kv.index);
  EXPECT_EQ(kv.run(session, 1, {"INCR", "c"}), RespValue::number(1));
  EXPECT_EQ(kv.run(session, 1, {"INCR", "c"}), RespValue::number(1));
  EXPECT_EQ(kv.run(session, 3, {"INCR", "c"}), RespValue::number(2));
  EXPECT_EQ(kv.run(session, 2, {"INCR", "c"}).text.substr(0, 8), "STALESEQ");
  EXPECT_EQ(kv.run(session + 7, 1, {"INCR", "c"}).text.substr(0, 9), "NOSESSION");
  EXPECT_EQ(kv.run({"GET", "c"}), RespValue::bulk("2"));
}

TEST(KvSessions, ApplyRetriesAgainUnderTheSabotage) {
  Applied kv(StateMachine::Options{.ignore_sessions = true});
  EXPECT_EQ(kv.run(1, 1, {"INCR", "c"}), RespValue::number(1));
  EXPECT_EQ(kv.run(1, 1, {"INCR", "c"}), RespValue::number(2));
}

TEST(KvSessions, EndTheLeastRecentlyUsedWhenThereAreTooMany) {
  Applied kv;
  for (std::size_t i = 0; i < StateMachine::kSessionsMax; ++i) kv.open();
  EXPECT_EQ(kv.run(1, 1, {"INCR", "c"}), RespValue::number(1));
  kv.open();
  EXPECT_EQ(kv.machine.session_count(), StateMachine::kSessionsMax);
  EXPECT_EQ(kv.run(2, 1, {"INCR", "c"}).text.substr(0, 9), "NOSESSION");
  EXPECT_EQ(kv.run(1, 2, {"INCR", "c"}), RespValue::number(2));
}

TEST(KvSnapshot, CarriesKeysAndSessionsOver) {
  base::Random random(5);
  Applied kv;
  const auto session = kv.open();
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(random.below(20));
    const std::string value = std::to_string(random.below(1000));
    kv.run(random.chance(0.5) ? Arguments{"SET", key, value}
                              : Arguments{"RPUSH", "l" + key, value});
  }
  const RespValue before = kv.run(session, 1, {"CAS", "none", "1", "2"});
  StateMachine restored;
  ASSERT_TRUE(restored.load(kv.machine.snapshot()).has_value());
  EXPECT_EQ(restored.snapshot(), kv.machine.snapshot());
  EXPECT_EQ(restored.apply(++kv.index, proposal({{"CAS", "none", "1", "2"}}, session, 1)), before);
  EXPECT_EQ(restored.read({"LRANGE", "lk3", "0", "-1"}),
            kv.machine.read({"LRANGE", "lk3", "0", "-1"}));
}

TEST(KvSnapshot, RefusesBytesThatAreNotAState) {
  StateMachine machine;
  EXPECT_TRUE(machine.load("\xff\xff not a state").has_error());
}

TEST(KvTransactions, AnswerEveryCommandOfTheEntry) {
  StateMachine machine;
  const RespValue reply = machine.apply(
      1, proposal({{"SET", "a", "1"}, {"INCR", "a"}, {"CAS", "a", "7", "8"}, {"GET", "a"}}));
  const RespValue expected = RespValue::array({RespValue::simple("OK"),
                                               RespValue::number(2),
                                               RespValue::error("CASMISMATCH 2"),
                                               RespValue::bulk("2")});
  EXPECT_EQ(reply, expected);
}

}  // namespace
}  // namespace sunder::nodes::kv
