// FakeNetwork: NetworkFaults that only remember what was asked of them and count on demand.

#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/cluster/network_faults.hpp"

namespace sunder::nemesis {

class FakeNetwork final : public cluster::NetworkFaults {
 public:
  struct Filter {
    netlink::FilterAction action = netlink::FilterAction::refuse;
    std::vector<cluster::DirectedLink> links;
  };

  Result<void> install_filter(std::uint32_t fault,
                              netlink::FilterAction action,
                              const std::vector<cluster::DirectedLink>& links) override {
    if (unsupported) return base::make_error(Errc::unsupported, "no nf_tables");
    filters[fault] = {action, links};
    installed.push_back(filters[fault]);
    return {};
  }

  Result<std::uint64_t> filter_count(std::uint32_t fault) override {
    return filters.contains(fault) ? hits : 0;
  }

  Result<void> remove_filter(std::uint32_t fault) override {
    filters.erase(fault);
    return {};
  }

  Result<std::size_t> destroy_connections(
      const std::vector<cluster::DirectedLink>& links) override {
    destroyed.push_back(links);
    return connections;
  }

  Result<void> take_down(std::uint32_t fault, std::size_t node) override {
    down[node].insert(fault);
    ever_down.insert(node);
    return {};
  }

  Result<void> bring_up(std::uint32_t fault, std::size_t node) override {
    down[node].erase(fault);
    if (down[node].empty()) down.erase(node);
    return {};
  }

  Result<bool> is_up(std::size_t node) override { return !down.contains(node); }

  Result<std::uint64_t> unroutable(std::size_t) override { return no_routes += 3; }

  Result<base::FileDescriptor> connect_inside(std::size_t) override {
    return base::make_error(Errc::unsupported, "a fake");
  }

  Result<std::vector<std::string>> leftovers() override { return std::vector<std::string>(); }

  std::map<std::uint32_t, Filter> filters;
  std::vector<Filter> installed;  // all there ever were
  std::vector<std::vector<cluster::DirectedLink>> destroyed;
  std::map<std::size_t, std::set<std::uint32_t>> down;
  std::set<std::size_t> ever_down;
  std::uint64_t hits = 7;
  std::size_t connections = 2;
  std::uint64_t no_routes = 0;
  bool unsupported = false;
};

}  // namespace sunder::nemesis
