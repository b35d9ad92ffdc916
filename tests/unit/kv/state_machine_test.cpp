#include "nodes/kv/state_machine.hpp"

#include <gtest/gtest.h>

#include "harness/base/random.hpp"

namespace sunder::nodes::kv {
namespace {

using wire::RespKind;
using wire::RespValue;

TEST(KvCommands, AreSortedAndFoundByName) {
  const StateMachine kv;
  for (const CommandInfo& command : kv.commands()) {
    SCOPED_TRACE(command.name);
    EXPECT_EQ(replica::find_command(kv, command.name), &command);
  }
  EXPECT_EQ(replica::find_command(kv, "get"), nullptr);
  EXPECT_EQ(replica::find_command(kv, "ZADD"), nullptr);
}

TEST(KvStateMachine, SetsOnlyWhatTheComparisonAllows) {
  StateMachine kv;
  EXPECT_EQ(kv.execute({"CAS", "x", "1", "2"}), RespValue::error("CASMISMATCH (nil)"));
  EXPECT_EQ(kv.execute({"CAS", "x", "(nil)", "1"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.execute({"CAS", "x", "(nil)", "3"}), RespValue::error("CASMISMATCH 1"));
  EXPECT_EQ(kv.execute({"CAS", "x", "1", "2"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.execute({"GET", "x"}), RespValue::bulk("2"));
}

TEST(KvStateMachine, KeepsTypesApart) {
  StateMachine kv;
  EXPECT_EQ(kv.execute({"RPUSH", "l", "a"}), RespValue::number(1));
  for (const Arguments& command :
       {Arguments{"GET", "l"}, {"INCR", "l"}, {"APPEND", "l", "x"}, {"CAS", "l", "a", "b"}}) {
    SCOPED_TRACE(command.front());
    EXPECT_EQ(kv.execute(command).text.substr(0, 9), "WRONGTYPE");
  }
  EXPECT_EQ(kv.execute({"SET", "l", "text"}), RespValue::simple("OK"));
  EXPECT_EQ(kv.execute({"RPUSH", "l", "a"}).kind, RespKind::error);
  EXPECT_EQ(kv.execute({"LRANGE", "l", "0", "-1"}).kind, RespKind::error);
}

TEST(KvStateMachine, RefusesToCountWhatIsNotANumber) {
  StateMachine kv;
  EXPECT_EQ(kv.execute({"INCR", "c"}), RespValue::number(1));
  for (const char* const value : {"", "one", "1x", "9223372036854775807"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(kv.execute({"SET", "c", value}), RespValue::simple("OK"));
    EXPECT_EQ(kv.execute({"INCR", "c"}).kind, RespKind::error);
    EXPECT_EQ(kv.execute({"GET", "c"}), RespValue::bulk(value));
  }
}

TEST(KvStateMachine, CutsRangesAsRedisDoes) {
  StateMachine kv;
  (void)kv.execute({"RPUSH", "l", "a", "b", "c"});
  const auto range = [&kv](const char* first, const char* last) {
    std::string joined;
    for (const RespValue& item : kv.execute({"LRANGE", "l", first, last}).items)
      joined += item.text;
    return joined;
  };
  EXPECT_EQ(range("0", "-1"), "abc");
  EXPECT_EQ(range("-2", "9"), "bc");
  EXPECT_EQ(range("-9", "0"), "a");
  EXPECT_EQ(range("2", "1"), "");
  EXPECT_EQ(range("5", "9"), "");
  EXPECT_EQ(kv.execute({"LRANGE", "l", "x", "1"}).kind, RespKind::error);
}

TEST(KvSnapshot, CarriesKeysOver) {
  base::Random random(5);
  StateMachine kv;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(random.below(20));
    const std::string value = std::to_string(random.below(1000));
    (void)kv.execute(random.chance(0.5) ? Arguments{"SET", key, value}
                                        : Arguments{"RPUSH", "l" + key, value});
  }
  StateMachine restored;
  ASSERT_TRUE(restored.load(kv.save()).has_value());
  EXPECT_EQ(restored.save(), kv.save());
  EXPECT_EQ(restored.read({"LRANGE", "lk3", "0", "-1"}), kv.read({"LRANGE", "lk3", "0", "-1"}));
}

TEST(KvSnapshot, RefusesBytesThatAreNotAState) {
  StateMachine machine;
  EXPECT_TRUE(machine.load("\xff\xff not a state").has_error());
}

}  // namespace
}  // namespace sunder::nodes::kv
