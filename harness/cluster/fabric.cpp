#include "harness/cluster/fabric.hpp"

#include <cerrno>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/link_leaf.hpp"

namespace sunder::cluster {
namespace {

constexpr int kLoopback = 1;
constexpr int kInside =
    900;  // eth0 in every station; differs from every port (netlink/link.hpp says why)
constexpr int kBridge = 1000;
constexpr std::uint8_t kPrefix = 16;
constexpr std::size_t kStationsMax = 254;

netlink::HardwareAddress hardware_of(std::size_t station) {
  // 02: locally administered.
  return {0x02,
          0,
          0x0a,
          0,
          static_cast<std::uint8_t>(station >> 8),
          static_cast<std::uint8_t>(station + 1)};
}

// Before any interface exists, so that none ever gets an IPv6 address or speaks for one.
Result<void> disable_ipv6() {
  for (const char* which : {"all", "default"}) {
    const auto written = base::write_special_file(
        fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", which), "1");
    const bool absent =
        written.has_error() && written.error().code == std::errc::no_such_file_or_directory;
    if (written.has_error() && !absent) return written;
  }
  return {};
}

// A kernel without netem says "no such file": the reason in words.
Error explain(Error error, const LinkMatrix& wanted) {
  // Kernels from 6.16 on, and older ones with that change (a duplicate enters the whole tree
  // again), allow one duplicating netem to a device.
  if (error.context.find("duplicating netems") != std::string::npos) {
    return base::make_error(Errc::unsupported,
                            error.context +
                                ": this kernel duplicates on one link into a node, "
                                "where no other is degraded");
  }
  if (error.code != std::errc::no_such_file_or_directory) return error;
  for (std::size_t from = 0; from < wanted.endpoints(); ++from) {
    for (std::size_t to = 0; to < wanted.endpoints(); ++to) {
      const LinkState& state = wanted.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to));
      if (!needs_netem(state)) continue;
      return base::make_error(Errc::unsupported,
                              error.context +
                                  ": this kernel has no sch_netem; load it, or use "
                                  "--kernel uml");
    }
  }
  return error;
}

std::uint64_t key_of(int index, std::uint32_t handle) {
  return static_cast<std::uint64_t>(index) << 32 | handle;
}

}  // namespace

Fabric::Fabric(std::size_t nodes,
               std::size_t clients,
               netlink::NetworkNamespace home,
               netlink::Socket socket)
    : nodes_(nodes),
      clients_(clients),
      home_(std::move(home)),
      socket_(std::move(socket)),
      installed_(nodes + clients) {}

Result<Fabric> Fabric::create(std::size_t nodes, std::size_t clients) {
  SUNDER_ASSERT(nodes >= 1);
  SUNDER_ASSERT(nodes <= kStationsMax);
  SUNDER_ASSERT(clients <= kStationsMax);
  SUNDER_ASSERT(nodes * clients < 0xffff);  // classes on the clients' veth
  auto home = netlink::NetworkNamespace::current();
  if (home.has_error()) return home.error();
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error();
  Fabric fabric(nodes, clients, std::move(*home), std::move(*socket));
  SUNDER_TRY(fabric.connect_stations());
  for (std::size_t station = 0; station <= nodes; ++station) {
    SUNDER_TRY(fabric.furnish_station(station));
  }
  SUNDER_TRY(fabric.install_classes());
  return fabric;
}

Result<void> Fabric::connect_stations() {
  SUNDER_TRY(disable_ipv6());
  netlink::Batch batch;
  batch.add(netlink::create_bridge("bridge", kBridge), "create the bridge");
  for (std::size_t station = 0; station <= nodes_; ++station) {
    auto made = netlink::NetworkNamespace::create();
    if (made.has_error()) return made.error();
    stations_.push_back(std::move(*made));
    netlink::VethOptions veth;
    veth.name = station < nodes_ ? fmt::format("n{}", station + 1) : std::string("clients");
    veth.index = port(station);
    veth.master = kBridge;
    veth.peer_name = "eth0";
    veth.peer_index = kInside;
    veth.peer_namespace = stations_.back().descriptor();
    veth.peer_hardware = hardware_of(station);
    batch.add(netlink::create_veth(veth), fmt::format("create the veth of {}", veth.name));
    batch.add(netlink::add_forwarding(port(station), hardware_of(station)),
              fmt::format("tell the bridge where {} is", veth.name));
  }
  SUNDER_TRY(socket_.send_all(batch));
  for (std::size_t station = 0; station < nodes_; ++station) {
    SUNDER_TRY(netlink::disable_offloads(fmt::format("n{}", station + 1)));
  }
  return netlink::disable_offloads("clients");
}

Result<void> Fabric::furnish_station(std::size_t station) {
  const netlink::NamespaceScope scope(stations_[station], home_);
  SUNDER_TRY(disable_ipv6());
  SUNDER_TRY(netlink::disable_offloads("eth0"));
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error();
  netlink::Batch batch;
  batch.add(netlink::set_up(kLoopback), "bring lo up");
  batch.add(netlink::set_up(kInside), "bring eth0 up");
  for (std::size_t i = 0; i < endpoints(); ++i) {
    const auto endpoint = static_cast<Endpoint>(i);
    if (std::min(i, nodes_) != station) continue;
    batch.add(netlink::add_address(kInside, address(endpoint), kPrefix),
              fmt::format("give {} its address", name(endpoint)));
  }
  add_neighbours(station, batch);
  return socket->send_all(batch);
}

