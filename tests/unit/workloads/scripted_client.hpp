// ScriptedClient: answers with what the test says and keeps the command.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "workloads/client.hpp"

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

}  // namespace sunder::workloads
