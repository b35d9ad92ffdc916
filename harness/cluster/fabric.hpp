// Fabric: the network of one run: one bridge, a namespace for each node and one for all clients, a
// state for each link.
//
// Every veth's bridge end carries an HTB with one class for each sender (on the clients' veth: for
// each pair of node and client), a u32 filter on the source address (there: and the destination)
// and one leaf qdisc that is the link's state. All of them are in the runner's namespace, so a new
// matrix is one netlink batch.
//
// Neighbours and the bridge's forwarding table are static and IPv6 is off, so no frame is ever
// flooded: what a leaf counts was meant for it. Links between clients have no state; they never
// leave their namespace.
//
// Counters are those of the HTB classes, which the kernel keeps while leaves come and go below
// them; only what netem reordered is the leaf's. What a leaf held is lost when another kind takes
// its place.
//
// Threading: the run's single thread. Errors: install() undoes a half-installed change before it
// returns; create() leaves nothing that does not go away with the returned error's universe.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/netlink/namespace.hpp"
#include "harness/netlink/socket.hpp"
#include "harness/netlink/traffic.hpp"

namespace sunder::cluster {

class Fabric {
 public:
  // Precondition: inside a universe; 1 ≤ nodes ≤ 254, clients ≤ 254.
  [[nodiscard]] static Result<Fabric> create(std::size_t nodes, std::size_t clients);

  // The last nodes are spares: a Cluster's endpoints leave them out, so its clients have lower
  // numbers there than here.
  void set_spares(std::size_t spares) noexcept { spares_ = spares; }

  // The number here of a Cluster's endpoint.
  [[nodiscard]] Endpoint inner(Endpoint outer) const noexcept {
    const bool client = outer + spares_ >= nodes_;
    return static_cast<Endpoint>(client ? outer + spares_ : outer);
  }

  // Makes every link what `wanted` says, in one batch of the differences.
  [[nodiscard]] Result<LinkChange> install(const LinkMatrix& wanted);

  [[nodiscard]] const LinkMatrix& installed() const noexcept { return installed_; }

  // As [from * endpoints + to]; zero for links without state.
  [[nodiscard]] Result<std::vector<LinkCounters>> counters();
  // Links whose leaf or rate in the kernel is not healthy: "the link n1 → n2 is blackhole".
  [[nodiscard]] Result<std::vector<std::string>> unhealthy_links();

  // Takes a node's eth0 down; brings it up again and gives back what the kernel forgot meanwhile.
  [[nodiscard]] Result<void> take_down(std::size_t node);
  [[nodiscard]] Result<void> bring_up(std::size_t node);

  [[nodiscard]] const netlink::NetworkNamespace& home() const noexcept { return home_; }

  [[nodiscard]] const netlink::NetworkNamespace& node_namespace(std::size_t node) const;
  [[nodiscard]] const netlink::NetworkNamespace& clients_namespace() const;
  // The node's, or that of all clients.
  [[nodiscard]] const netlink::NetworkNamespace& namespace_of(Endpoint endpoint) const;

  [[nodiscard]] std::string name(Endpoint endpoint) const;
  [[nodiscard]] netlink::Ipv4 address(Endpoint endpoint) const;

 private:
  // Where a link's class is.
  struct Place {
    int index = 0;  // interface
    std::uint16_t minor = 0;
  };

  Fabric(std::size_t nodes,
         std::size_t clients,
         netlink::NetworkNamespace home,
         netlink::Socket socket);

  [[nodiscard]] std::size_t endpoints() const noexcept { return nodes_ + clients_; }

  [[nodiscard]] bool has_state(Endpoint from, Endpoint to) const noexcept;
  [[nodiscard]] Place place(Endpoint from, Endpoint to) const noexcept;
  [[nodiscard]] int port(std::size_t station) const noexcept;
  // Adds to the batch what makes the link `after`; false: nothing, the kernel sees no difference.
  [[nodiscard]] bool change_link(Endpoint from,
                                 Endpoint to,
                                 const LinkState& before,
                                 const LinkState& after,
                                 netlink::Batch& batch) const;
  [[nodiscard]] bool reorders() const;
  void for_each_link(const std::function<void(Endpoint from, Endpoint to)>& each) const;

  [[nodiscard]] Result<void> connect_stations();
  [[nodiscard]] Result<void> furnish_station(std::size_t station);
  void add_neighbours(std::size_t station, netlink::Batch& batch) const;
  [[nodiscard]] Result<void> install_classes();

  std::size_t nodes_;
  std::size_t clients_;
  std::size_t spares_ = 0;
  netlink::NetworkNamespace home_;
  netlink::Socket socket_;                           // in home_
  std::vector<netlink::NetworkNamespace> stations_;  // one for each node, then the clients'
  LinkMatrix installed_;
};

}  // namespace sunder::cluster
