#include "nodes/host/resp_server.hpp"

#include <array>
#include <deque>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/deadline.hpp"

namespace sunder::nodes::host {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kWaitingRequestsMax = 1024;
constexpr std::size_t kOutputBytesMax = std::size_t{4} << 20;
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket)
      : socket_(std::move(socket)),
        output_ready_(socket_.get_executor(), asio::steady_timer::time_point::max()),
        room_(socket_.get_executor(), asio::steady_timer::time_point::max()) {}

  asio::awaitable<void> read_requests(std::unique_ptr<RequestHandler> handler);
  asio::awaitable<void> write_replies();
  void answer(std::uint64_t number, const wire::RespValue& reply);

  void finish() {
    finishing_ = true;
    output_ready_.cancel();
  }

 private:
  [[nodiscard]] bool is_full() const noexcept {
    return slots_.size() >= kWaitingRequestsMax || output_.size() >= kOutputBytesMax;
  }

  [[nodiscard]] bool take_requests(wire::RespParser& parser, RequestHandler& handler);

  tcp::socket socket_;
  asio::steady_timer
      output_ready_;  // cancelled (so: woken) when there is output, or nothing more will come
  asio::steady_timer room_;  // woken when replies have left
  std::deque<std::optional<std::string>>
      slots_;                     // requests not answered, or answered behind one that is not
  std::uint64_t first_slot_ = 0;  // number of slots_.front()
  std::string output_;
  bool finishing_ = false;  // close when every reply is written
};

void Connection::answer(std::uint64_t number, const wire::RespValue& reply) {
  SUNDER_ASSERT(number >= first_slot_ && number - first_slot_ < slots_.size());
  std::optional<std::string>& slot = slots_[number - first_slot_];
  SUNDER_ASSERT_MESSAGE(!slot.has_value(), "a request was answered twice");
  wire::encode(reply, slot.emplace());
  while (!slots_.empty() && slots_.front().has_value()) {
    output_.append(*slots_.front());
    slots_.pop_front();
    ++first_slot_;
  }
  if (!output_.empty()) output_ready_.cancel();
}

// False: the connection is to be closed.
bool Connection::take_requests(wire::RespParser& parser, RequestHandler& handler) {
  std::vector<std::string> arguments;
  while (!is_full() && !finishing_) {
    const Result<bool> whole = parser.next_request(arguments);
    const std::uint64_t number = first_slot_ + slots_.size();
    if (whole.has_error()) {
      slots_.emplace_back();
      answer(number, wire::RespValue::error("ERR " + whole.error().message()));
      return false;
    }
    if (!*whole) return true;
    slots_.emplace_back();
    handler.handle(std::move(arguments), ReplySlot(weak_from_this(), number));
    arguments.clear();
  }
  return !finishing_;
}

asio::awaitable<void> Connection::read_requests(std::unique_ptr<RequestHandler> handler) {
  const auto self = shared_from_this();
  wire::RespParser parser;
  std::array<char, 16 * 1024> space;
  while (take_requests(parser, *handler)) {
    if (is_full()) {
      co_await room_.async_wait(kAwaitTuple);
      if (!socket_.is_open()) break;
      continue;
    }
    const auto buffer = asio::buffer(space);
    const auto [error, size] = co_await socket_.async_read_some(buffer, kAwaitTuple);
    if (error) break;
    parser.feed(std::string_view(space.data(), size));
  }
  finish();
}

asio::awaitable<void> Connection::write_replies() {
  const auto self = shared_from_this();
  std::string sending;
  while (true) {
    if (output_.empty()) {
      if (finishing_) break;
      co_await output_ready_.async_wait(kAwaitTuple);
      continue;
    }
    sending.clear();
    sending.swap(output_);
    room_.cancel();
    const auto buffer = asio::buffer(sending);
    const auto [error, size] = co_await asio::async_write(socket_, buffer, kAwaitTuple);
    if (error) break;
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
  room_.cancel();
}

void ReplySlot::answer(const wire::RespValue& reply) const {
  if (const auto connection = connection_.lock()) connection->answer(number_, reply);
}

void ReplySlot::answer_and_close(const wire::RespValue& reply) const {
  const auto connection = connection_.lock();
  if (!connection) return;
  connection->answer(number_, reply);
  connection->finish();
}

Result<void> open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  Error failed;
  failed.code = error;
  failed.context = fmt::format("listen on {}:{}", endpoint.address().to_string(), endpoint.port());
  return failed;
}

RespServer::RespServer(asio::any_io_executor executor,
                       base::TaskGroup& group,
                       HandlerFactory factory)
    : group_(group), factory_(std::move(factory)), acceptor_(std::move(executor)) {}

Result<void> RespServer::listen(const tcp::endpoint& endpoint) {
  SUNDER_TRY(open_acceptor(acceptor_, endpoint));
  group_.spawn("accept clients", accept_clients());
  return {};
}

asio::awaitable<void> RespServer::accept_clients() {
  while (true) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwaitTuple);
    if (error) {
      // Out of descriptors, or the client was gone before it was accepted: not for ever.
      co_await base::pause_for(std::chrono::milliseconds(10));
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto connection = std::make_shared<Connection>(std::move(socket));
    group_.spawn("read requests", connection->read_requests(factory_()));
    group_.spawn("write replies", connection->write_replies());
  }
}

}  // namespace sunder::nodes::host
