// The client driver against scripted nodes on loopback: what it retries, where it goes, how it
// calls the outcome.

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/task_group.hpp"
#include "nodes/host/resp_server.hpp"
#include "workloads/client.hpp"

namespace sunder::workloads {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using history::Outcome;
using wire::RespValue;

using Arguments = std::vector<std::string>;
// The reply to a request; none: silence.
using Script = std::function<std::optional<RespValue>(const Arguments&)>;

// A loopback address of this process alone, so that no other test's connection takes a port between
// choosing and listening.
asio::ip::address_v4 own_address() {
  return asio::ip::address_v4(0x7f000001U | (static_cast<unsigned>(::getpid()) & 0xffffU) << 8);
}

class ScriptedHandler final : public nodes::host::RequestHandler {
 public:
  explicit ScriptedHandler(const Script& script) : script_(script) {}

  void handle(Arguments arguments, nodes::host::ReplySlot reply) override {
    if (const auto value = script_(arguments)) reply.answer(*value);
  }

 private:
  const Script& script_;
};

bool is_open(const Arguments& arguments) {
  return arguments == Arguments{"SESSION", "OPEN"};
}

class RespClientTest : public ::testing::Test {
 protected:
  // Adds a node that answers by the script; SESSION OPEN is answered with `session_` unless the
  // script does.
  void add_node(Script script) {
    const std::size_t node = requests_.size();
    requests_.emplace_back();
    scripts_.push_back(std::make_unique<Script>([this, node, script](const Arguments& arguments) {
      requests_[node].push_back(arguments);
      return is_open(arguments) ? RespValue::number(session_++) : script(arguments);
    }));
    const Script& stored = *scripts_.back();
    servers_.push_back(
        std::make_unique<nodes::host::RespServer>(loop_.get_executor(), tasks_, [&stored] {
          return std::make_unique<ScriptedHandler>(stored);
        }));
    const auto address = own_address();
    tcp::acceptor probe(loop_, tcp::endpoint(address, 0));
    const tcp::endpoint endpoint = probe.local_endpoint();
    probe.close();
    ASSERT_TRUE(servers_.back()->listen(endpoint).has_value());
    options_.nodes.push_back(endpoint);
    options_.node_names.push_back("n" + std::to_string(node + 1));
  }

  // Runs the commands one after the other through one client.
  std::vector<Reply> call_all(std::vector<Arguments> commands) {
    options_.connector = [this]() -> Result<tcp::socket> { return tcp::socket(loop_); };
    const std::unique_ptr<Client> client = make_resp_client(options_);
    std::vector<Reply> replies;
    auto task = run(*client, std::move(commands), replies);
    auto rethrow = [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    };
    asio::co_spawn(loop_, std::move(task), std::move(rethrow));
    loop_.run();
    return replies;
  }

  Reply call(Arguments command) {
    return call_all(std::vector<Arguments>{std::move(command)}).front();
  }

  asio::awaitable<void> run(Client& client,
                            std::vector<Arguments> commands,
                            std::vector<Reply>& replies) {
    for (Arguments& command : commands) {
      Reply reply = co_await client.call(std::move(command));
      replies.push_back(std::move(reply));
    }
    client.close();
    co_await tasks_.close();
  }

  asio::io_context loop_;
  base::TaskGroup tasks_{loop_.get_executor()};
  ClientOptions options_;
  std::int64_t session_ = 41;
  std::vector<std::unique_ptr<Script>> scripts_;
  std::vector<std::unique_ptr<nodes::host::RespServer>> servers_;
  std::vector<std::vector<Arguments>> requests_;  // of each node
};

std::optional<RespValue> ok(const Arguments&) {
  return RespValue::simple("OK");
}

Script always(RespValue value) {
  return [value](const Arguments&) { return value; };
}

std::optional<RespValue> silence(const Arguments&) {
  return std::nullopt;
}

TEST_F(RespClientTest, OpensASessionOnceAndNumbersItsWrites) {
  add_node(ok);
  const auto replies = call_all({{"SET", "x", "1"}, {"GET", "x"}, {"CAS", "x", "1", "2"}});
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.outcome, Outcome::ok);
    EXPECT_EQ(reply.node, "n1");
  }
  const std::vector<Arguments> expected = {{"SESSION", "OPEN"},
                                           {"SEQ", "41", "1", "SET", "x", "1"},
                                           {"GET", "x"},
                                           {"SEQ", "41", "2", "CAS", "x", "1", "2"}};
  EXPECT_EQ(requests_[0], expected);
}

TEST_F(RespClientTest, TakesADefiniteErrorForTheAnswer) {
  add_node(always(RespValue::error("CASMISMATCH 5")));
  const Reply reply = call({"CAS", "x", "1", "2"});
  EXPECT_EQ(reply.outcome, Outcome::fail);
  EXPECT_EQ(reply.error, "CASMISMATCH 5");
}

