// LocalNetwork: NetworkFaults on the namespaces of a fabric.
//
// Threading: the run's single thread, which must be the process' only one (it changes namespace for
// the length of a call).

#pragma once

#include <map>
#include <set>

#include "harness/cluster/fabric.hpp"
#include "harness/cluster/network_faults.hpp"

namespace sunder::cluster {

class LocalNetwork final : public NetworkFaults {
 public:
  // The fabric outlives it.
  explicit LocalNetwork(Fabric& fabric, std::size_t nodes, std::size_t clients)
      : fabric_(fabric), nodes_(nodes), clients_(clients) {}

  [[nodiscard]] Result<void> install_filter(std::uint32_t fault,
                                            netlink::FilterAction action,
                                            const std::vector<DirectedLink>& links) override;
  [[nodiscard]] Result<std::uint64_t> filter_count(std::uint32_t fault) override;
  [[nodiscard]] Result<void> remove_filter(std::uint32_t fault) override;
  [[nodiscard]] Result<std::size_t> destroy_connections(
      const std::vector<DirectedLink>& links) override;
  [[nodiscard]] Result<void> take_down(std::uint32_t fault, std::size_t node) override;
  [[nodiscard]] Result<void> bring_up(std::uint32_t fault, std::size_t node) override;
  [[nodiscard]] Result<bool> is_up(std::size_t node) override;
  [[nodiscard]] Result<std::uint64_t> unroutable(std::size_t node) override;
  [[nodiscard]] Result<base::FileDescriptor> connect_inside(std::size_t node) override;
  [[nodiscard]] Result<std::vector<std::string>> leftovers() override;

 private:
  // Number of an endpoint's namespace: the node's, or that of all clients after the last node's.
  [[nodiscard]] std::size_t station_of(std::uint16_t endpoint) const noexcept;
  [[nodiscard]] const netlink::NetworkNamespace& station(std::size_t number) const;
  [[nodiscard]] std::string station_name(std::size_t number) const;

  Fabric& fabric_;
  std::size_t nodes_;
  std::size_t clients_;
  std::map<std::uint32_t, std::set<std::size_t>> filters_;  // fault → stations with its table
  std::map<std::size_t, std::set<std::uint32_t>> down_;     // node → faults that want it down
};

}  // namespace sunder::cluster
