// What degraded links do to packets, measured by UDP probes between the namespaces of nodes,
// against what was asked of them.
//
// Rates need only HTB and are measured everywhere. The rest needs sch_netem: without it those tests
// are skipped with that reason, and the same binary under User-Mode Linux measures them.
// Shares are judged at five standard deviations, so that a correct kernel fails once in some
// million runs; times have the slack of a loaded machine above and none below.

#include "harness/netlink/netem.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/link_leaf.hpp"
#include "tests/cluster/in_universe.hpp"

namespace sunder::cluster {
namespace {

using base::FileDescriptor;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using tests::in_universe;

constexpr std::size_t kFrame_overhead = 42;  // Ethernet, IP and UDP headers
constexpr nanoseconds kQuiet = milliseconds(300);
// One CPU runs sender, kernel and receiver under User-Mode Linux.
constexpr double kLate_ms = 15;

sockaddr_in socket_address(netlink::Ipv4 address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address.bits);
  return result;
}

struct Traffic {
  int packets = 1000;
  nanoseconds gap = microseconds(500);  // between two of them
  std::size_t bytes = 100;
};

struct Arrival {
  int number = 0;
  double delay_ms = 0;
  std::int64_t time = 0;
  bool intact = true;
};

struct Head {
  std::int64_t sent = 0;
  int number = 0;
};

// Sends from one node to another and notes everything that arrives.
class Probe {
 public:
  Probe(const Fabric& fabric, Endpoint from, Endpoint to)
      : sender_(open(fabric, from)), receiver_(open(fabric, to)) {
    socklen_t size = sizeof target_;
    auto* const generic = reinterpret_cast<sockaddr*>(&target_);
    EXPECT_EQ(::getsockname(receiver_.get(), generic, &size), 0);
    // Without a checksum an inverted bit arrives instead of being a loss.
    const int off = 1;
    ::setsockopt(sender_.get(), SOL_SOCKET, SO_NO_CHECK, &off, sizeof off);
    const int room = 4 << 20;
    ::setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    ::setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  }

  // Until nothing has come for a while after `longest`, the longest time that a packet may take.
  [[nodiscard]] std::vector<Arrival> run(const Traffic& traffic, nanoseconds longest) {
    arrivals_.clear();
    const std::int64_t begun = base::monotonic_ns();
    for (int i = 0; i < traffic.packets; ++i) {
      const std::int64_t due = begun + i * traffic.gap.count();
      while (base::monotonic_ns() < due) receive(due - base::monotonic_ns(), traffic.bytes);
      send(i, traffic.bytes);
      receive(0, traffic.bytes);
    }
    // Time alone ends nothing: a machine that stood still meanwhile has the packets yet to give.
    std::int64_t last = base::monotonic_ns() + longest.count();
    for (bool over = false, came = true; came || !over;) {
      over = base::monotonic_ns() >= last + kQuiet.count();
      came = receive(milliseconds(20).count(), traffic.bytes);
      if (came) last = std::max(last, base::monotonic_ns());
    }
    return arrivals_;
  }

 private:
  static FileDescriptor open(const Fabric& fabric, Endpoint endpoint) {
    const netlink::NamespaceScope scope(fabric.node_namespace(endpoint), fabric.home());
    FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in own = socket_address(fabric.address(endpoint));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    return socket;
  }

  void send(int number, std::size_t bytes) {
    std::vector<std::byte> packet(bytes, std::byte{0x5a});
    const Head head{base::monotonic_ns(), number};
    std::memcpy(packet.data(), &head, sizeof head);
    ::sendto(sender_.get(),
             packet.data(),
             packet.size(),
             0,
             reinterpret_cast<const sockaddr*>(&target_),
             sizeof target_);
  }

