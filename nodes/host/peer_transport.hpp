// PeerTransport: frames between nodes, one outgoing connection to each peer, at most once, dropped
// when in doubt.
//
// A frame is a length (four bytes, big endian) and that many bytes; the first frame of a connection
// is the sender's name. Protocols above must live with loss: frames to a peer that is not
// connected, or whose queue is full, are dropped, and what a dying connection held is lost. A
// connection over a cut link must not outlive the cut, since TCP would then wait through its
// retransmission back-off: TCP_USER_TIMEOUT ends it after kSilenceMax without acknowledgement, and
// a new one is tried at short intervals, so that a healed link is in use again within a few hundred
// milliseconds.
//
// Threading: the loop.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"

namespace sunder::nodes::host {

class PeerTransport {
 public:
  using Number = std::uint32_t;
  using FrameHandler = std::function<void(Number from, std::string frame)>;
  using Endpoints = std::map<Number, boost::asio::ip::tcp::endpoint>;

  static constexpr std::size_t kFrameBytesMax = std::size_t{64} << 20;

  // `endpoints` includes this node's own. `group` owns the tasks and is closed before this object
  // goes.
  PeerTransport(boost::asio::any_io_executor executor,
                base::TaskGroup& group,
                Number self,
                Endpoints endpoints,
                FrameHandler handler);
  ~PeerTransport();

  // What to do about a lost connection.
  enum class OnLoss : std::uint8_t {
    reconnect,
    give_up,  // a sabotage: the peer is never connected to again
  };

  // Before start(): reconnect unless told otherwise.
  void set_on_loss(OnLoss on_loss) noexcept { on_loss_ = on_loss; }

  // Listens on the own endpoint and begins to connect to the others.
  [[nodiscard]] Result<void> start();

  // False: the frame was dropped here and has certainly not been sent.
  bool send(Number to, const std::string& frame);
  [[nodiscard]] bool connected(Number to) const;

 private:
  struct Outgoing;
  struct Link;

  boost::asio::awaitable<void> accept_peers();
  boost::asio::awaitable<void> keep_connected(std::shared_ptr<Outgoing> peer);
  boost::asio::awaitable<void> watch(std::shared_ptr<Outgoing> peer,
                                     std::shared_ptr<Link> connection);
  boost::asio::awaitable<void> serve(std::shared_ptr<Link> connection);

  base::TaskGroup& group_;
  Number self_;
  Endpoints endpoints_;
  FrameHandler handler_;
  OnLoss on_loss_ = OnLoss::reconnect;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::map<Number, std::shared_ptr<Outgoing>> outgoing_;
  std::map<Number, std::shared_ptr<Link>> incoming_;  // the latest of each peer
};

}  // namespace sunder::nodes::host