void Fabric::add_neighbours(std::size_t station, netlink::Batch& batch) const {
  for (std::size_t i = 0; i < endpoints(); ++i) {
    const auto endpoint = static_cast<Endpoint>(i);
    const std::size_t home_station = std::min(i, nodes_);
    if (home_station == station) continue;
    batch.add(netlink::add_neighbour(kInside, address(endpoint), hardware_of(home_station)),
              fmt::format("make {} a neighbour", name(endpoint)));
  }
}

Result<void> Fabric::take_down(std::size_t node) {
  SUNDER_ASSERT(node < nodes_);
  const netlink::NamespaceScope scope(stations_[node], home_);
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error();
  netlink::Batch batch;
  batch.add(netlink::set_down(kInside), fmt::format("take eth0 of n{} down", node + 1));
  return socket->send_all(batch);
}

Result<void> Fabric::bring_up(std::size_t node) {
  SUNDER_ASSERT(node < nodes_);
  const netlink::NamespaceScope scope(stations_[node], home_);
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error();
  netlink::Batch batch;
  batch.add(netlink::set_up(kInside), fmt::format("bring eth0 of n{} up", node + 1));
  // The address and its route come back by themselves; neighbours, permanent ones too, do not.
  add_neighbours(node, batch);
  const auto refusals = socket->send(batch);
  if (refusals.has_error()) return refusals.error();
  for (const netlink::Refusal& refusal : *refusals) {
    if (refusal.error_number == EEXIST) continue;
    return base::system_error(refusal.error_number, refusal.what);
  }
  return {};
}

Result<void> Fabric::install_classes() {
  netlink::Batch batch;
  for (std::size_t station = 0; station <= nodes_; ++station) {
    batch.add(netlink::create_htb(port(station)), fmt::format("HTB of station {}", station));
  }
  for_each_link([&](Endpoint from, Endpoint to) {
    const Place where = place(from, to);
    const std::string link = fmt::format("{} → {}", name(from), name(to));
    netlink::Match match{address(from), std::nullopt};
    if (to >= nodes_) match.destination = address(to);
    batch.add(netlink::create_htb_class(where.index, where.minor, kFull_rate), "class of " + link);
    batch.add(netlink::replace_leaf(where.index, where.minor, leaf_of(LinkState{}, 0)),
              "leaf of " + link);
    batch.add(netlink::create_filter(where.index, where.minor, match), "filter of " + link);
  });
  return socket_.send_all(batch);
}

Result<LinkChange> Fabric::install(const LinkMatrix& wanted) {
  SUNDER_ASSERT(wanted.endpoints() == endpoints());
  netlink::Batch forward;
  netlink::Batch backward;
  LinkMatrix next = installed_;
  LinkChange change;
  for_each_link([&](Endpoint from, Endpoint to) {
    const LinkState& before = installed_.at(from, to);
    const LinkState& after = wanted.at(from, to);
    if (before == after) return;
    next.at(from, to) = after;
    if (change_link(from, to, before, after, forward)) ++change.links;
    (void)change_link(from, to, after, before, backward);
  });
  if (forward.empty()) {
    installed_ = std::move(next);
    return change;
  }
  const std::int64_t begun = base::monotonic_ns();
  if (auto sent = socket_.send_all(forward); sent.has_error()) {
    const auto undone = socket_.send_all(backward);
    if (undone.has_error()) return with_context(sent.error(), "not undone");
    return explain(sent.error(), wanted);
  }
  change.installing = std::chrono::nanoseconds(base::monotonic_ns() - begun);
  installed_ = std::move(next);
  return change;
}

bool Fabric::change_link(Endpoint from,
                         Endpoint to,
                         const LinkState& before,
                         const LinkState& after,
                         netlink::Batch& batch) const {
  const Place where = place(from, to);
  const std::uint64_t number = from * endpoints() + to;
  const netlink::Leaf leaf = leaf_of(after, number);
  const bool leaf_changes = leaf_of(before, number) != leaf;
  const bool rate_changes = class_rate_of(before) != class_rate_of(after);
  if (!leaf_changes && !rate_changes) return false;
  const std::string what = fmt::format("make {} → {} {}", name(from), name(to), describe(after));
  if (rate_changes) {
    batch.add(netlink::change_htb_class(where.index, where.minor, class_rate_of(after)), what);
  }
  if (leaf_changes) batch.add(netlink::replace_leaf(where.index, where.minor, leaf), what);
  return true;
}