  bool receive(std::int64_t wait, std::size_t bytes) {
    pollfd item{receiver_.get(), POLLIN, 0};
    const timespec limit{wait / 1'000'000'000, wait % 1'000'000'000};
    if (::ppoll(&item, 1, &limit, nullptr) != 1) return false;
    std::vector<std::byte> packet(bytes + 1);
    bool any = false;
    while (::recv(receiver_.get(), packet.data(), packet.size(), 0) ==
           static_cast<ssize_t>(bytes)) {
      any = true;
      Head head;
      std::memcpy(&head, packet.data(), sizeof head);
      Arrival arrival;
      arrival.number = head.number;
      arrival.time = base::monotonic_ns();
      arrival.delay_ms = static_cast<double>(arrival.time - head.sent) / 1e6;
      arrival.intact = std::all_of(packet.begin() + sizeof head,
                                   packet.begin() + static_cast<std::ptrdiff_t>(bytes),
                                   [](std::byte byte) { return byte == std::byte{0x5a}; });
      arrivals_.push_back(arrival);
    }
    return any;
  }

  FileDescriptor sender_;
  FileDescriptor receiver_;
  sockaddr_in target_{};
  std::vector<Arrival> arrivals_;
};

std::vector<double> delays_of(const std::vector<Arrival>& arrivals) {
  std::vector<double> delays;
  for (const Arrival& arrival : arrivals) delays.push_back(arrival.delay_ms);
  std::ranges::sort(delays);
  return delays;
}

double quantile_of(const std::vector<double>& sorted, double share) {
  return sorted.at(static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share));
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return quantile_of(values, 0.5);
}

// A machine that stalls makes the packets of one batch late; a wrong delay is wrong in all. So the
// packets go in batches, and the middle one counts: its median is within 6 ms and the distance of
// its quartiles within 5 ms of what was asked.
void expect_delays(Probe& probe, const Traffic& traffic, double median, double spread) {
  constexpr int kBatches = 5;
  const auto longest = milliseconds(static_cast<int>(median + 4 * spread));
  Traffic batch = traffic;
  batch.packets = traffic.packets * 2 / kBatches;
  std::vector<double> medians;
  std::vector<double> spreads;
  for (int i = 0; i < kBatches; ++i) {
    const auto delays = delays_of(probe.run(batch, longest));
    ASSERT_EQ(delays.size(), static_cast<std::size_t>(batch.packets));
    medians.push_back(quantile_of(delays, 0.5));
    spreads.push_back(quantile_of(delays, 0.75) - quantile_of(delays, 0.25));
  }
  EXPECT_NEAR(median_of(medians), median, 6);
  EXPECT_NEAR(median_of(spreads), spread, 5);
}

// A limit holds however late a busy machine is: never more than it lets through since the first was
// sent. And it is reached: in the best stretch of twenty, since a stall only makes a stretch slow.
void expect_rate(const std::vector<Arrival>& arrivals, std::size_t bytes, double rate) {
  constexpr std::size_t kStretch = 20;
  const double bits = static_cast<double>(bytes + kFrame_overhead) * 8;
  const auto count = arrivals.size();
  const auto first_sent =
      static_cast<double>(arrivals.front().time) - arrivals.front().delay_ms * 1e6;
  const double lasted = (static_cast<double>(arrivals.back().time) - first_sent) / 1e9;
  // The first two pass at once: the bucket is full.
  EXPECT_LE(static_cast<double>(count - 2) * bits / lasted, 1.02 * rate);
  double best = 0;
  for (std::size_t i = kStretch; i < count; ++i) {
    const auto stretch = static_cast<double>(arrivals[i].time - arrivals[i - kStretch].time) / 1e9;
    best = std::max(best, static_cast<double>(kStretch) * bits / stretch);
  }
  EXPECT_GE(best, 0.9 * rate);
}

std::size_t overtaken(const std::vector<Arrival>& arrivals) {
  std::size_t count = 0;
  int highest = -1;
  for (const Arrival& arrival : arrivals) {
    if (arrival.number < highest) ++count;
    highest = std::max(highest, arrival.number);
  }
  return count;
}

