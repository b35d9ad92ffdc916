// RespServer: answers clients over RESP, many requests of a connection in flight, replies in the
// order of requests.
//
// Each connection has a RequestHandler of its own; it answers through a ReplySlot, now or later,
// from the loop. A connection that has too many requests waiting, or does not read its replies, is
// not read from until it catches up.
//
// Threading: the loop. Errors: a failing connection is closed; accepting goes on.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"
#include "harness/wire/resp.hpp"

namespace sunder::nodes::host {

class Connection;

// Where the answer to one request goes. Copyable; answered at most once; outliving the connection
// is harmless.
class ReplySlot {
 public:
  ReplySlot() = default;

  ReplySlot(std::weak_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}

  void answer(const wire::RespValue& reply) const;
  // Answers and closes the connection once the reply is written.
  void answer_and_close(const wire::RespValue& reply) const;

 private:
  std::weak_ptr<Connection> connection_;
  std::uint64_t number_ = 0;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void handle(std::vector<std::string> arguments, ReplySlot reply) = 0;
};

using HandlerFactory = std::function<std::unique_ptr<RequestHandler>()>;

class RespServer {
 public:
  // `group` owns the connections' tasks and is closed before this object goes.
  RespServer(boost::asio::any_io_executor executor, base::TaskGroup& group, HandlerFactory factory);

  // Binds and begins to accept.
  [[nodiscard]] Result<void> listen(const boost::asio::ip::tcp::endpoint& endpoint);

 private:
  boost::asio::awaitable<void> accept_clients();

  base::TaskGroup& group_;
  HandlerFactory factory_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

// Opens, binds and listens; the address is reusable at once after a restart.
[[nodiscard]] Result<void> open_acceptor(boost::asio::ip::tcp::acceptor& acceptor,
                                         const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace sunder::nodes::host
