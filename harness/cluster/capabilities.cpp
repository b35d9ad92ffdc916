#include "harness/cluster/capabilities.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/clock_shim/library.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/launch.hpp"
#include "harness/cluster/universe.hpp"
#include "harness/netlink/connections.hpp"
#include "harness/netlink/packet_filter.hpp"

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

// Every kind of filter, installed, read and removed: each needs expressions of its own.
Failure probe_nf_tables() {
  using netlink::FilterAction;
  for (const FilterAction action : {FilterAction::refuse,
                                    FilterAction::refuse_new,
                                    FilterAction::drop_new,
                                    FilterAction::withhold_reset}) {
    const netlink::AddressPair pair{netlink::ipv4(10, 0, 0, 1), netlink::ipv4(10, 0, 0, 2)};
    const netlink::FilterTable table{"probe", action, {pair}};
    const auto installed = netlink::install_filter(table);
    if (installed.has_error()) return installed.error().message();
    const auto count = netlink::filter_count(table.name);
    if (count.has_error()) return count.error().message();
    const auto removed = netlink::remove_filter(table.name);
    if (removed.has_error()) return removed.error().message();
  }
  const auto left = netlink::filter_tables();
  if (left.has_error()) return left.error().message();
  return left->empty() ? "" : "the kernel shows a filter that was removed";
}

// A connection over lo, and its end.
Failure probe_sock_destroy() {
  const base::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const base::FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool connected = ::bind(listener.get(), generic, size) == 0 &&
                         ::listen(listener.get(), 1) == 0 &&
                         ::getsockname(listener.get(), generic, &size) == 0 &&
                         ::connect(client.get(), generic, size) == 0;
  if (!connected) return std::strerror(errno);
  const auto any = [](const netlink::ConnectionEnds&) { return true; };
  const auto destroyed = netlink::destroy_connections(any);
  if (destroyed.has_error()) return destroyed.error().message();
  char byte = 0;
  const bool broken = ::recv(client.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN;
  return *destroyed > 0 && broken ? "" : "a destroyed connection goes on";
}

Failure probe_fuse() {
  const base::FileDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device.valid()) return base::system_error("/dev/fuse").message();
  const std::string options =
      fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", device.get());
  // Any folder does: the mount is this universe's alone.
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  if (::mount("sunder", "/sys", "fuse.sunder", kFlags, options.c_str()) != 0) {
    return base::system_error("mount a FUSE file system").message();
  }
  ::umount2("/sys", MNT_DETACH);
  return {};
}

// A limit of another process, lowered.
Failure probe_prlimit() {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  if (child < 0) return std::strerror(errno);
  const rlimit few{16, 16};
  const bool lowered = ::prlimit(child, RLIMIT_NOFILE, &few, nullptr) == 0;
  const Failure failure = lowered ? "" : std::strerror(errno);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return failure;
}

// The line of `text` that contains `part`; empty: none does.
std::string line_with(const std::string& text, std::string_view part) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) != std::string::npos) return line;
  }
  return {};
}

// A group of our own below the one we are in, with the controllers that limit.
Failure probe_cgroup() {
  const auto mounts = base::read_file("/proc/self/mountinfo");
  const auto groups = base::read_file("/proc/self/cgroup");
  if (mounts.has_error() || groups.has_error()) return "there is no /proc";
  const std::string mount = line_with(*mounts, " - cgroup2 ");
  const std::string group = line_with(*groups, "0::/");
  if (mount.empty() || group.empty()) return "no cgroup v2 is mounted";
  std::istringstream fields(mount);
  std::string place;
  for (int i = 0; i < 5; ++i) fields >> place;  // the fifth is where
  const std::string ours = place + group.substr(group.find('/'));
  const std::string probe = fmt::format("{}/sunder-probe-{}", ours, ::getpid());
  if (::mkdir(probe.c_str(), 0755) != 0) return base::system_error("below " + ours).message();
  const bool limits = ::access((probe + "/cpu.max").c_str(), W_OK) == 0 &&
                      ::access((probe + "/memory.max").c_str(), W_OK) == 0;
  ::rmdir(probe.c_str());
  return limits ? "" : fmt::format("{} does not pass cpu and memory on to groups below it", ours);
}

