// Client: one logical user of the cluster, with retries on other nodes inside one operation's
// deadline.
//
// A client has a session (SESSION OPEN) and numbers its commands (SEQ), so that a retry of the same
// operation takes effect once; where nodes know no sessions, nothing that may have taken effect is
// retried. call() tries the pinned node first, then the others, with the same
// session and number, until a definite reply or the deadline. Whether an error is definite is the
// wire table's word (harness/wire). Where sockets come from is the caller's business (Connector),
// so that a client works in a cluster's namespace and on plain loopback alike.
//
// Threading: the run's single thread; one call in flight.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/base/error.hpp"
#include "harness/history/operation.hpp"
#include "harness/wire/resp.hpp"

namespace sunder::workloads {

// A fresh, unconnected socket on this client's address.
using Connector = std::function<Result<boost::asio::ip::tcp::socket>()>;

struct ClientOptions {
  Connector connector;
  std::vector<boost::asio::ip::tcp::endpoint> nodes;  // in the order of node numbers
  std::vector<std::string> node_names;                // "n1" …
  std::size_t pinned = 0;                             // the node tried first
  bool stay_pinned = false;                           // never try another node
  // The nodes know sessions. Without, a command that changes something is not tried again once it
  // may have taken effect: nobody would notice that it came twice.
  bool sessions = true;
  std::chrono::nanoseconds operation_deadline = std::chrono::seconds(2);
  std::chrono::nanoseconds connect_deadline = std::chrono::milliseconds(500);
  std::chrono::nanoseconds attempt_deadline = std::chrono::milliseconds(700);
};

struct Reply {
  history::Outcome outcome = history::Outcome::info;
  wire::RespValue value;  // when ok
  std::string error;      // otherwise: "LEADERUNKNOWN no leader", "timeout", …
  std::string node;       // who answered last
};

class Client {
 public:
  virtual ~Client() = default;
  // Runs one command ({"SET","x","1"}) exactly once in effect.
  [[nodiscard]] virtual boost::asio::awaitable<Reply> call(std::vector<std::string> command) = 0;
  // Closes connections; a client that got info is retired this way and its successor is a new
  // object.
  virtual void close() = 0;
};

[[nodiscard]] std::unique_ptr<Client> make_resp_client(ClientOptions options);

}  // namespace sunder::workloads
