#include "tests/cluster/test_cluster.hpp"

#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "harness/base/deadline.hpp"
#include "harness/clock_shim/library.hpp"
#include "tests/cluster/in_universe.hpp"

namespace sunder::tests {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using cluster::Cluster;

constexpr std::uint16_t kPort = 6379;
constexpr std::chrono::seconds kStartLimit{10};
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

awaitable<Result<std::string>> exchange(tcp::socket& connection, std::string line) {
  line += '\n';
  const auto [write_error, written] =
      co_await asio::async_write(connection, asio::buffer(line), kAsTuple);
  if (write_error) co_return make_error(Errc::failed, write_error.message());
  std::string answer;
  auto buffer = asio::dynamic_buffer(answer);
  const auto [read_error, count] =
      co_await asio::async_read_until(connection, std::move(buffer), '\n', kAsTuple);
  if (read_error) co_return make_error(Errc::failed, read_error.message());
  co_return answer.substr(0, count - 1);
}

awaitable<Result<std::string>> connect_and_exchange(tcp::socket& connection,
                                                    tcp::endpoint target,
                                                    std::string line) {
  const auto [error] = co_await connection.async_connect(target, kAsTuple);
  if (error) co_return make_error(Errc::failed, error.message());
  co_return co_await exchange(connection, std::move(line));
}

tcp::endpoint endpoint_of(const Cluster& cluster, std::size_t node) {
  const auto address =
      asio::ip::make_address(cluster.address(static_cast<cluster::Endpoint>(node)));
  return tcp::endpoint(address, kPort);
}

std::string or_silence(const Result<std::string>& answer) {
  if (answer.has_value()) return *answer;
  return is(answer.error(), Errc::timed_out) ? "silence" : answer.error().message();
}

awaitable<void> live(Cluster& cluster, ClusterBody body) {
  for (std::size_t node = 0; node < cluster.nodes(); ++node) {
    const auto started = cluster.start(node);
    EXPECT_TRUE(started.has_value()) << started.error().message();
  }
  try {
    for (std::size_t node = 0; node < cluster.nodes(); ++node) co_await await_answer(cluster, node);
    co_await body(cluster);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  co_await cluster.stop_all(std::chrono::seconds(5));
}

}  // namespace

std::filesystem::path echo_node() {
  return std::filesystem::path(SUNDER_BINARY_DIR) / "tests/cluster/sunder_echo_node";
}

void with_cluster(ClusterShape shape, ClusterBody body) {
  const TemporaryFolder folder;
  asio::io_context loop(1);
  cluster::ClusterOptions options;
  options.nodes = shape.nodes;
  options.clients = shape.clients;
  options.directory = folder.path();
  if (shape.clocks) options.clock_shim = clock_shim::find_library().value();
  if (shape.disks) options.disk_program = std::filesystem::path(SUNDER_BINARY_DIR) / "sunder-disk";
  options.command = [](std::size_t, const std::filesystem::path&) {
    return cluster::NodeCommand{echo_node(), {}, {}};
  };
  auto made = Cluster::create(loop.get_executor(), std::move(options));
  ASSERT_TRUE(made.has_value()) << made.error().message();
  auto life = live(**made, body);
  const auto rethrow = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  asio::co_spawn(loop, std::move(life), rethrow);
  loop.run();
}

awaitable<std::string> ask(Cluster& cluster,
                           std::size_t client,
                           std::size_t node,
                           std::string line,
                           std::chrono::milliseconds limit) {
  auto connection = cluster.client_socket(client);
  if (connection.has_error()) co_return connection.error().message();
  auto talk = connect_and_exchange(*connection, endpoint_of(cluster, node), std::move(line));
  const auto answer = co_await base::with_deadline(std::move(talk), limit);
  co_return or_silence(answer);
}

awaitable<std::string> ask_on(tcp::socket& connection,
                              std::string line,
                              std::chrono::milliseconds limit) {
  auto talk = exchange(connection, std::move(line));
  const auto answer = co_await base::with_deadline(std::move(talk), limit);
  co_return or_silence(answer);
}

awaitable<tcp::socket> connect(Cluster& cluster, std::size_t client, std::size_t node) {
  auto connection = cluster.client_socket(client);
  EXPECT_TRUE(connection.has_value()) << connection.error().message();
  const tcp::endpoint target = endpoint_of(cluster, node);
  const auto [error] = co_await connection->async_connect(target, kAsTuple);
  EXPECT_FALSE(error) << error.message();
  co_return std::move(*connection);
}

awaitable<void> await_answer(Cluster& cluster, std::size_t node) {
  const auto begun = base::MonotonicClock::now();
  while (base::MonotonicClock::now() - begun < kStartLimit) {
    const std::string answer = co_await ask(cluster, 0, node, "echo ready");
    if (answer == "ready") co_return;
    co_await base::pause_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "node " << node + 1 << " does not answer";
}

}  // namespace sunder::tests
