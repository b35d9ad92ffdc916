#include "harness/cluster/fabric.hpp"

#include <chrono>
#include <cstdio>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "tests/cluster/in_universe.hpp"

namespace sunder::cluster {
namespace {

using base::FileDescriptor;
using tests::in_universe;
using tests::User;

constexpr std::uint16_t kPort = 7000;
constexpr int kArrivalLimitMs = 20'000;  // more than a few lost requests of ARP

sockaddr_in socket_address(netlink::Ipv4 address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(kPort);
  result.sin_addr.s_addr = htonl(address.bits);
  return result;
}

// One UDP socket for each endpoint, in its namespace, at its address: the shortest way to see
// single frames pass.
class Mail {
 public:
  explicit Mail(const Fabric& fabric, std::size_t nodes, std::size_t clients) : fabric_(fabric) {
    for (std::size_t i = 0; i < nodes + clients; ++i) {
      const bool node = i < nodes;
      const netlink::NamespaceScope scope(
          node ? fabric.node_namespace(i) : fabric.clients_namespace(), fabric.home());
      sockets_.emplace_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const sockaddr_in own = socket_address(fabric.address(static_cast<Endpoint>(i)));
      EXPECT_EQ(::bind(sockets_.back().get(), reinterpret_cast<const sockaddr*>(&own), sizeof own),
                0);
    }
  }

  void send(Endpoint from, Endpoint to, char letter) const {
    const sockaddr_in target = socket_address(fabric_.address(to));
    EXPECT_EQ(::sendto(sockets_[from].get(),
                       &letter,
                       1,
                       0,
                       reinterpret_cast<const sockaddr*>(&target),
                       sizeof target),
              1);
  }

  // The next letter, or 0 when none comes within the limit.
  [[nodiscard]] char receive(Endpoint at) const {
    pollfd item{sockets_[at].get(), POLLIN, 0};
    if (::poll(&item, 1, kArrivalLimitMs) != 1) return 0;
    char letter = 0;
    return ::recv(sockets_[at].get(), &letter, 1, 0) == 1 ? letter : '\0';
  }

 private:
  const Fabric& fabric_;
  std::vector<FileDescriptor> sockets_;
};

std::size_t between(const LinkMatrix& matrix, Endpoint from, Endpoint to) {
  return from * matrix.endpoints() + to;
}

class FabricTest : public tests::InUniverse {};

TEST_P(FabricTest, EverybodyReachesEverybody) {
  in_universe(GetParam(), [] {
    auto fabric = Fabric::create(3, 2);
    ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
    const Mail mail(*fabric, 3, 2);
    for (Endpoint from = 0; from < 5; ++from) {
      for (Endpoint to = 0; to < 5; ++to) {
        if (from == to) continue;
        mail.send(from, to, static_cast<char>('a' + from));
        EXPECT_EQ(mail.receive(to), 'a' + from) << from << " to " << to;
      }
    }
  });
}

// A cut in one direction drops there, silently, and counts; the other direction and every other
// link stay whole. What came before the cut and after the heal arrives, what came between never
// does.
TEST_P(FabricTest, CutsOneDirectionAndHeals) {
  in_universe(GetParam(), [] {
    auto fabric = Fabric::create(3, 2);
    ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
    const Mail mail(*fabric, 3, 2);
    for (const auto& [from, to] :
         std::vector<std::pair<Endpoint, Endpoint>>{{0, 1}, {3, 1}, {1, 3}}) {
      SCOPED_TRACE(fabric->name(from) + " → " + fabric->name(to));
      const auto before = fabric->counters();
      ASSERT_TRUE(before.has_value());
      LinkMatrix cut(5);
      cut.at(from, to).blackhole = true;
      mail.send(from, to, '1');
      EXPECT_EQ(mail.receive(to), '1');
      const auto change = fabric->install(cut);
      ASSERT_TRUE(change.has_value()) << change.error().message();
      EXPECT_EQ(change->links, 1U);
      for (int i = 0; i < 7; ++i) mail.send(from, to, '2');
      mail.send(to, from, '3');
      EXPECT_EQ(mail.receive(from), '3');
      const Endpoint third = 2;
      mail.send(from, third, '4');
      EXPECT_EQ(mail.receive(third), '4');
      const auto unhealthy = fabric->unhealthy_links();
      ASSERT_TRUE(unhealthy.has_value());
      EXPECT_EQ(unhealthy->size(), 1U);
      ASSERT_TRUE(fabric->install(LinkMatrix(5)).has_value());
      mail.send(from, to, '5');
      EXPECT_EQ(mail.receive(to), '5');
      EXPECT_TRUE(fabric->unhealthy_links()->empty());
      const auto after = fabric->counters();
      ASSERT_TRUE(after.has_value());
      const std::size_t link = between(cut, from, to);
      EXPECT_EQ((*after)[link].dropped - (*before)[link].dropped, 7U);
      EXPECT_EQ((*after)[link].sent - (*before)[link].sent, 2U);
    }
  });
}

struct Shape {
  std::size_t nodes;
  std::size_t clients;
};

// Half the nodes on each side, clients with the node they are pinned to round-robin.
LinkMatrix halves(const Shape& shape) {
  const auto side = [&](std::size_t i) {
    return (i < shape.nodes ? i : (i - shape.nodes) % shape.nodes) < shape.nodes / 2;
  };
  const std::size_t count = shape.nodes + shape.clients;
  LinkMatrix matrix(count);
  for (std::size_t from = 0; from < count; ++from) {
    for (std::size_t to = 0; to < count; ++to) {
      const bool cut = side(from) != side(to) && (from < shape.nodes || to < shape.nodes);
      matrix.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to)).blackhole = cut;
    }
  }
  return matrix;
}

void partition_and_heal(const Shape& shape) {
  const std::int64_t begun = base::monotonic_ns();
  auto fabric = Fabric::create(shape.nodes, shape.clients);
  ASSERT_TRUE(fabric.has_value()) << fabric.error().message();
  const double setup_ms = static_cast<double>(base::monotonic_ns() - begun) / 1e6;
  const auto cut = fabric->install(halves(shape));
  ASSERT_TRUE(cut.has_value()) << cut.error().message();
  const auto unhealthy = fabric->unhealthy_links();
  ASSERT_TRUE(unhealthy.has_value());
  EXPECT_EQ(unhealthy->size(), cut->links);
  const auto heal = fabric->install(LinkMatrix(shape.nodes + shape.clients));
  ASSERT_TRUE(heal.has_value());
  EXPECT_EQ(heal->links, cut->links);
  EXPECT_TRUE(fabric->unhealthy_links()->empty());
  std::printf(
      "%zu nodes, %zu clients: set up %.1f ms; %zu links cut in %.3f ms, healed in %.3f ms\n",
      shape.nodes,
      shape.clients,
      setup_ms,
      cut->links,
      static_cast<double>(cut->installing.count()) / 1e6,
      static_cast<double>(heal->installing.count()) / 1e6);
}

// Prints how long it takes; only that it works is asserted.
TEST_P(FabricTest, PartitionsClustersOfEverySize) {
  for (const Shape shape : {Shape{5, 10}, Shape{9, 32}, Shape{1, 0}}) {
    in_universe(GetParam(), [&] { partition_and_heal(shape); });
  }
}

INSTANTIATE_TEST_SUITE_P(Users, FabricTest, ::testing::ValuesIn(tests::users()), tests::user_name);

}  // namespace
}  // namespace sunder::cluster
