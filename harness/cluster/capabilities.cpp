#include "harness/cluster/capabilities.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/clock_shim/library.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/launch.hpp"
#include "harness/cluster/universe.hpp"

namespace sunder::cluster {
namespace {

constexpr int kLoopback = 1;

// What a probe inside the universe saw: empty when it works, the kernel's words otherwise.
using Failure = std::string;

Failure probe_fabric() {
  auto fabric = Fabric::create(2, 1);
  if (fabric.has_error()) return fabric.error().message();
  LinkMatrix cut(3);
  cut.at(0, 1).blackhole = true;
  const auto change = fabric->install(cut);
  if (change.has_error()) return change.error().message();
  const auto unhealthy = fabric->unhealthy_links();
  if (unhealthy.has_error()) return unhealthy.error().message();
  return unhealthy->size() == 1 ? "" : "the kernel does not show the cut that it accepted";
}

Failure probe_netem() {
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error().message();
  tc_netem_qopt options{};
  options.limit = 1000;
  const auto bytes = std::as_bytes(std::span<const tc_netem_qopt, 1>(&options, 1));
  const netlink::Leaf netem{"netem", {bytes.begin(), bytes.end()}};
  netlink::Batch batch;
  batch.add(netlink::replace_root(kLoopback, netem), "add netem to lo");
  const auto added = socket->send_all(batch);
  return added.has_value() ? "" : added.error().message();
}

// One message of an nf_tables transaction.
struct NetfilterMessage {
  nlmsghdr header{};
  nfgenmsg generic{};
};

// A transaction that makes a table: begin, new table "t", end.
std::vector<std::byte> new_table_transaction() {
  std::vector<std::byte> bytes;
  const auto add =
      [&](std::uint16_t type, std::uint16_t flags, std::uint16_t resource, bool named) {
        NetfilterMessage message;
        message.header.nlmsg_type = type;
        message.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        message.header.nlmsg_seq = 1;
        message.generic.nfgen_family = named ? 1 : AF_UNSPEC;  // NFPROTO_INET
        message.generic.res_id = resource;
        struct {
          nlattr head{sizeof(nlattr) + 2, NFTA_TABLE_NAME};
          std::array<char, 4> name{'t', '\0', '\0', '\0'};
        } table;
        message.header.nlmsg_len = sizeof message + (named ? sizeof table : 0);
        const auto* const first = reinterpret_cast<const std::byte*>(&message);
        bytes.insert(bytes.end(), first, first + sizeof message);
        const auto* const second = reinterpret_cast<const std::byte*>(&table);
        if (named) bytes.insert(bytes.end(), second, second + sizeof table);
      };
  const std::uint16_t subsystem = htons(NFNL_SUBSYS_NFTABLES);
  add(NFNL_MSG_BATCH_BEGIN, 0, subsystem, false);
  add(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, 0, true);
  add(NFNL_MSG_BATCH_END, 0, subsystem, false);
  return bytes;
}

Failure probe_nf_tables() {
  const base::FileDescriptor socket(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket.valid()) return std::strerror(errno);
  const std::vector<std::byte> request = new_table_transaction();
  if (::send(socket.get(), request.data(), request.size(), 0) < 0) return std::strerror(errno);
  std::array<std::byte, 4096> answer;
  // The kernel answers within the send.
  const ssize_t count = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (count < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(int))) return "no answer";
  int error = 0;
  std::memcpy(&error, answer.data() + sizeof(nlmsghdr), sizeof error);
  return error == 0 ? "" : std::strerror(-error);
}

Failure probe_clock_shim() {
  const auto library = clock_shim::find_library();
  return library.has_value() ? clock_shim::probe_library(*library) : library.error().message();
}

struct Inside {
  const char* name;
  Failure (*probe)();
};

constexpr std::array kInside{Inside{"links", &probe_fabric},
                             Inside{"netem", &probe_netem},
                             Inside{"nf_tables", &probe_nf_tables}};

// Runs the probes of kInside in a universe; an error when there can be none. Their failures come
// back by a pipe, one line each.
Result<std::vector<Failure>> probe_inside() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::system_error("make a pipe");
  const base::FileDescriptor read_end(ends[0]);
  base::FileDescriptor write_end(ends[1]);
  const auto status = enter_universe({}, [&write_end] {
    std::string report;
    for (const Inside& inside : kInside) report += inside.probe() + "\n";
    return base::write_all(write_end.get(), report).has_value() ? 0 : 1;
  });
  if (status.has_error()) return status.error();
  write_end.reset();
  std::string text;
  std::array<char, 4096> bytes;
  for (ssize_t count = 0; (count = ::read(read_end.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  std::vector<Failure> failures;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) failures.push_back(line);
  failures.resize(kInside.size(), "the probe died");
  return failures;
}

Capability from_failure(Capability capability, const Failure& failure) {
  capability.works = failure.empty();
  if (!failure.empty()) capability.detail = failure;
  if (capability.works) capability.remedy.clear();
  return capability;
}

Capability probe_file(Capability capability, const char* path, int flags) {
  const base::FileDescriptor file(::open(path, flags | O_CLOEXEC));
  return from_failure(std::move(capability),
                      file.valid() ? "" : std::string(path) + ": " + std::strerror(errno));
}

Capability probe_program(Capability capability, const std::string& program) {
  const auto found = find_program(program);
  if (found.has_value()) capability.detail = found->string();
  return from_failure(std::move(capability), found.has_value() ? "" : found.error().message());
}

}  // namespace

bool is_user_mode_linux() {
  static const bool is = [] {
    const auto text = base::read_file("/proc/cpuinfo");
    return text.has_value() && text->find("User Mode Linux") != std::string::npos;
  }();
  return is;
}

std::vector<Capability> probe_capabilities() {
  const auto inside = probe_inside();
  const Failure no_universe = inside.has_error() ? inside.error().message() : "";
  const auto failure_of = [&](std::size_t index) {
    return inside.has_error() ? "needs a universe" : (*inside)[index];
  };
  return {
      from_failure({.name = "universe",
                    .purpose = "private namespaces for a run",
                    .required = true,
                    .detail = "user, mount, PID, network, UTS and IPC namespaces",
                    .remedy = "the setting named here, or sudo"},
                   no_universe),
      from_failure({.name = "links",
                    .purpose = "nodes' networks and cuts between them",
                    .required = true,
                    .detail = "veth, bridge, HTB, u32, blackhole",
                    .remedy = "sudo modprobe -a veth bridge sch_htb cls_u32"},
                   failure_of(0)),
      from_failure({.name = "netem",
                    .purpose = "delay, loss, duplication and reordering of packets",
                    .detail = "sch_netem",
                    .remedy = "sudo modprobe sch_netem"},
                   failure_of(1)),
      from_failure({.name = "nf_tables",
                    .purpose = "refused connections",
                    .detail = "a table of our own",
                    .remedy = "sudo modprobe nf_tables"},
                   failure_of(2)),
      probe_file({.name = "fuse",
                  .purpose = "disk faults",
                  .detail = "/dev/fuse",
                  .remedy = "sudo modprobe fuse; sudo chmod 0666 /dev/fuse"},
                 "/dev/fuse",
                 O_RDWR),
      from_failure({.name = "clock shim",
                    .purpose = "wrong realtime clocks, one node at a time",
                    .detail = "a library preloaded into date(1)",
                    .remedy = "put libsunder_clock.so beside sunder, in a path without spaces or "
                              "colons"},
                   probe_clock_shim()),
      probe_file({.name = "pressure",
                  .purpose = "noticing that the host is overloaded",
                  .detail = "/proc/pressure/cpu",
                  .remedy = "boot with psi=1; without it only the harness' own delays are watched"},
                 "/proc/pressure/cpu",
                 O_RDONLY),
      probe_file({.name = "host names",
                  .purpose = "n1, n2 … as names inside a universe",
                  .detail = "/etc/hosts",
                  .remedy = "sudo touch /etc/hosts; addresses work without it"},
                 "/etc/hosts",
                 O_RDONLY),
      probe_program({.name = "redis-cli",
                     .purpose = "talking to nodes by hand",
                     .remedy = "sudo apt-get install redis-tools"},
                    "redis-cli"),
      probe_program({.name = "user-mode linux",
                     .purpose = "a kernel with netem and other faults that this one lacks",
                     .remedy = "sudo apt-get install user-mode-linux"},
                    "linux.uml"),
  };
}

}  // namespace sunder::cluster