TEST_F(RespClientTest, FollowsTheHintToTheLeader) {
  add_node(always(RespValue::error("NOTLEADER n3")));
  add_node(ok);
  add_node(ok);
  const Reply reply = call({"SET", "x", "1"});
  EXPECT_EQ(reply.outcome, Outcome::ok);
  EXPECT_EQ(reply.node, "n3");
  EXPECT_TRUE(requests_[1].empty());
}

TEST_F(RespClientTest, RetriesUnderTheSameNumberWhenANodeIsSilent) {
  options_.attempt_deadline = std::chrono::milliseconds(50);
  add_node(silence);
  add_node(ok);
  const Reply reply = call({"SET", "x", "1"});
  EXPECT_EQ(reply.outcome, Outcome::ok);
  EXPECT_EQ(reply.node, "n2");
  // At least once: a busy machine may let an answer of n2 come too late as well.
  ASSERT_FALSE(requests_[1].empty());
  EXPECT_EQ(requests_[0].back(), requests_[1].front());
  EXPECT_EQ(requests_[1].back(), requests_[1].front());
}

// Nobody would notice that it came twice.
TEST_F(RespClientTest, WithoutSessionsRetriesOnlyWhatCertainlyHadNoEffect) {
  options_.sessions = false;
  options_.attempt_deadline = std::chrono::milliseconds(50);
  add_node(silence);
  add_node(ok);
  const auto replies = call_all({{"SET", "x", "1"}, {"GET", "x"}});
  EXPECT_EQ(replies[0].outcome, Outcome::info);
  EXPECT_EQ(replies[1].outcome, Outcome::ok);
  EXPECT_EQ(replies[1].node, "n2");
  EXPECT_EQ(requests_[0].front(), (Arguments{"SET", "x", "1"}));
  EXPECT_EQ(requests_[1], (std::vector<Arguments>{{"GET", "x"}}));
}

TEST_F(RespClientTest, WithoutSessionsGoesOnAfterADefiniteRefusal) {
  options_.sessions = false;
  add_node(always(RespValue::error("NOQUORUM")));
  add_node(ok);
  const Reply reply = call({"SET", "x", "1"});
  EXPECT_EQ(reply.outcome, Outcome::ok);
  EXPECT_EQ(reply.node, "n2");
}

TEST_F(RespClientTest, GoesOnWhenANodeIsDown) {
  add_node(ok);
  add_node(ok);
  options_.nodes[0] = tcp::endpoint(own_address(), 1);
  const Reply reply = call({"SET", "x", "1"});
  EXPECT_EQ(reply.outcome, Outcome::ok);
  EXPECT_EQ(reply.node, "n2");
}

TEST_F(RespClientTest, CallsAnOperationFailedOnlyWhenEveryAttemptWasRefused) {
  options_.operation_deadline = std::chrono::milliseconds(150);
  add_node(always(RespValue::error("NOLEADER none")));
  add_node(always(RespValue::error("OVERLOADED")));
  EXPECT_EQ(call({"SET", "x", "1"}).outcome, Outcome::fail);
}

TEST_F(RespClientTest, CallsAnOperationInfoWhenOneAttemptMayHaveBeenApplied) {
  options_.operation_deadline = std::chrono::milliseconds(150);
  bool first = true;
  add_node([&first](const Arguments&) {
    return RespValue::error(std::exchange(first, false) ? "LEADERLOST" : "NOLEADER none");
  });
  const Reply reply = call({"SET", "x", "1"});
  EXPECT_EQ(reply.outcome, Outcome::info);
  EXPECT_EQ(reply.error, "NOLEADER none");
}

TEST_F(RespClientTest, CallsSilenceInfoForReadsAsWell) {
  options_.operation_deadline = std::chrono::milliseconds(80);
  add_node(silence);
  const Reply reply = call({"GET", "x"});
  EXPECT_EQ(reply.outcome, Outcome::info);
  EXPECT_EQ(reply.error, "timeout");
}

TEST_F(RespClientTest, OpensANewSessionWhenItsOwnIsGone) {
  add_node([](const Arguments& arguments) {
    return arguments[1] == "41" ? RespValue::error("NOSESSION") : RespValue::simple("OK");
  });
  EXPECT_EQ(call({"SET", "x", "1"}).outcome, Outcome::ok);
  EXPECT_EQ(requests_[0].back(), (Arguments{"SEQ", "42", "1", "SET", "x", "1"}));
}

TEST_F(RespClientTest, DoesNotTakeALostSessionForAFailureOnceAnAttemptWasOpen) {
  bool first = true;
  add_node([&first](const Arguments&) {
    return RespValue::error(std::exchange(first, false) ? "TIMEOUT" : "NOSESSION");
  });
  EXPECT_EQ(call({"SET", "x", "1"}).outcome, Outcome::info);
}

TEST_F(RespClientTest, NeverLeavesItsNodeWhenToldToStay) {
  options_.operation_deadline = std::chrono::milliseconds(100);
  options_.stay_pinned = true;
  add_node(always(RespValue::error("NOTLEADER n2")));
  add_node(ok);
  EXPECT_EQ(call({"SET", "x", "1"}).outcome, Outcome::fail);
  EXPECT_TRUE(requests_[1].empty());
}

}  // namespace
}  // namespace sunder::workloads
