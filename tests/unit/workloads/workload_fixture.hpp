// WorkloadFixture: runs a workload's operations against a client that answers with what the test
// says and keeps the command.

#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "workloads/client.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {

class ScriptedClient final : public Client {
 public:
  boost::asio::awaitable<Reply> call(std::vector<std::string> command) override {
    last_command = std::move(command);
    co_return reply;
  }

  void close() override {}

  Reply reply;
  std::vector<std::string> last_command;
};

class WorkloadFixture : public ::testing::Test {
 protected:
  Completion run(Workload& workload, Invocation invocation, Reply reply) {
    client.reply = std::move(reply);
    Completion completion;
    boost::asio::io_context loop;
    auto task = workload.invoke(client, std::move(invocation), pool);
    auto keep = [&](const std::exception_ptr& error, Completion result) {
      if (error) std::rethrow_exception(error);
      completion = std::move(result);
    };
    boost::asio::co_spawn(loop, std::move(task), std::move(keep));
    loop.run();
    return completion;
  }

  static Reply ok(wire::RespValue value) {
    return {history::Outcome::ok, std::move(value), "", "n2"};
  }

  static Reply failed(std::string error) {
    return {history::Outcome::fail, {}, std::move(error), "n1"};
  }

  history::ValuePool pool;
  ScriptedClient client;
};

}  // namespace sunder::workloads
