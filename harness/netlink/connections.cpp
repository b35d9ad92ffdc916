#include "harness/netlink/connections.hpp"

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "harness/netlink/message.hpp"
#include "harness/netlink/socket.hpp"

namespace sunder::netlink {
namespace {

// All but those that nobody holds any more (TIME_WAIT, CLOSE), the half-made ones of a listener
// (SYN_RECV, which its backlog owns) and listeners themselves.
constexpr std::uint32_t kStates = 1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_FIN_WAIT1 |
                                  1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK |
                                  1U << TCP_CLOSING;

inet_diag_req_v2 request_of() {
  inet_diag_req_v2 request{};
  request.sdiag_family = AF_INET;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kStates;
  return request;
}

}  // namespace

Result<std::size_t> destroy_connections(const std::function<bool(const ConnectionEnds&)>& chosen) {
  auto socket = Socket::open(NETLINK_SOCK_DIAG);
  if (socket.has_error()) return socket.error();
  std::vector<inet_diag_sockid> doomed;
  const Message dump(SOCK_DIAG_BY_FAMILY, 0, request_of());
  SUNDER_TRY(socket->dump(dump, [&](const nlmsghdr& header) {
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return;
    if (header.nlmsg_len < sizeof(nlmsghdr) + sizeof(inet_diag_msg)) return;
    inet_diag_msg found;
    std::memcpy(
        &found, reinterpret_cast<const std::byte*>(&header) + sizeof(nlmsghdr), sizeof found);
    const ConnectionEnds ends{Ipv4{ntohl(found.id.idiag_src[0])},
                              Ipv4{ntohl(found.id.idiag_dst[0])}};
    if (chosen(ends)) doomed.push_back(found.id);
  }));
  if (doomed.empty()) return std::size_t{0};
  Batch batch;
  for (const inet_diag_sockid& id : doomed) {
    inet_diag_req_v2 request = request_of();
    request.id = id;
    batch.add(Message(SOCK_DESTROY, 0, request), "destroy a connection");
  }
  const auto refusals = socket->send(batch);
  if (refusals.has_error()) return refusals.error();
  std::size_t destroyed = doomed.size();
  for (const Refusal& refusal : *refusals) {
    if (refusal.error_number == EOPNOTSUPP) {
      return make_error(Errc::unsupported, "this kernel cannot destroy sockets (SOCK_DESTROY)");
    }
    // It ended by itself in between.
    if (refusal.error_number != ENOENT) {
      return base::system_error(refusal.error_number, refusal.what);
    }
    --destroyed;
  }
  return destroyed;
}

}  // namespace sunder::netlink