Result<std::vector<LinkCounters>> Fabric::counters() {
  std::unordered_map<std::uint64_t, LinkCounters> by_class;
  std::unordered_map<std::uint64_t, std::uint64_t> overtook;
  for (std::size_t station = 0; station <= nodes_; ++station) {
    SUNDER_TRY(socket_.dump(netlink::dump_classes(port(station)), [&](const nlmsghdr& message) {
      const auto object = netlink::parse_traffic(message);
      if (!object) return;
      by_class[key_of(object->index, object->handle)] = {.sent = object->packets,
                                                         .dropped = object->dropped,
                                                         .held_back = object->overlimits,
                                                         .queued = object->queued};
    }));
  }
  if (reorders()) {
    for (std::size_t station = 0; station <= nodes_; ++station) {
      SUNDER_TRY(socket_.dump(netlink::dump_qdiscs(port(station)), [&](const nlmsghdr& message) {
        const auto object = netlink::parse_traffic(message);
        if (object) overtook[key_of(object->index, object->parent)] = object->requeues;
      }));
    }
  }
  std::vector<LinkCounters> counters(endpoints() * endpoints());
  for_each_link([&](Endpoint from, Endpoint to) {
    const Place where = place(from, to);
    const std::uint64_t key = key_of(where.index, netlink::handle(1, where.minor));
    LinkCounters& link = counters[from * endpoints() + to];
    link = by_class[key];
    if (const auto found = overtook.find(key); found != overtook.end()) {
      link.overtook = found->second;
    }
  });
  return counters;
}

bool Fabric::reorders() const {
  bool found = false;
  for_each_link(
      [&](Endpoint from, Endpoint to) { found = found || installed_.at(from, to).reorder > 0; });
  return found;
}

Result<std::vector<std::string>> Fabric::unhealthy_links() {
  std::unordered_map<std::uint64_t, netlink::Leaf> leaves;
  std::unordered_map<std::uint64_t, std::uint64_t> rates;
  for (std::size_t station = 0; station <= nodes_; ++station) {
    SUNDER_TRY(socket_.dump(netlink::dump_qdiscs(port(station)), [&](const nlmsghdr& message) {
      const auto object = netlink::parse_traffic(message);
      if (object) leaves[key_of(object->index, object->parent)] = {object->kind, object->options};
    }));
    SUNDER_TRY(socket_.dump(netlink::dump_classes(port(station)), [&](const nlmsghdr& message) {
      const auto object = netlink::parse_traffic(message);
      if (!object) return;
      rates[key_of(object->index, object->handle)] = netlink::htb_rate(object->options).value_or(0);
    }));
  }
  std::vector<std::string> found;
  const netlink::Leaf healthy = leaf_of(LinkState{}, 0);
  for_each_link([&](Endpoint from, Endpoint to) {
    const Place where = place(from, to);
    const std::uint64_t key = key_of(where.index, netlink::handle(1, where.minor));
    const netlink::Leaf& leaf = leaves[key];
    const std::uint64_t rate = rates[key];
    if (leaf == healthy && rate == kFull_rate) return;
    std::string what = leaf.kind.empty() ? "missing" : leaf.kind;
    if (rate != kFull_rate) what += fmt::format(" at {} bytes a second", rate);
    found.push_back(fmt::format("the link {} → {} is {}", name(from), name(to), what));
  });
  return found;
}

const netlink::NetworkNamespace& Fabric::node_namespace(std::size_t node) const {
  SUNDER_ASSERT(node < nodes_);
  return stations_[node];
}

const netlink::NetworkNamespace& Fabric::clients_namespace() const {
  return stations_.back();
}

const netlink::NetworkNamespace& Fabric::namespace_of(Endpoint endpoint) const {
  return endpoint < nodes_ ? node_namespace(endpoint) : clients_namespace();
}

std::string Fabric::name(Endpoint endpoint) const {
  SUNDER_ASSERT(endpoint < endpoints());
  return endpoint < nodes_ ? fmt::format("n{}", endpoint + 1)
                           : fmt::format("c{}", endpoint - nodes_ + 1);
}

netlink::Ipv4 Fabric::address(Endpoint endpoint) const {
  SUNDER_ASSERT(endpoint < endpoints());
  const bool node = endpoint < nodes_;
  const std::size_t number = node ? endpoint + 1 : endpoint - nodes_ + 1;
  return netlink::ipv4(10, 0, node ? 0 : 1, static_cast<std::uint8_t>(number));
}

bool Fabric::has_state(Endpoint from, Endpoint to) const noexcept {
  return from != to && (from < nodes_ || to < nodes_);
}

Fabric::Place Fabric::place(Endpoint from, Endpoint to) const noexcept {
  if (to < nodes_) return {port(to), static_cast<std::uint16_t>(from + 1)};
  const std::size_t pair = from * clients_ + (to - nodes_);
  return {port(nodes_), static_cast<std::uint16_t>(pair + 1)};
}

int Fabric::port(std::size_t station) const noexcept {
  return kBridge + 1 + static_cast<int>(station);
}

void Fabric::for_each_link(const std::function<void(Endpoint, Endpoint)>& each) const {
  for (std::size_t from = 0; from < endpoints(); ++from) {
    for (std::size_t to = 0; to < endpoints(); ++to) {
      const auto source = static_cast<Endpoint>(from);
      const auto target = static_cast<Endpoint>(to);
      if (has_state(source, target)) each(source, target);
    }
  }
}

}  // namespace sunder::cluster