// `count` of `total` is what probability `share` gives, within five standard deviations.
void expect_share(std::size_t count, int total, double share) {
  const double deviation = std::sqrt(total * share * (1 - share));
  EXPECT_NEAR(static_cast<double>(count), total * share, 5 * deviation);
}

bool kernel_has_netem() {
  auto socket = netlink::Socket::open();
  netlink::Batch batch;
  constexpr int kLoopback = 1;
  batch.add(netlink::replace_root(kLoopback, netlink::netem({})), "try netem");
  return socket.has_value() && socket->send_all(batch).has_value();
}

// Two nodes and the link n1 → n2 in this state; `body` measures it.
void with_link(tests::User user,
               const LinkState& state,
               const std::function<void(Fabric&, Probe&)>& body) {
  in_universe(user, [&] {
    if (needs_netem(state) && !kernel_has_netem()) {
      std::printf("skipped: this kernel has no sch_netem; run it under User-Mode Linux\n");
      return;
    }
    auto fabric = Fabric::create(2, 0);
    ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
    LinkMatrix matrix(2);
    matrix.at(0, 1) = state;
    const auto change = fabric->install(matrix);
    ASSERT_TRUE(change.has_value()) << change.error().message();
    Probe probe(*fabric, 0, 1);
    body(*fabric, probe);
    ASSERT_TRUE(fabric->install(LinkMatrix(2)).has_value());
    EXPECT_TRUE(fabric->unhealthy_links()->empty());
  });
}

class NetemTest : public tests::InUniverse {};

TEST_P(NetemTest, DelaysOneDirectionByWhatWasAsked) {
  with_link(GetParam(), {.delay = milliseconds(50)}, [](Fabric& fabric, Probe& probe) {
    expect_delays(probe, {.packets = 200, .gap = milliseconds(2)}, 50, 0);
    const auto delays = delays_of(probe.run({.packets = 20}, milliseconds(50)));
    ASSERT_EQ(delays.size(), 20U);
    EXPECT_GE(delays.front(), 49.9);
    Probe back(fabric, 1, 0);
    const auto healthy = delays_of(back.run({.packets = 50, .gap = milliseconds(2)}, {}));
    ASSERT_EQ(healthy.size(), 50U);
    EXPECT_LE(healthy[25], kLate_ms);
  });
}

TEST_P(NetemTest, JitterSpreadsAndOvertakesWhereItMay) {
  const LinkState state{.delay = milliseconds(60),
                        .jitter = milliseconds(20),
                        .distribution = Distribution::uniform,
                        .overtaking = true,
                        .seed = 5};
  with_link(GetParam(), state, [](Fabric&, Probe& probe) {
    const auto arrivals = probe.run({.packets = 600, .gap = milliseconds(1)}, milliseconds(80));
    ASSERT_EQ(arrivals.size(), 600U);
    EXPECT_GE(delays_of(arrivals).front(), 39.8);
    EXPECT_GT(overtaken(arrivals), 100U);
    // Evenly from 40 to 80 ms: half of them within 20 ms.
    expect_delays(probe, {.packets = 600, .gap = milliseconds(1)}, 60, 20);
  });
}

TEST_P(NetemTest, NormalJitterHasItsDeviation) {
  const LinkState state{.delay = milliseconds(80),
                        .jitter = milliseconds(15),
                        .distribution = Distribution::normal,
                        .overtaking = true,
                        .seed = 6};
  with_link(GetParam(), state, [](Fabric&, Probe& probe) {
    // Half of a normal distribution is within 1.349 standard deviations.
    expect_delays(probe, {.packets = 600, .gap = milliseconds(1)}, 80, 1.349 * 15);
  });
}