Failure probe_clock_shim() {
  const auto library = clock_shim::find_library();
  return library.has_value() ? clock_shim::probe_library(*library) : library.error().message();
}

Failure probe_file(const char* path) {
  const base::FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  return file.valid() ? "" : base::system_error(path).message();
}

Failure probe_pressure() {
  return probe_file("/proc/pressure/cpu");
}

Failure probe_hosts() {
  return probe_file("/etc/hosts");
}

Failure probe_redis_cli() {
  const auto found = find_program("redis-cli");
  return found.has_value() ? "" : found.error().message();
}

constexpr const char* kUmlModules = "/usr/lib/uml/modules";

// Whether modules.dep of User-Mode Linux names a module; unknown where there is none.
std::optional<bool> uml_has_module(std::string_view name) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kUmlModules, error)) {
    const auto list = base::read_file(entry.path() / "modules.dep");
    if (list.has_value()) return list->find(fmt::format("/{}.ko", name)) != std::string::npos;
  }
  return std::nullopt;
}

Failure probe_uml() {
  const auto found = find_program("linux.uml");
  if (found.has_error()) return found.error().message();
  return uml_has_module("veth").value_or(false) ? ""
                                                : fmt::format("no modules below {}", kUmlModules);
}

// ---- the table ----

enum class Where { outside, universe };

// How it is known, without booting, whether User-Mode Linux has it.
enum class UnderUml { as_here, has, lacks, by_module, by_booting };

struct Row {
  const char* name;
  const char* purpose;
  const char* detail;
  const char* remedy;
  Where where;
  Failure (*probe)();
  UnderUml under_uml;
  const char* module = "";
  bool required = false;
};

// The universe itself has no probe: it works when the others can be made inside it.
constexpr std::array kRows{
    Row{.name = "universe",
        .purpose = "private namespaces for a run",
        .detail = "user, mount, PID, network, UTS and IPC namespaces",
        .remedy = "the setting named here, or sudo",
        .where = Where::universe,
        .probe = [] { return Failure(); },
        .under_uml = UnderUml::has,
        .required = true},
    Row{.name = "links",
        .purpose = "nodes' networks and cuts between them",
        .detail = "veth, bridge, HTB, u32, blackhole",
        .remedy = "sudo modprobe -a veth bridge sch_htb cls_u32",
        .where = Where::universe,
        .probe = &probe_fabric,
        .under_uml = UnderUml::by_module,
        .module = "bridge",
        .required = true},
    Row{.name = "netem",
        .purpose = "delay, loss, duplication and reordering of packets",
        .detail = "sch_netem",
        .remedy = "sudo modprobe sch_netem",
        .where = Where::universe,
        .probe = &probe_netem,
        .under_uml = UnderUml::by_module,
        .module = "sch_netem"},
    Row{.name = "nf_tables",
        .purpose = "refused connections",
        .detail = "a table of our own that answers with RST",
        .remedy = "sudo modprobe -a nf_tables nft_reject_ipv4",
        .where = Where::universe,
        .probe = &probe_nf_tables,
        .under_uml = UnderUml::by_module,
        .module = "nft_reject_ipv4"},
    Row{.name = "sock-destroy",
        .purpose = "breaking established connections",
        .detail = "SOCK_DESTROY of a connection over lo",
        .remedy = "a kernel with CONFIG_INET_DIAG_DESTROY, as Debian's is",
        .where = Where::universe,
        .probe = &probe_sock_destroy,
        .under_uml = UnderUml::by_booting},
    Row{.name = "fuse",
        .purpose = "disk faults",
        .detail = "/dev/fuse, mounted in a universe",
        .remedy = "sudo modprobe fuse; sudo chmod 0666 /dev/fuse",
        .where = Where::universe,
        .probe = &probe_fuse,
        .under_uml = UnderUml::by_module,
        .module = "fuse"},
    Row{.name = "clock shim",
        .purpose = "wrong realtime clocks, one node at a time",
        .detail = "a library preloaded into date(1)",
        .remedy = "put libsunder_clock.so beside sunder, in a path without spaces or colons",
        .where = Where::outside,
        .probe = &probe_clock_shim,
        .under_uml = UnderUml::as_here},
    Row{.name = "prlimit",
        .purpose = "limits of running nodes",
        .detail = "the descriptors of a process that runs",
        .remedy = "a seccomp filter that allows prlimit64",
        .where = Where::outside,
        .probe = &probe_prlimit,
        .under_uml = UnderUml::has},
    Row{.name = "cgroup",
        .purpose = "processor and memory limits of nodes",
        .detail = "a group of our own with cpu and memory",
        .remedy = "systemd-run --user --scope -p Delegate=yes sunder …",
        .where = Where::outside,
        .probe = &probe_cgroup,
        .under_uml = UnderUml::by_booting},
    Row{.name = "pressure",
        .purpose = "noticing that the host is overloaded",
        .detail = "/proc/pressure/cpu",
        .remedy = "boot with psi=1; without it only the harness' own delays are watched",
        .where = Where::outside,
        .probe = &probe_pressure,
        .under_uml = UnderUml::by_booting},
    Row{.name = "host names",
        .purpose = "n1, n2 … as names inside a universe",
        .detail = "/etc/hosts",
        .remedy = "sudo touch /etc/hosts; addresses work without it",
        .where = Where::outside,
        .probe = &probe_hosts,
        .under_uml = UnderUml::as_here},
    Row{.name = "redis-cli",
        .purpose = "talking to nodes by hand",
        .detail = "redis-cli",
        .remedy = "sudo apt install redis-tools",
        .where = Where::outside,
        .probe = &probe_redis_cli,
        .under_uml = UnderUml::as_here},
    Row{.name = "user-mode linux",
        .purpose = "a kernel with netem, which many lack",
        .detail = "linux.uml and its modules",
        .remedy = "sudo apt install user-mode-linux",
        .where = Where::outside,
        .probe = &probe_uml,
        .under_uml = UnderUml::lacks},
};

