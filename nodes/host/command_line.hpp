// The command line that every node program understands, and the endpoints in it.
//
//   --id n1 --listen 10.0.0.1:6379 --peers n1=10.0.0.1:7000,n2=10.0.0.2:7000 --data-dir DIR --mode
//   raft
//   --seed 7 --tick 20ms --sabotage NAME
// --peers names every node with the address it answers peers on, this one included. A program adds
// its own flags. What is wrong is said in one line and ends with exit code 64.
//
// Threading: values.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "harness/base/error.hpp"

namespace CLI {
class App;
}

namespace sunder::nodes::host {

using Endpoint = boost::asio::ip::tcp::endpoint;

struct HostOptions {
  std::string id;                           // "n1"
  std::uint32_t number = 0;                 // 1
  Endpoint listen;                          // for clients
  std::map<std::uint32_t, Endpoint> peers;  // by number; includes this node
  std::filesystem::path data_directory;
  std::string mode;
  std::uint64_t seed = 0;
  std::chrono::nanoseconds tick = std::chrono::milliseconds(20);
  std::string sabotage;  // empty: none
};

// `more` adds the program's own flags. An empty id: --help was asked for and has been printed.
[[nodiscard]] Result<HostOptions> parse_command_line(int argc,
                                                     const char* const* argv,
                                                     const std::function<void(CLI::App&)>& more);

// "n3" ↔ 3.
[[nodiscard]] Result<std::uint32_t> parse_node_name(std::string_view name);
[[nodiscard]] std::string node_name(std::uint32_t number);
// "10.0.0.1:7000": a numeric IPv4 address and a port.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
// "n1=10.0.0.1:7000,n2=…"
[[nodiscard]] Result<std::map<std::uint32_t, Endpoint>> parse_peers(std::string_view text);

}  // namespace sunder::nodes::host