TEST_P(NetemTest, OrderedJitterKeepsTheOrder) {
  const LinkState state{.delay = milliseconds(40), .jitter = milliseconds(20), .seed = 7};
  with_link(GetParam(), state, [](Fabric&, Probe& probe) {
    const auto arrivals = probe.run({.packets = 400, .gap = milliseconds(1)}, milliseconds(60));
    EXPECT_EQ(arrivals.size(), 400U);
    EXPECT_EQ(overtaken(arrivals), 0U);
    const auto delays = delays_of(arrivals);
    EXPECT_GT(delays.back() - delays.front(), 5);
  });
}

TEST_P(NetemTest, LosesTheShareAndCountsIt) {
  with_link(GetParam(), {.loss = 0.1, .seed = 1}, [](Fabric& fabric, Probe& probe) {
    const auto arrivals = probe.run({.packets = 2000}, {});
    expect_share(2000 - arrivals.size(), 2000, 0.1);
    // What the leaf lost is on the link's counter, to the packet.
    EXPECT_EQ(fabric.counters()->at(1).dropped, 2000 - arrivals.size());
  });
}

TEST_P(NetemTest, LosesInBurstsOfTheLength) {
  const LinkState state{.loss = 0.2, .loss_burst = 8, .seed = 2};
  with_link(GetParam(), state, [](Fabric&, Probe& probe) {
    const auto arrivals = probe.run({.packets = 4000, .gap = microseconds(250)}, {});
    std::size_t bursts = 0;
    int expected = 0;
    for (const Arrival& arrival : arrivals) {
      if (arrival.number > expected) ++bursts;
      expected = arrival.number + 1;
    }
    const double lost = static_cast<double>(4000 - arrivals.size());
    // About 100 bursts of geometric length: both means have a deviation of about an eighth.
    EXPECT_NEAR(lost / 4000, 0.2, 0.1);
    EXPECT_NEAR(lost / static_cast<double>(bursts), 8, 4);
  });
}

TEST_P(NetemTest, DuplicatesTheShare) {
  with_link(GetParam(), {.duplicate = 0.2, .seed = 3}, [](Fabric&, Probe& probe) {
    const auto arrivals = probe.run({.packets = 1000}, {});
    expect_share(arrivals.size() - 1000, 1000, 0.2);
  });
}

TEST_P(NetemTest, LetsTheSharePassTheOthers) {
  const LinkState state{.delay = milliseconds(60), .reorder = 0.25, .seed = 4};
  with_link(GetParam(), state, [](Fabric& fabric, Probe& probe) {
    const auto arrivals = probe.run({.packets = 800, .gap = milliseconds(1)}, milliseconds(60));
    ASSERT_EQ(arrivals.size(), 800U);
    const auto early = static_cast<std::size_t>(std::ranges::count_if(
        arrivals, [](const Arrival& arrival) { return arrival.delay_ms < 55; }));
    expect_share(early, 800, 0.25);
    EXPECT_EQ(fabric.counters()->at(1).overtook, early);
  });
}

TEST_P(NetemTest, InvertsABitOfTheShare) {
  with_link(GetParam(), {.corrupt = 0.1, .seed = 8}, [](Fabric&, Probe& probe) {
    const auto arrivals = probe.run({.packets = 2000, .bytes = 1000}, {});
    const auto intact = static_cast<std::size_t>(
        std::ranges::count_if(arrivals, [](const Arrival& arrival) { return arrival.intact; }));
    // A bit in a header is a loss, one in the head of the probe itself is seen as nothing: 2 %.
    expect_share(2000 - intact, 2000, 0.1);
    EXPECT_GT(arrivals.size(), intact);
  });
}

// Bandwidth is HTB's: this one is measured on every kernel.
TEST_P(NetemTest, LimitsTheRateAndCountsTheWaiting) {
  with_link(GetParam(), {.rate = 1'000'000}, [](Fabric& fabric, Probe& probe) {
    const auto arrivals =
        probe.run({.packets = 60, .gap = nanoseconds(0), .bytes = 1000}, milliseconds(600));
    ASSERT_EQ(arrivals.size(), 60U);
    expect_rate(arrivals, 1000, 1e6);
    EXPECT_GT(fabric.counters()->at(1).held_back, 0U);
  });
}

