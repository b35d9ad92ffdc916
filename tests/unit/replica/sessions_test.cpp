#include "nodes/replica/sessions.hpp"

#include <array>

#include <gtest/gtest.h>

namespace sunder::nodes::replica {
namespace {

using wire::RespValue;

// One number that INCR raises.
class Counter final : public Machine {
 public:
  [[nodiscard]] std::span<const CommandInfo> commands() const override {
    static constexpr std::array kAll{
        CommandInfo{"GET", CommandKind::read, 1, 1},
        CommandInfo{"INCR", CommandKind::write, 1, 1},
    };
    return kAll;
  }

  [[nodiscard]] RespValue execute(const Arguments& command) override {
    if (command.front() == "INCR") ++value_;
    return RespValue::number(value_);
  }

  [[nodiscard]] RespValue read(const Arguments&) const override {
    return RespValue::number(value_);
  }

  [[nodiscard]] std::string save() const override { return std::to_string(value_); }

  [[nodiscard]] Result<void> load(std::string_view bytes) override {
    value_ = std::stoll(std::string(bytes));
    return {};
  }

  [[nodiscard]] std::vector<std::pair<std::string_view, std::size_t>> counts() const override {
    return {};
  }

 private:
  std::int64_t value_ = 0;
};

std::string proposal(const std::vector<Arguments>& commands,
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

// Sessions that number the entries themselves.
class Applied {
 public:
  explicit Applied(Sessions::Options options = {})
      : sessions(std::make_unique<Counter>(), options) {}

  RespValue run(const Arguments& command) { return sessions.apply(++index, proposal({command})); }

  RespValue run(std::uint64_t session, std::uint64_t sequence, const Arguments& command) {
    return sessions.apply(++index, proposal({command}, session, sequence));
  }

  // The new session's id.
  std::uint64_t open() {
    proto::Proposal out;
    out.set_open_session(true);
    const RespValue reply = sessions.apply(++index, out.SerializeAsString());
    return static_cast<std::uint64_t>(reply.integer);
  }

  Sessions sessions;
  std::uint64_t index = 0;
};

TEST(Sessions, AnswerARetryWithoutApplyingItAgain) {
  Applied counter;
  const auto session = counter.open();
  EXPECT_EQ(session, counter.index);
  EXPECT_EQ(counter.run(session, 1, {"INCR"}), RespValue::number(1));
  EXPECT_EQ(counter.run(session, 1, {"INCR"}), RespValue::number(1));
  EXPECT_EQ(counter.run(session, 3, {"INCR"}), RespValue::number(2));
  EXPECT_EQ(counter.run(session, 2, {"INCR"}).text.substr(0, 8), "STALESEQ");
  EXPECT_EQ(counter.run(session + 7, 1, {"INCR"}).text.substr(0, 9), "NOSESSION");
  EXPECT_EQ(counter.run({"GET"}), RespValue::number(2));
}

TEST(Sessions, ApplyRetriesAgainUnderTheSabotage) {
  Applied counter(Sessions::Options{.ignore = true});
  EXPECT_EQ(counter.run(1, 1, {"INCR"}), RespValue::number(1));
  EXPECT_EQ(counter.run(1, 1, {"INCR"}), RespValue::number(2));
}

TEST(Sessions, EndTheLeastRecentlyUsedWhenThereAreTooMany) {
  Applied counter;
  for (std::size_t i = 0; i < Sessions::kSessionsMax; ++i) counter.open();
  EXPECT_EQ(counter.run(1, 1, {"INCR"}), RespValue::number(1));
  counter.open();
  EXPECT_EQ(counter.sessions.count(), Sessions::kSessionsMax);
  EXPECT_EQ(counter.run(2, 1, {"INCR"}).text.substr(0, 9), "NOSESSION");
  EXPECT_EQ(counter.run(1, 2, {"INCR"}), RespValue::number(2));
}

TEST(Sessions, AreCarriedOverBySnapshots) {
  Applied counter;
  const auto session = counter.open();
  const RespValue before = counter.run(session, 1, {"INCR"});
  Sessions restored(std::make_unique<Counter>(), {});
  ASSERT_TRUE(restored.load(counter.sessions.snapshot()).has_value());
  EXPECT_EQ(restored.snapshot(), counter.sessions.snapshot());
  EXPECT_EQ(restored.apply(++counter.index, proposal({{"INCR"}}, session, 1)), before);
  EXPECT_EQ(restored.machine().read({"GET"}), RespValue::number(1));
}

TEST(Sessions, RefuseBytesThatAreNotAState) {
  Sessions sessions(std::make_unique<Counter>(), {});
  EXPECT_TRUE(sessions.load("\xff\xff not a state").has_error());
}

TEST(Sessions, AnswerEveryCommandOfATransaction) {
  Applied counter;
  const RespValue reply = counter.sessions.apply(1, proposal({{"INCR"}, {"GET"}, {"INCR"}}));
  EXPECT_EQ(reply,
            RespValue::array({RespValue::number(1), RespValue::number(1), RespValue::number(2)}));
}

}  // namespace
}  // namespace sunder::nodes::replica
