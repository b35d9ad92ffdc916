// Service: the life of a node's process, from its first event to its exit code.
//
// One loop in one thread; the log goes to standard error with the node's name; SIGTERM and SIGINT
// stop it cleanly. Exit codes: 0 when told to stop, 1 when it could not run (disk, address in use).
//
// Threading: the caller's thread is the loop.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/base/error.hpp"
#include "nodes/host/event_writer.hpp"

namespace sunder::nodes::host {

class Service {
 public:
  virtual ~Service() = default;
  // Recovers, begins to listen and to work.
  [[nodiscard]] virtual Result<void> start() = 0;

  // After a signal, before stop(): what is better done while everything still works.
  [[nodiscard]] virtual boost::asio::awaitable<void> prepare_stop() { co_return; }

  // Ends every task and writes what waits for the disk; also after a start that failed.
  [[nodiscard]] virtual boost::asio::awaitable<void> stop() = 0;
};

using MakeService =
    std::function<std::unique_ptr<Service>(boost::asio::any_io_executor, EventWriter&)>;

// `id` is the node's name: "n1". Before it: nothing may have opened descriptor 3.
[[nodiscard]] int run_service(const std::string& id, const MakeService& make);

}  // namespace sunder::nodes::host
