// with_cluster: a running cluster of small echo nodes inside a universe, for tests of what acts on
// one.
//
//   in_universe(GetParam(), [] { with_cluster({.nodes = 3}, &cut_and_heal); });
//   awaitable<void> cut_and_heal(Cluster& cluster) { EXPECT_EQ(co_await ask(cluster, 0, 1, "echo
//   hi"), "hi"); … }
//
// Bodies are free functions: no lambda may capture near co_await (g++ 12 rule).

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/cluster/cluster.hpp"

namespace sunder::tests {

struct ClusterShape {
  std::size_t nodes = 3;
  std::size_t clients = 2;
  bool clocks = false;  // nodes run with the clock shim
  bool disks = false;   // under each node's data directory, one that can fail
};

using ClusterBody = boost::asio::awaitable<void> (*)(cluster::Cluster& cluster);

// The node's program (tests/cluster/echo_node.cpp says what it answers).
[[nodiscard]] std::filesystem::path echo_node();

// Starts every node, waits until all answer, runs `body`, stops all. Precondition: inside a
// universe.
void with_cluster(ClusterShape shape, ClusterBody body);

// Asks a node as a client on a fresh connection; "silence" when there is no answer within `limit`.
[[nodiscard]] boost::asio::awaitable<std::string> ask(
    cluster::Cluster& cluster,
    std::size_t client,
    std::size_t node,
    std::string line,
    std::chrono::milliseconds limit = std::chrono::milliseconds(5000));

// The same on a connection that stands.
[[nodiscard]] boost::asio::awaitable<std::string> ask_on(boost::asio::ip::tcp::socket& connection,
                                                         std::string line,
                                                         std::chrono::milliseconds limit);

// Connects a client to a node; fails the test when it cannot.
[[nodiscard]] boost::asio::awaitable<boost::asio::ip::tcp::socket> connect(
    cluster::Cluster& cluster, std::size_t client, std::size_t node);

// Asks until the node answers, or fails the test.
[[nodiscard]] boost::asio::awaitable<void> await_answer(cluster::Cluster& cluster,
                                                        std::size_t node);

}  // namespace sunder::tests
