// Connections: the TCP connections of the calling thread's network namespace, listed and destroyed
// through inet_diag.
//
// SOCK_DESTROY is what `ss -K` uses: the program that owns the socket sees ECONNABORTED, its kernel
// sends RST, and so the other end sees ECONNRESET. Listening sockets are never touched.
//
// Threading: calls block, but only on the kernel. Errors: Errc::unsupported when the kernel was
// built without CONFIG_INET_DIAG_DESTROY.

#pragma once

#include <cstddef>
#include <functional>

#include "harness/base/error.hpp"
#include "harness/netlink/link.hpp"

namespace sunder::netlink {

struct ConnectionEnds {
  Ipv4 local;
  Ipv4 remote;
};

// Destroys the connections that `chosen` picks: how many there were.
[[nodiscard]] Result<std::size_t> destroy_connections(
    const std::function<bool(const ConnectionEnds&)>& chosen);

}  // namespace sunder::netlink
