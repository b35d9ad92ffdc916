#include "harness/cluster/local_network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness/base/assert.hpp"
#include "harness/netlink/connections.hpp"
#include "harness/netlink/namespace.hpp"

namespace sunder::cluster {
namespace {

constexpr std::uint16_t kClientPort = 6379;

std::string table_of(std::uint32_t fault) {
  return fmt::format("sunder_fault_{}", fault);
}

// Whether eth0 of the calling thread's namespace is up. Its carrier follows soon after, when the
// kernel gets round to it.
Result<bool> interface_is_up() {
  const base::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::system_error("open a socket");
  ifreq request{};
  std::memcpy(request.ifr_name, "eth0", 5);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
    return base::system_error("ask for the flags of eth0");
  }
  return (request.ifr_flags & IFF_UP) != 0;
}

// IpOutNoRoutes of the calling thread's namespace.
Result<std::uint64_t> unroutable_here() {
  const auto text = base::read_file("/proc/thread-self/net/snmp");
  if (text.has_error()) return text.error();
  std::istringstream lines(*text);
  std::string names;
  std::string values;
  while (std::getline(lines, names) && std::getline(lines, values)) {
    if (!names.starts_with("Ip:")) continue;
    std::istringstream name_words(names);
    std::istringstream value_words(values);
    std::string name;
    std::string value;
    while (name_words >> name && value_words >> value) {
      if (name == "OutNoRoutes") return std::strtoull(value.c_str(), nullptr, 10);
    }
  }
  return make_error(Errc::failed, "/proc/net/snmp has no OutNoRoutes");
}

}  // namespace

std::size_t LocalNetwork::station_of(std::uint16_t endpoint) const noexcept {
  return std::min<std::size_t>(endpoint, nodes_);
}

const netlink::NetworkNamespace& LocalNetwork::station(std::size_t number) const {
  return number < nodes_ ? fabric_.node_namespace(number) : fabric_.clients_namespace();
}

std::string LocalNetwork::station_name(std::size_t number) const {
  return number < nodes_ ? fmt::format("n{}", number + 1) : std::string("the clients");
}

Result<void> LocalNetwork::install_filter(std::uint32_t fault,
                                          netlink::FilterAction action,
                                          const std::vector<DirectedLink>& links) {
  SUNDER_ASSERT(!filters_.contains(fault));
  std::map<std::size_t, netlink::FilterTable> tables;
  const bool leaving = action == netlink::FilterAction::withhold_reset;
  for (const auto& [from, to] : links) {
    netlink::FilterTable& table = tables[station_of(leaving ? from : to)];
    table.pairs.push_back(
        {fabric_.address(fabric_.inner(from)), fabric_.address(fabric_.inner(to))});
  }
  for (auto& [number, table] : tables) {
    table.name = table_of(fault);
    table.action = action;
    const netlink::NamespaceScope scope(station(number), fabric_.home());
    auto installed = netlink::install_filter(table);
    if (installed.has_error()) {
      const std::string where = station_name(number);
      auto error = base::with_context(installed.error(), where);
      const auto undone = remove_filter(fault);
      if (undone.has_error()) return base::with_context(error, "not undone");
      return error;
    }
    filters_[fault].insert(number);
  }
  return {};
}

Result<std::uint64_t> LocalNetwork::filter_count(std::uint32_t fault) {
  std::uint64_t sum = 0;
  const auto found = filters_.find(fault);
  if (found == filters_.end()) return sum;
  for (const std::size_t number : found->second) {
    const netlink::NamespaceScope scope(station(number), fabric_.home());
    const auto count = netlink::filter_count(table_of(fault));
    if (count.has_error()) return count;
    sum += *count;
  }
  return sum;
}

Result<void> LocalNetwork::remove_filter(std::uint32_t fault) {
  const auto found = filters_.find(fault);
  if (found == filters_.end()) return {};
  Result<void> outcome;
  for (const std::size_t number : found->second) {
    const netlink::NamespaceScope scope(station(number), fabric_.home());
    auto removed = netlink::remove_filter(table_of(fault));
    if (removed.has_error() && outcome.has_value()) outcome = removed;
  }
  filters_.erase(found);
  return outcome;
}

Result<std::size_t> LocalNetwork::destroy_connections(const std::vector<DirectedLink>& links) {
  std::map<std::size_t, std::vector<netlink::AddressPair>> pairs;
  for (const auto& [at, remote] : links) {
    pairs[station_of(at)].push_back(
        {fabric_.address(fabric_.inner(at)), fabric_.address(fabric_.inner(remote))});
  }
  std::size_t sum = 0;
  for (const auto& [number, chosen] : pairs) {
    const netlink::NamespaceScope scope(station(number), fabric_.home());
    const auto destroyed =
        netlink::destroy_connections([&chosen = chosen](const netlink::ConnectionEnds& ends) {
          const netlink::AddressPair pair{ends.local, ends.remote};
          return std::find(chosen.begin(), chosen.end(), pair) != chosen.end();
        });
    if (destroyed.has_error()) return destroyed;
    sum += *destroyed;
  }
  return sum;
}

Result<void> LocalNetwork::take_down(std::uint32_t fault, std::size_t node) {
  SUNDER_ASSERT(node < nodes_);
  auto& faults = down_[node];
  if (faults.empty()) SUNDER_TRY(fabric_.take_down(node));
  faults.insert(fault);
  return {};
}

Result<void> LocalNetwork::bring_up(std::uint32_t fault, std::size_t node) {
  const auto found = down_.find(node);
  if (found == down_.end() || found->second.erase(fault) == 0) return {};
  if (!found->second.empty()) return {};
  down_.erase(found);
  return fabric_.bring_up(node);
}

Result<bool> LocalNetwork::is_up(std::size_t node) {
  const netlink::NamespaceScope scope(station(node), fabric_.home());
  return interface_is_up();
}

Result<std::uint64_t> LocalNetwork::unroutable(std::size_t node) {
  const netlink::NamespaceScope scope(station(node), fabric_.home());
  return unroutable_here();
}

Result<base::FileDescriptor> LocalNetwork::connect_inside(std::size_t node) {
  SUNDER_ASSERT(node < nodes_);
  const netlink::NamespaceScope scope(station(node), fabric_.home());
  base::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::system_error("open a socket");
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(kClientPort);
  target.sin_addr.s_addr = htonl(fabric_.address(static_cast<Endpoint>(node)).bits);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
      errno != EINPROGRESS) {
    return base::system_error(fmt::format("connect to n{}", node + 1));
  }
  return socket;
}

Result<std::vector<std::string>> LocalNetwork::leftovers() {
  std::vector<std::string> found;
  for (std::size_t number = 0; number <= nodes_; ++number) {
    const netlink::NamespaceScope scope(station(number), fabric_.home());
    const auto up = interface_is_up();
    if (up.has_error()) return up.error();
    if (!*up) found.push_back(fmt::format("the interface of {} is down", station_name(number)));
    const auto tables = netlink::filter_tables();
    // Without nf_tables there are none.
    if (tables.has_error()) continue;
    for (const std::string& table : *tables) {
      found.push_back(fmt::format("{} has a packet filter {}", station_name(number), table));
    }
  }
  return found;
}

}  // namespace sunder::cluster
