#include "nodes/host/peer_transport.hpp"

#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/deadline.hpp"

namespace sunder::nodes::host {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A loopback address of this process alone, so that no other test's connection takes a port between
// choosing and listening.
asio::ip::address_v4 own_address() {
  return asio::ip::address_v4(0x7f000001U | (static_cast<unsigned>(::getpid()) & 0xffffU) << 8);
}

// Two transports on one loop.
class PeerTransportTest : public ::testing::Test {
 protected:
  using Frames = std::vector<std::pair<PeerTransport::Number, std::string>>;

  PeerTransportTest() {
    for (const PeerTransport::Number number : {1U, 2U}) {
      tcp::acceptor probe(loop_, tcp::endpoint(own_address(), 0));
      endpoints_[number] = probe.local_endpoint();
    }
  }

  struct Side {
    Side(asio::io_context& loop,
         PeerTransport::Number number,
         const PeerTransport::Endpoints& endpoints,
         PeerTransport::OnLoss on_loss = PeerTransport::OnLoss::reconnect)
        : tasks(loop.get_executor()),
          transport(loop.get_executor(),
                    tasks,
                    number,
                    endpoints,
                    [this](PeerTransport::Number from, std::string frame) {
                      received.emplace_back(from, std::move(frame));
                    }) {
      transport.set_on_loss(on_loss);
      EXPECT_TRUE(transport.start().has_value());
    }

    base::TaskGroup tasks;
    Frames received;
    PeerTransport transport;
  };

  std::unique_ptr<Side> make(PeerTransport::Number number) {
    return std::make_unique<Side>(loop_, number, endpoints_);
  }

  // Runs the loop until the condition holds.
  bool run_until(const std::function<bool()>& condition) {
    const auto deadline = base::MonotonicClock::now() + std::chrono::seconds(10);
    while (!condition() && base::MonotonicClock::now() < deadline) {
      loop_.run_one_for(std::chrono::milliseconds(20));
    }
    return condition();
  }

  void close(std::unique_ptr<Side>& side) {
    bool closed = false;
    auto note_closed = [&closed](const std::exception_ptr&) { closed = true; };
    asio::co_spawn(loop_, side->tasks.close(), std::move(note_closed));
    ASSERT_TRUE(run_until([&closed] { return closed; }));
    side.reset();
  }

  asio::io_context loop_;
  PeerTransport::Endpoints endpoints_;
};

TEST_F(PeerTransportTest, CarriesFramesBothWaysInOrder) {
  auto one = make(1);
  auto two = make(2);
  ASSERT_TRUE(
      run_until([&] { return one->transport.connected(2) && two->transport.connected(1); }));
  Frames expected;
  for (const std::string& frame :
       {std::string(), std::string("a"), std::string(300'000, 'x'), std::string("\0\n", 2)}) {
    EXPECT_TRUE(one->transport.send(2, frame));
    expected.emplace_back(1, frame);
  }
  EXPECT_TRUE(two->transport.send(1, "back"));
  EXPECT_TRUE(run_until([&] { return two->received.size() == 4 && one->received.size() == 1; }));
  EXPECT_EQ(two->received, expected);
  EXPECT_EQ(one->received, (Frames{{2, "back"}}));
  close(one);
  close(two);
}

TEST_F(PeerTransportTest, DropsFramesToAPeerThatIsNotThereAndFindsItWhenItIs) {
  auto one = make(1);
  EXPECT_FALSE(one->transport.send(2, "lost"));
  auto two = make(2);
  ASSERT_TRUE(run_until([&] { return one->transport.connected(2); }));
  close(two);
  // The end of the connection shows without a frame being lost in it.
  ASSERT_TRUE(run_until([&] { return !one->transport.connected(2); }));
  two = make(2);
  ASSERT_TRUE(run_until([&] { return one->transport.connected(2); }));
  EXPECT_TRUE(one->transport.send(2, "found"));
  EXPECT_TRUE(run_until([&] { return !two->received.empty(); }));
  EXPECT_EQ(two->received, (Frames{{1, "found"}}));
  close(one);
  close(two);
}

TEST_F(PeerTransportTest, NeverFindsALostPeerAgainWhenToldToGiveUp) {
  auto one = std::make_unique<Side>(loop_, 1, endpoints_, PeerTransport::OnLoss::give_up);
  auto two = make(2);
  ASSERT_TRUE(run_until([&] { return one->transport.connected(2); }));
  close(two);
  ASSERT_TRUE(run_until([&] { return !one->transport.connected(2); }));
  two = make(2);
  // The other direction is a fresh connection: by the time it carries frames, ours would be back.
  ASSERT_TRUE(run_until([&] { return two->transport.connected(1); }));
  EXPECT_TRUE(two->transport.send(1, "hello"));
  ASSERT_TRUE(run_until([&] { return !one->received.empty(); }));
  EXPECT_FALSE(one->transport.connected(2));
  EXPECT_FALSE(one->transport.send(2, "lost"));
  close(one);
  close(two);
}

TEST_F(PeerTransportTest, RefusesAFrameAboveTheLimit) {
  auto one = make(1);
  auto two = make(2);
  ASSERT_TRUE(run_until([&] { return one->transport.connected(2); }));
  EXPECT_FALSE(one->transport.send(2, std::string(PeerTransport::kFrameBytesMax + 1, 'x')));
  close(one);
  close(two);
}

}  // namespace
}  // namespace sunder::nodes::host
