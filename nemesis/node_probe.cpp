#include "nemesis/node_probe.hpp"

#include <array>
#include <cerrno>
#include <string_view>

#include <sys/socket.h>

#include "harness/cluster/network_faults.hpp"

namespace sunder::nemesis {

NodeProbe::NodeProbe(cluster::Cluster& cluster, std::size_t node) {
  auto begun = cluster.network().connect_inside(node);
  if (begun.has_error()) return;
  socket_ = std::move(*begun);
  // Within one namespace the connection stands as soon as connect() returns.
  constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
  if (::send(socket_.get(), kPing.data(), kPing.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
    socket_.reset();
  }
}

NodeProbe::Answer NodeProbe::look() {
  if (!socket_.valid()) return Answer::refused;
  std::array<char, 64> bytes{};
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) return Answer::answered;
  if (count < 0 && errno == EAGAIN) return Answer::waiting;
  socket_.reset();
  return Answer::refused;
}

}  // namespace sunder::nemesis
