#include "nodes/host/peer_transport.hpp"

#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>

#include "harness/base/assert.hpp"
#include "harness/base/deadline.hpp"
#include "nodes/host/resp_server.hpp"

namespace sunder::nodes::host {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kQueueBytesMax = std::size_t{16} << 20;
constexpr std::chrono::milliseconds kSilenceMax{300};
constexpr std::chrono::milliseconds kConnectMax{150};
constexpr std::chrono::milliseconds kReconnectPause{50};
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;

void append_frame(std::string& out, const std::string& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(size >> shift));
  out.append(frame);
}

asio::awaitable<Result<void>> connect(tcp::socket& socket, tcp::endpoint endpoint) {
  const auto [error] = co_await socket.async_connect(endpoint, kAwaitTuple);
  if (!error) co_return Result<void>();
  Error failed;
  failed.code = error;
  co_return failed;
}

// The next frame, or nothing when the connection is over.
asio::awaitable<std::optional<std::string>> read_frame(tcp::socket& socket) {
  std::array<unsigned char, 4> header{};
  const auto header_space = asio::buffer(header);
  const auto [error, read] = co_await asio::async_read(socket, header_space, kAwaitTuple);
  if (error) co_return std::nullopt;
  std::size_t size = 0;
  for (const unsigned char byte : header) size = size << 8 | byte;
  if (size > PeerTransport::kFrameBytesMax) co_return std::nullopt;
  std::string frame(size, '\0');
  const auto space = asio::buffer(frame);
  const auto [body_error, body_read] = co_await asio::async_read(socket, space, kAwaitTuple);
  if (body_error) co_return std::nullopt;
  co_return frame;
}

}  // namespace

struct PeerTransport::Outgoing {
  Outgoing(const asio::any_io_executor& executor, tcp::endpoint endpoint_)
      : endpoint(std::move(endpoint_)), ready(executor, asio::steady_timer::time_point::max()) {}

  tcp::endpoint endpoint;
  asio::steady_timer ready;  // cancelled (so: woken) when the queue has something
  std::string queue;         // framed
  bool connected = false;
};

struct PeerTransport::Link {
  explicit Link(tcp::socket socket_) : socket(std::move(socket_)) {}

  tcp::socket socket;
};

PeerTransport::PeerTransport(asio::any_io_executor executor,
                             base::TaskGroup& group,
                             Number self,
                             Endpoints endpoints,
                             FrameHandler handler)
    : group_(group),
      self_(self),
      endpoints_(std::move(endpoints)),
      handler_(std::move(handler)),
      acceptor_(std::move(executor)) {
  SUNDER_ASSERT(endpoints_.contains(self_));
}

PeerTransport::~PeerTransport() = default;

Result<void> PeerTransport::start() {
  SUNDER_TRY(open_acceptor(acceptor_, endpoints_.at(self_)));
  group_.spawn("accept peers", accept_peers());
  for (const auto& [number, endpoint] : endpoints_) {
    if (number == self_) continue;
    auto peer = std::make_shared<Outgoing>(acceptor_.get_executor(), endpoint);
    outgoing_.emplace(number, peer);
    group_.spawn("keep connected to " + std::to_string(number), keep_connected(std::move(peer)));
  }
  return {};
}

bool PeerTransport::send(Number to, const std::string& frame) {
  const auto found = outgoing_.find(to);
  SUNDER_ASSERT(found != outgoing_.end());
  Outgoing& peer = *found->second;
  if (!peer.connected || frame.size() > kFrameBytesMax) return false;
  if (!peer.queue.empty() && peer.queue.size() + frame.size() > kQueueBytesMax) return false;
  append_frame(peer.queue, frame);
  peer.ready.cancel();
  return true;
}

bool PeerTransport::connected(Number to) const {
  const auto found = outgoing_.find(to);
  return found != outgoing_.end() && found->second->connected;
}

asio::awaitable<void> PeerTransport::keep_connected(std::shared_ptr<Outgoing> peer) {
  std::string sending;
  while (true) {
    auto connection = std::make_shared<Link>(tcp::socket(acceptor_.get_executor()));
    tcp::socket& socket = connection->socket;
    const auto connected =
        co_await base::with_deadline(connect(socket, peer->endpoint), kConnectMax);
    if (connected.has_error()) {
      co_await base::pause_for(kReconnectPause);
      continue;
    }
    boost::system::error_code error;
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(UserTimeout(static_cast<int>(kSilenceMax.count())), error);
    peer->queue.clear();
    append_frame(peer->queue, std::to_string(self_));
    peer->connected = true;
    group_.spawn("watch for a peer's end", watch(peer, connection));
    while (!error && socket.is_open()) {
      if (peer->queue.empty()) {
        co_await peer->ready.async_wait(kAwaitTuple);
        continue;
      }
      sending.clear();
      sending.swap(peer->queue);
      const auto buffer = asio::buffer(sending);
      const auto [failure, size] = co_await asio::async_write(socket, buffer, kAwaitTuple);
      error = failure;
    }
    peer->connected = false;
    peer->queue.clear();
    socket.close(error);
    if (on_loss_ == OnLoss::give_up) co_return;
  }
}

// Nothing ever comes back on an outgoing connection; but its end shows as the end of a read, before
// a frame is lost in writing to a node that is gone.
asio::awaitable<void> PeerTransport::watch(std::shared_ptr<Outgoing> peer,
                                           std::shared_ptr<Link> connection) {
  std::array<char, 1> byte{};
  const auto space = asio::buffer(byte);
  co_await connection->socket.async_read_some(space, kAwaitTuple);
  boost::system::error_code ignored;
  connection->socket.close(ignored);
  peer->ready.cancel();
}

asio::awaitable<void> PeerTransport::accept_peers() {
  while (true) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwaitTuple);
    if (error) {
      co_await base::pause_for(std::chrono::milliseconds(10));
      continue;
    }
    group_.spawn("serve a peer", serve(std::make_shared<Link>(std::move(socket))));
  }
}

asio::awaitable<void> PeerTransport::serve(std::shared_ptr<Link> connection) {
  const auto hello = co_await read_frame(connection->socket);
  if (!hello) co_return;
  const Number from = static_cast<Number>(std::strtoul(hello->c_str(), nullptr, 10));
  if (from == self_ || !endpoints_.contains(from)) co_return;
  // A peer has one connection: what came before is dead, or will be.
  std::shared_ptr<Link>& latest = incoming_[from];
  if (latest) {
    boost::system::error_code ignored;
    latest->socket.close(ignored);
  }
  latest = connection;
  while (connection->socket.is_open()) {
    auto frame = co_await read_frame(connection->socket);
    if (!frame) break;
    handler_(from, std::move(*frame));
  }
  if (latest == connection) latest.reset();
}

}  // namespace sunder::nodes::host
