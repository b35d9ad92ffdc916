// NetworkFaults: what can be done to the network inside the namespaces of nodes and clients: packet
// filters, destroyed connections, interfaces taken down.
//
// Links themselves (cut, degraded) are states of the fabric and changed through Cluster::apply().
// Here it is the ends that change, where a program is told: refused, reset, unreachable. Every
// change belongs to a fault by its number; faults compose, and undoing one leaves the others'.
//
// Threading: the run's single thread; calls block, but only on the kernel. Errors: a change that
// failed half-way is undone before returning; Errc::unsupported when the kernel cannot do it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"
#include "harness/netlink/packet_filter.hpp"

namespace sunder::cluster {

using DirectedLink = std::pair<std::uint16_t, std::uint16_t>;  // endpoints: from, to

class NetworkFaults {
 public:
  virtual ~NetworkFaults() = default;

  // Filters what goes over these links, where it arrives (withhold_reset: where it leaves). A fault
  // has at most one filter.
  [[nodiscard]] virtual Result<void> install_filter(std::uint32_t fault,
                                                    netlink::FilterAction action,
                                                    const std::vector<DirectedLink>& links) = 0;
  // Packets that the fault's filter acted on so far.
  [[nodiscard]] virtual Result<std::uint64_t> filter_count(std::uint32_t fault) = 0;
  // Removes the fault's filter; no error when it has none.
  [[nodiscard]] virtual Result<void> remove_filter(std::uint32_t fault) = 0;

  // Destroys the ends at `link.first` of TCP connections to `link.second`, for each link: how many.
  [[nodiscard]] virtual Result<std::size_t> destroy_connections(
      const std::vector<DirectedLink>& links) = 0;

  // Takes a node's interface down; up again when no fault wants it down, with all that the kernel
  // forgot meanwhile (neighbours).
  [[nodiscard]] virtual Result<void> take_down(std::uint32_t fault, std::size_t node) = 0;
  [[nodiscard]] virtual Result<void> bring_up(std::uint32_t fault, std::size_t node) = 0;
  [[nodiscard]] virtual Result<bool> is_up(std::size_t node) = 0;
  // Packets and connections that the node could not send for want of a route, since the cluster was
  // made.
  [[nodiscard]] virtual Result<std::uint64_t> unroutable(std::size_t node) = 0;

  // A connection from within the node's own namespace to its client port, which no cut concerns:
  // begun, not blocking. Error: refused at once.
  [[nodiscard]] virtual Result<base::FileDescriptor> connect_inside(std::size_t node) = 0;

  // What the kernel shows of faults: tables, interfaces that are down. One sentence each.
  [[nodiscard]] virtual Result<std::vector<std::string>> leftovers() = 0;
};

}  // namespace sunder::cluster