// Runs the probes of rows that want one in a universe; an error when there can be none. Their
// failures come back by a pipe, one line each, in the order of the rows.
Result<std::vector<Failure>> probe_inside() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::system_error("make a pipe");
  const base::FileDescriptor read_end(ends[0]);
  base::FileDescriptor write_end(ends[1]);
  const auto status = enter_universe({}, [&write_end] {
    // Each on its own: one that dies must not take the others' words with it.
    for (const Row& row : kRows) {
      if (row.where == Where::outside) continue;
      Failure failure = row.probe();
      for (char& letter : failure) letter = letter == '\n' ? ' ' : letter;
      if (base::write_all(write_end.get(), failure + "\n").has_error()) return 1;
    }
    return 0;
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
  failures.resize(kRows.size(), "the probe died");
  return failures;
}

std::optional<bool> under_uml(const Row& row, bool works) {
  switch (row.under_uml) {
    case UnderUml::as_here:
      return works;
    case UnderUml::has:
      return true;
    case UnderUml::lacks:
      return false;
    case UnderUml::by_module:
      return uml_has_module(row.module);
    case UnderUml::by_booting:
      return std::nullopt;
  }
  return std::nullopt;
}

Capability capability_of(const Row& row, const Failure& failure) {
  const bool works = failure.empty();
  return {.name = row.name,
          .purpose = row.purpose,
          .required = row.required,
          .works = works,
          .detail = works ? row.detail : failure,
          .remedy = works ? "" : row.remedy,
          .under_uml = under_uml(row, works)};
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
  std::vector<Capability> capabilities;
  std::size_t next_inside = 0;
  for (const Row& row : kRows) {
    Failure failure;
    if (row.where == Where::outside) {
      failure = row.probe();
    } else if (inside.has_error()) {
      const bool first = next_inside++ == 0;
      failure = first ? inside.error().message() : "needs a universe";
    } else {
      failure = (*inside)[next_inside++];
    }
    capabilities.push_back(capability_of(row, failure));
  }
  return capabilities;
}

}  // namespace sunder::cluster