TEST_P(NetemTest, ADelayAndARateAreOneState) {
  const LinkState state{.delay = milliseconds(40), .rate = 1'000'000};
  with_link(GetParam(), state, [](Fabric&, Probe& probe) {
    const auto arrivals =
        probe.run({.packets = 40, .gap = nanoseconds(0), .bytes = 1000}, milliseconds(400));
    ASSERT_EQ(arrivals.size(), 40U);
    EXPECT_GE(delays_of(arrivals).front(), 39.9);
    expect_rate(arrivals, 1000, 1e6);
  });
}

// From one degraded state to another, what the second does not want is gone: netem keeps what a
// change does not mention.
TEST_P(NetemTest, AChangeClearsWhatItDoesNotWant) {
  LinkState first{.delay = milliseconds(5),
                  .jitter = milliseconds(4),
                  .distribution = Distribution::pareto,
                  .overtaking = true,
                  .loss = 0.5,
                  .loss_burst = 5,
                  .reorder = 0.5,
                  .corrupt = 0.5};
  with_link(GetParam(), first, [](Fabric& fabric, Probe& probe) {
    LinkMatrix plain(2);
    plain.at(0, 1) = {.delay = milliseconds(30)};
    ASSERT_TRUE(fabric.install(plain).has_value());
    const auto arrivals =
        probe.run({.packets = 200, .gap = milliseconds(1), .bytes = 500}, milliseconds(30));
    EXPECT_EQ(arrivals.size(), 200U);
    EXPECT_EQ(overtaken(arrivals), 0U);
    EXPECT_GE(delays_of(arrivals).front(), 29.9);
    for (const Arrival& arrival : arrivals) EXPECT_TRUE(arrival.intact);
  });
}

// Every link of a matrix can be in every state at once, but for duplicates.
TEST_P(NetemTest, DegradesEveryLinkAtOnce) {
  in_universe(GetParam(), [] {
    if (!kernel_has_netem()) return;
    auto fabric = Fabric::create(3, 2);
    ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
    LinkMatrix matrix(5);
    for (Endpoint from = 0; from < 5; ++from) {
      for (Endpoint to = 0; to < 5; ++to) {
        matrix.at(from, to) = {.delay = milliseconds(5),
                               .jitter = milliseconds(1),
                               .distribution = Distribution::normal,
                               .loss = 0.01,
                               .reorder = 0.01,
                               .corrupt = 0.01,
                               .rate = 10'000'000,
                               .seed = 3};
      }
    }
    const auto change = fabric->install(matrix);
    ASSERT_TRUE(change.has_value()) << change.error().message();
    EXPECT_EQ(fabric->unhealthy_links()->size(), change->links);
    ASSERT_TRUE(fabric->install(LinkMatrix(5)).has_value());
    EXPECT_TRUE(fabric->unhealthy_links()->empty());
  });
}

// Some kernels allow one duplicating netem to a device and no other beside it. What they refuse is
// said and undone; one link into a node works on all.
TEST_P(NetemTest, DuplicatesOnManyLinksOrSaysThatItCannot) {
  in_universe(GetParam(), [] {
    if (!kernel_has_netem()) return;
    auto fabric = Fabric::create(3, 0);
    LinkMatrix few(3);
    few.at(0, 1).duplicate = few.at(1, 0).duplicate = 0.5;
    ASSERT_TRUE(fabric->install(few).has_value());
    LinkMatrix many = few;
    many.at(2, 1).duplicate = 0.5;
    const auto change = fabric->install(many);
    if (change.has_error()) {
      EXPECT_TRUE(base::is(change.error(), Errc::unsupported)) << change.error().message();
      EXPECT_EQ(fabric->installed(), few);
    }
    EXPECT_EQ(fabric->unhealthy_links()->size(), change.has_error() ? 2U : 3U);
    ASSERT_TRUE(fabric->install(LinkMatrix(3)).has_value());
    EXPECT_TRUE(fabric->unhealthy_links()->empty());
  });
}

