// Control: how `sunder fault`, `heal` and `status` reach the cluster of a `sunder up`.
//
// A Unix socket named "control" in the run's directory, readable by its owner alone. A client sends
// one JSON object a line and gets one JSON object a line back; both carry "v":1. A reply has
// "ok":true, or "ok":false with "error" (one sentence) and "code" (the exit code that fits). Any
// number of requests on a connection, several connections at once.
//
// Paths are opened through a descriptor of their directory, because a socket's address holds 107
// bytes only.
//
// Threading: ControlServer lives on the loop and blocks nothing; ask() is synchronous, for programs
// that do nothing else. Errors: a connection that breaks the protocol is answered and closed.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "harness/base/error.hpp"

namespace sunder::run {

constexpr int kControlVersion = 1;
constexpr std::string_view kControlName = "control";
// Set for the command beside the cluster: the path of its socket.
constexpr const char* kControlVariable = "SUNDER_CONTROL";

// Answers one request; may wait. An error becomes a reply with its exit code.
using ControlHandler =
    std::function<boost::asio::awaitable<Result<boost::json::object>>(boost::json::object)>;

class ControlServer {
 public:
  // Makes the socket and answers until close(). The socket's file goes with this object.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> listen(
      boost::asio::any_io_executor executor,
      const std::filesystem::path& path,
      ControlHandler handler);
  virtual ~ControlServer() = default;
  // Ends every connection; await it before destruction.
  [[nodiscard]] virtual boost::asio::awaitable<void> close() = 0;
};

// Sends one request and waits for the reply's object, which says ok. Errors: what the reply says;
// Errc::failed when nobody answers in time.
[[nodiscard]] Result<boost::json::object> ask(const std::filesystem::path& path,
                                              boost::json::object request,
                                              std::chrono::seconds limit);

// The socket of the cluster that is meant: of `directory` when given, else $SUNDER_CONTROL, else
// runs/latest. Errc::usage when there is no cluster.
[[nodiscard]] Result<std::filesystem::path> find_control(const std::filesystem::path& directory);

}  // namespace sunder::run