// A kernel without netem refuses in words, and the links are as they were.
TEST_P(NetemTest, SaysWhenTheKernelLacksIt) {
  in_universe(GetParam(), [] {
    if (kernel_has_netem()) return;
    auto fabric = Fabric::create(2, 0);
    LinkMatrix matrix(2);
    matrix.at(0, 1) = {.delay = milliseconds(5), .rate = 1'000'000};
    const auto change = fabric->install(matrix);
    ASSERT_TRUE(change.has_error());
    EXPECT_TRUE(base::is(change.error(), Errc::unsupported)) << change.error().message();
    EXPECT_NE(change.error().message().find("--kernel uml"), std::string::npos);
    EXPECT_TRUE(fabric->unhealthy_links()->empty());
    EXPECT_EQ(fabric->installed(), LinkMatrix(2));
  });
}

// What the kernel reports is what was asked, to the last bit of a probability.
TEST_P(NetemTest, TheKernelReportsWhatWasAsked) {
  in_universe(GetParam(), [] {
    if (!kernel_has_netem()) return;
    constexpr int kLoopback = 1;
    const netlink::Netem asked{.delay = nanoseconds(12'345'678),
                               .jitter = nanoseconds(1'234'567),
                               .table = netlink::normal_delays(),
                               .burst = netlink::BurstLoss{0.03125, 0.25},
                               .duplicate = 0.0625,
                               .reorder = 0.125,
                               .gap = 3,
                               .corrupt = 0.25,
                               .rate = 5'000'000'000,
                               .limit = 4321,
                               .seed = 99};
    auto socket = netlink::Socket::open();
    ASSERT_TRUE(socket.has_value());
    netlink::Batch batch;
    batch.add(netlink::replace_root(kLoopback, netlink::netem(asked)), "netem on lo");
    const auto sent = socket->send_all(batch);
    ASSERT_TRUE(sent.has_value()) << sent.error().message();
    std::optional<netlink::Netem> found;
    const auto look = [&](const nlmsghdr& message) {
      const auto object = netlink::parse_traffic(message);
      if (object && object->kind == "netem") found = netlink::parse_netem(object->options);
    };
    ASSERT_TRUE(socket->dump(netlink::dump_qdiscs(kLoopback), look).has_value());
    ASSERT_TRUE(found.has_value());
    netlink::Netem expected = netlink::parse_netem(netlink::netem(asked).options).value();
    expected.seed = found->seed;  // kernels before 6.6 do not tell it
    EXPECT_EQ(netlink::netem(*found), netlink::netem(expected));
  });
}

bool offload_is_on(const char* interface, int command) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{};
  value.cmd = static_cast<std::uint32_t>(command);
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  EXPECT_EQ(::ioctl(socket.get(), SIOCETHTOOL, &request), 0) << interface;
  return value.data != 0;
}

// netem counts what it is given: a merged packet would be one.
TEST_P(NetemTest, AFrameIsAPacket) {
  in_universe(GetParam(), [] {
    auto fabric = Fabric::create(2, 1);
    ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
    const auto expect_off = [](const char* interface) {
      for (const int offload : {ETHTOOL_GTSO, ETHTOOL_GGSO, ETHTOOL_GGRO}) {
        EXPECT_FALSE(offload_is_on(interface, offload)) << interface << " " << offload;
      }
    };
    for (const char* port : {"n1", "n2", "clients"}) expect_off(port);
    const netlink::NamespaceScope scope(fabric->node_namespace(0), fabric->home());
    expect_off("eth0");
  });
}

INSTANTIATE_TEST_SUITE_P(Users, NetemTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::cluster
