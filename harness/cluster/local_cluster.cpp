// LocalCluster: the Cluster of processes and namespaces on this machine.
//
// Each start of a node is an Incarnation, shared by the task that waits for the process and the
// task that reads its events; both end by themselves when the process has ended. Everything that
// waits for a node to end waits on its `changed` timer.

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/deadline.hpp"
#include "harness/base/file.hpp"
#include "harness/base/task_group.hpp"
#include "harness/clock_shim/process_clock.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/cluster/event_stream.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/launch.hpp"
#include "harness/cluster/local_network.hpp"

namespace sunder::cluster {
namespace {

namespace asio = boost::asio;

constexpr int kEventPipeBytes = 1 << 20;  // wished for; the kernel may give less
constexpr std::chrono::seconds kKillLimit{5};
// A node may take so long to end of what a fault did to it.
constexpr std::chrono::nanoseconds kLateEnd = std::chrono::seconds(1);
constexpr int kEndLooks = 2000;  // of a millisecond each

struct Incarnation {
  Incarnation(std::unique_ptr<Child> child_,
              asio::posix::stream_descriptor events_,
              EventStream stream_)
      : child(std::move(child_)), events(std::move(events_)), stream(std::move(stream_)) {}

  std::unique_ptr<Child> child;
  asio::posix::stream_descriptor events;
  EventStream stream;
  std::vector<int> signals;  // sent by us, in order
};

struct Node {
  explicit Node(const asio::any_io_executor& executor)
      : changed(executor, asio::steady_timer::time_point::max()) {}

  std::shared_ptr<Incarnation> current;  // from start() until the process is reaped
  NodeState state = NodeState::down;
  asio::steady_timer changed;        // cancelled (so: woken) each time the process has ended
  std::string how_ended;             // "exit 0", "signal 9": the last process that ended
  int tolerated = 0;                 // faults under which it may end
  std::int64_t tolerated_until = 0;  // and a little longer
  std::optional<Cluster::OwnEnd> own_end;
  bool start_again = false;  // once its process has been reaped
};

// The disk under one node, from its first start until everything stops.
struct NodeDisk {
  NodeDisk(const asio::any_io_executor& executor,
           std::unique_ptr<Child> child_,
           disk::Client client_)
      : child(std::move(child_)),
        client(std::move(client_)),
        changed(executor, asio::steady_timer::time_point::max()) {}

  std::unique_ptr<Child> child;
  std::optional<disk::Client> client;  // none: told to end
  asio::steady_timer changed;          // cancelled (so: woken) when the process has ended
  bool ended = false;
};

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit {}", WEXITSTATUS(status));
}

// Why the end of a process was not what our signals asked for; nothing when it was.
std::optional<std::string> unexpected_end(int status, const std::vector<int>& signals) {
  const auto sent = [&](int number) {
    return std::find(signals.begin(), signals.end(), number) != signals.end();
  };
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    if (sent(number)) return std::nullopt;
    return fmt::format("signal {}", number);
  }
  // A process that was only sent SIGKILL and yet exited did so by itself, an instant before.
  const int code = WEXITSTATUS(status);
  const bool asked = sent(SIGTERM) || sent(SIGINT);
  if (asked && (code == 0 || code == 128 + SIGTERM || code == 128 + SIGINT)) return std::nullopt;
  return fmt::format("exit {}", code);
}

// The letter that /proc gives for a process' state; 0 when there is no such process.
char process_state(int pid) {
  const auto text = base::read_file(fmt::format("/proc/{}/stat", pid));
  if (text.has_error()) return 0;
  const std::size_t name_end = text->rfind(')');
  return name_end != std::string::npos && name_end + 2 < text->size() ? (*text)[name_end + 2]
                                                                      : '\0';
}

// A process that reads its clock at the very instant of the healing may be told the old time once
// more.
constexpr int kClockLooks = 40;
constexpr int kClockLook_ms = 5;

// Of a clock that ought to be right: what it is set to, and what the node's processes saw of it
// last. Empty: nothing, or they have not looked since.
std::string what_is_wrong(const clock_shim::ProcessClock& clock, int looks) {
  if (clock.error().count() != 0) {
    return fmt::format("its clock is set {} ms wrong", clock.error().count() / 1'000'000);
  }
  const auto wrong = [&] {
    return clock.looked_since_change() && clock.readings().last.count() != 0;
  };
  while (wrong() && looks-- > 0) ::poll(nullptr, 0, kClockLook_ms);
  if (!wrong()) return {};
  return fmt::format("its processes read a clock that is {} ms wrong",
                     clock.readings().last.count() / 1'000'000);
}

// Waits, without reaping it, until a process that was sent SIGKILL has ended.
Result<void> await_end_of(int pid) {
  for (int look = 0; look < kEndLooks; ++look) {
    siginfo_t info{};
    const int flags = WEXITED | WNOWAIT | WNOHANG;
    // An error: it was reaped already.
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, flags) != 0 || info.si_pid == pid) return {};
    ::poll(nullptr, 0, 1);
  }
  return make_error(Errc::timed_out, fmt::format("process {} survives SIGKILL", pid));
}

class LocalCluster final : public Cluster {
 public:
  LocalCluster(asio::any_io_executor executor, ClusterOptions options, Fabric fabric)
      : executor_(executor),
        options_(std::move(options)),
        fabric_(std::make_unique<Fabric>(std::move(fabric))),
        network_(*fabric_, options_.nodes, options_.clients),
        tasks_(executor) {
    beside_.assign(options_.spares, 0);
    for (std::size_t i = 0; i < options_.nodes + options_.spares; ++i) {
      nodes_.push_back(std::make_unique<Node>(executor_));
    }
    disks_.resize(nodes_.size());
  }

  [[nodiscard]] std::size_t nodes() const noexcept override { return options_.nodes; }

  [[nodiscard]] std::size_t clients() const noexcept override { return options_.clients; }

  [[nodiscard]] std::string name(Endpoint endpoint) const override {
    return fabric_->name(fabric_->inner(endpoint));
  }

  [[nodiscard]] std::string address(Endpoint endpoint) const override {
    return netlink::to_text(fabric_->address(fabric_->inner(endpoint)));
  }

  [[nodiscard]] std::size_t spares() const noexcept override { return options_.spares; }

  [[nodiscard]] Result<void> place_beside(std::size_t spare, std::size_t node) override;

  [[nodiscard]] Result<asio::ip::tcp::socket> operator_socket() override {
    if (spares() == 0) return Cluster::operator_socket();
    return socket_from(static_cast<Endpoint>(nodes() + clients()));
  }

  [[nodiscard]] Result<void> start(std::size_t node) override;
  [[nodiscard]] Result<void> signal(std::size_t node, int number) override;
  [[nodiscard]] asio::awaitable<Result<void>> wait_down(std::size_t node,
                                                        std::chrono::nanoseconds limit) override;

  [[nodiscard]] NodeState state(std::size_t node) const override { return nodes_.at(node)->state; }

  [[nodiscard]] int pid(std::size_t node) const override;

  [[nodiscard]] std::string how_ended(std::size_t node) const override {
    return nodes_.at(node)->how_ended;
  }

  [[nodiscard]] const std::vector<Death>& unexpected_deaths() const noexcept override {
    return deaths_;
  }

  void tolerate_end(std::size_t node, bool tolerated) override {
    int& count = nodes_.at(node)->tolerated;
    count += tolerated ? 1 : -1;
    SUNDER_ASSERT(count >= 0);
    if (!tolerated) nodes_[node]->tolerated_until = options_.clock.now() + kLateEnd.count();
  }

  [[nodiscard]] NetworkFaults& network() noexcept override { return network_; }

  [[nodiscard]] std::optional<OwnEnd> own_end(std::size_t node) const override {
    return nodes_.at(node)->own_end;
  }

  [[nodiscard]] Result<void> start_once_ended(std::size_t node) override;
  [[nodiscard]] disk::Client* disk(std::size_t node) override;

  [[nodiscard]] Result<LinkChange> apply(FaultId fault, const LinkMatrix& overlay) override;
  [[nodiscard]] Result<LinkChange> withdraw(FaultId fault) override;

  [[nodiscard]] LinkMatrix installed() const override;

  [[nodiscard]] Result<std::vector<LinkCounters>> counters() const override;

  [[nodiscard]] Result<LinkProbe> probe(Endpoint from,
                                        Endpoint to,
                                        std::size_t count) const override {
    return LinkProbe::send(*fabric_, from, to, count);
  }

  [[nodiscard]] Result<std::vector<std::string>> leftovers() const override;
  [[nodiscard]] Result<asio::ip::tcp::socket> client_socket(std::size_t client) override;
  [[nodiscard]] clock_shim::ProcessClock* realtime_clock(std::size_t node) override;
  // A clock shim for every node, before the first one starts.
  [[nodiscard]] Result<void> make_clocks();
  using Cluster::run_beside;
  [[nodiscard]] asio::awaitable<Result<int>> run_beside(
      std::vector<std::string> command, std::map<std::string, std::string> environment) override;

  void on_event(EventHandler handler) override { handlers_.push_back(std::move(handler)); }

  [[nodiscard]] std::uint64_t dropped_events() const noexcept override;
  [[nodiscard]] asio::awaitable<void> stop_all(std::chrono::nanoseconds limit) override;

 private:
  [[nodiscard]] Result<LaunchOptions> launch_options(std::size_t node) const;
  [[nodiscard]] Result<LinkChange> install(std::map<FaultId, LinkMatrix> overlays);
  // Our endpoints' links with those of spares and of the operator, as the fabric numbers them.
  [[nodiscard]] LinkMatrix with_spares(const LinkMatrix& outer) const;
  // A socket in the clients' namespace with the address of this endpoint, or of the one after all
  // of them.
  [[nodiscard]] Result<asio::ip::tcp::socket> socket_from(Endpoint endpoint);

  [[nodiscard]] std::size_t inner_endpoints() const noexcept {
    return endpoints() + options_.spares + (options_.spares > 0 ? 1 : 0);
  }

  [[nodiscard]] asio::awaitable<void> watch(std::size_t node, std::shared_ptr<Incarnation> process);
  [[nodiscard]] asio::awaitable<void> read_events(std::shared_ptr<Incarnation> process);
  [[nodiscard]] asio::awaitable<Result<void>> ended(std::size_t node);
  [[nodiscard]] Result<void> start_disk(std::size_t node);
  [[nodiscard]] asio::awaitable<void> watch_disk(std::size_t node);
  [[nodiscard]] asio::awaitable<Result<void>> disk_ended(std::size_t node);
  [[nodiscard]] asio::awaitable<void> stop_disks();

  asio::any_io_executor executor_;
  ClusterOptions options_;
  std::unique_ptr<Fabric> fabric_;  // asking the kernel changes its socket, not what it stands for
  mutable LocalNetwork network_;
  std::vector<std::unique_ptr<Node>> nodes_;      // the last ones are spares
  std::vector<std::size_t> beside_;               // by spare: the node whose links it shares
  std::vector<std::unique_ptr<NodeDisk>> disks_;  // null: none yet
  std::vector<std::shared_ptr<Incarnation>> incarnations_;  // all there were, for what they dropped
  std::vector<clock_shim::ProcessClock> clocks_;            // one a node; none without a shim
  std::map<FaultId, LinkMatrix> overlays_;
  std::vector<EventHandler> handlers_;
  std::vector<Death> deaths_;
  std::vector<std::string> failures_;  // to start again what should have been
  base::TaskGroup tasks_;
};

// ---- processes ----

Result<LaunchOptions> LocalCluster::launch_options(std::size_t node) const {
  const std::filesystem::path directory =
      options_.directory / "nodes" / fmt::format("n{}", node + 1);
  NodeCommand command = options_.command(node, directory / "data");
  LaunchOptions launch;
  launch.program = std::move(command.program);
  launch.arguments = std::move(command.arguments);
  launch.environment = std::move(command.environment);
  if (node < clocks_.size())
    launch.environment.merge(clocks_[node].environment(options_.clock_shim));
  launch.network_namespace = fabric_->node_namespace(node).descriptor();
  launch.own_group = true;
  return launch;
}

Result<void> LocalCluster::start(std::size_t node) {
  Node& slot = *nodes_.at(node);
  const std::string who = fmt::format("n{}", node + 1);
  // One that was killed ends within moments, although nobody has reaped it yet.
  if (slot.current && slot.state == NodeState::down) {
    SUNDER_TRY(await_end_of(slot.current->child->pid()));
    slot.current.reset();
  }
  if (slot.current) return make_error(Errc::failed, fmt::format("start {}: it has not ended", who));
  if (!options_.disk_program.empty() && !disks_[node]) SUNDER_TRY(start_disk(node));
  auto launch = launch_options(node);
  if (launch.has_error()) return launch.error();
  const std::filesystem::path log = options_.directory / "nodes" / who / "log";
  const base::FileDescriptor output(
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!output.valid()) return base::system_error(fmt::format("open {}", log.string()));
  const base::FileDescriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input.valid()) return base::system_error("open /dev/null");
  int ends[2];
  // A node that finds the pipe full drops the event; it must never wait for us.
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return base::system_error("make an event pipe");
  base::FileDescriptor read_end(ends[0]);
  const base::FileDescriptor write_end(ends[1]);
  ::fcntl(write_end.get(), F_SETPIPE_SZ, kEventPipeBytes);
  launch->input = input.get();
  launch->output = output.get();
  launch->error = output.get();
  launch->events = write_end.get();
  auto child = Child::launch(executor_, *launch);
  if (child.has_error()) return with_context(child.error(), who);

  EventStream stream(who, options_.clock, [this](const history::NodeEvent& event) {
    for (const EventHandler& handler : handlers_) handler(event);
  });
  asio::posix::stream_descriptor events(executor_, read_end.release());
  slot.current =
      std::make_shared<Incarnation>(std::move(*child), std::move(events), std::move(stream));
  slot.state = NodeState::running;
  slot.own_end.reset();
  incarnations_.push_back(slot.current);
  tasks_.spawn("wait for " + who, watch(node, slot.current));
  tasks_.spawn("events of " + who, read_events(slot.current));
  return {};
}

asio::awaitable<void> LocalCluster::watch(std::size_t node, std::shared_ptr<Incarnation> process) {
  const auto status = co_await process->child->wait();
  Node& slot = *nodes_[node];
  std::optional<std::string> how;
  if (status.has_error()) {
    how = status.error().message();
  } else {
    how = unexpected_end(*status, process->signals);
  }
  slot.how_ended = status.has_error() ? *how : describe_end(*status);
  const std::int64_t now = options_.clock.now();
  const bool tolerated = slot.tolerated > 0 || now < slot.tolerated_until;
  if (how && !tolerated) {
    deaths_.push_back(Death{node, now, std::move(*how)});
  } else if (how && slot.current == process) {
    slot.own_end = OwnEnd{std::move(*how), now};
  }
  // Else its successor was started as soon as it was dead.
  if (slot.current == process) {
    slot.current.reset();
    slot.state = NodeState::down;
  }
  slot.changed.cancel();
  if (std::exchange(slot.start_again, false) && !slot.current) {
    const auto started = start(node);
    if (started.has_error()) failures_.push_back(started.error().message());
  }
  // A process that the node left behind may keep the pipe open: the reader takes what is there and
  // stops.
  boost::system::error_code already_closed;
  process->events.cancel(already_closed);
}

asio::awaitable<void> LocalCluster::read_events(std::shared_ptr<Incarnation> process) {
  std::array<char, 16 * 1024> bytes;
  for (;;) {
    const auto buffer = asio::buffer(bytes);
    const auto [error, count] =
        co_await process->events.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
    process->stream.feed(std::string_view(bytes.data(), count));
    if (error) break;
  }
  // What was written between the cancellation and now: at most what a pipe holds.
  for (int i = 0; i <= kEventPipeBytes; i += static_cast<int>(bytes.size())) {
    const ssize_t count = ::read(process->events.native_handle(), bytes.data(), bytes.size());
    if (count <= 0) break;
    process->stream.feed(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  }
  process->events.close();
}

Result<void> LocalCluster::signal(std::size_t node, int number) {
  Node& slot = *nodes_.at(node);
  if (!slot.current || slot.state == NodeState::down) {
    return base::system_error(ESRCH, fmt::format("signal n{}", node + 1));
  }
  const int leader = slot.current->child->pid();
  const bool everybody = number == SIGKILL || number == SIGSTOP || number == SIGCONT;
  slot.current->signals.push_back(number);
  if (::kill(everybody ? -leader : leader, number) != 0) {
    return base::system_error(fmt::format("signal n{}", node + 1));
  }
  if (number == SIGKILL) slot.state = NodeState::down;
  if (number == SIGSTOP) slot.state = NodeState::paused;
  if (number == SIGCONT) slot.state = NodeState::running;
  return {};
}

asio::awaitable<Result<void>> LocalCluster::ended(std::size_t node) {
  Node& slot = *nodes_[node];
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  while (slot.current) {
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_return make_error(Errc::cancelled, fmt::format("wait for the end of n{}", node + 1));
    }
    co_await slot.changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> LocalCluster::wait_down(std::size_t node,
                                                      std::chrono::nanoseconds limit) {
  SUNDER_ASSERT(node < nodes_.size());
  if (!nodes_[node]->current) co_return Result<void>();
  auto end = ended(node);
  auto result = co_await base::with_deadline(std::move(end), limit);
  if (result.has_error()) {
    co_return base::with_context(result.error(), fmt::format("end of n{}", node + 1));
  }
  co_return result;
}

int LocalCluster::pid(std::size_t node) const {
  const Node& slot = *nodes_.at(node);
  return slot.state == NodeState::down ? 0 : slot.current->child->pid();
}

asio::awaitable<void> LocalCluster::stop_all(std::chrono::nanoseconds limit) {
  for (const auto& node : nodes_) node->start_again = false;
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node]->state == NodeState::paused) (void)signal(node, SIGCONT);
    if (nodes_[node]->state == NodeState::running) (void)signal(node, SIGTERM);
  }
  const std::int64_t deadline = base::monotonic_ns() + limit.count();
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const std::int64_t rest = std::max<std::int64_t>(0, deadline - base::monotonic_ns());
    const auto down = co_await wait_down(node, std::chrono::nanoseconds(rest));
    if (down.has_value()) continue;
    (void)signal(node, SIGKILL);
    const auto killed = co_await wait_down(node, kKillLimit);
    SUNDER_ASSERT_MESSAGE(killed.has_value(), "a process survives SIGKILL");
  }
  co_await stop_disks();
  co_await tasks_.join();
}

Result<void> LocalCluster::start_once_ended(std::size_t node) {
  Node& slot = *nodes_.at(node);
  if (!slot.current) return start(node);
  SUNDER_ASSERT(slot.state == NodeState::down);
  slot.start_again = true;
  return {};
}

// ---- disks ----

Result<void> LocalCluster::start_disk(std::size_t node) {
  const std::string who = fmt::format("n{}", node + 1);
  const std::filesystem::path directory = options_.directory / "nodes" / who;
  const base::FileDescriptor output(
      ::open((directory / "disk.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!output.valid()) return base::system_error("open the log of the disk of " + who);
  const base::FileDescriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input.valid()) return base::system_error("open /dev/null");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return base::system_error("make a control socket");
  disk::Client client{base::FileDescriptor(ends[0])};
  LaunchOptions launch;
  {
    const base::FileDescriptor theirs(ends[1]);
    launch.program = options_.disk_program;
    launch.arguments = {
        "--directory", (directory / "data").string(), "--attic", (directory / "attic").string()};
    launch.input = input.get();
    launch.output = output.get();
    launch.error = output.get();
    launch.events = theirs.get();
    launch.own_group = true;
    auto child = Child::launch(executor_, launch);
    if (child.has_error()) return with_context(child.error(), "disk of " + who);
    disks_[node] = std::make_unique<NodeDisk>(executor_, std::move(*child), std::move(client));
  }
  tasks_.spawn("disk of " + who, watch_disk(node));
  const auto ready = disks_[node]->client->await_ready();
  if (ready.has_error()) return with_context(ready.error(), "disk of " + who);
  return {};
}

disk::Client* LocalCluster::disk(std::size_t node) {
  const auto& disk = disks_.at(node);
  return disk && disk->client && !disk->ended ? &*disk->client : nullptr;
}

asio::awaitable<void> LocalCluster::watch_disk(std::size_t node) {
  (void)co_await disks_[node]->child->wait();
  disks_[node]->ended = true;
  disks_[node]->changed.cancel();
}

asio::awaitable<Result<void>> LocalCluster::disk_ended(std::size_t node) {
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  while (!disks_[node]->ended) {
    if (cancellation.cancelled() != asio::cancellation_type::none)
      co_return make_error(Errc::cancelled, fmt::format("wait for the disk of n{}", node + 1));
    co_await disks_[node]->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return Result<void>();
}

// A disk whose control socket is closed unmounts and ends; one that does not is killed.
asio::awaitable<void> LocalCluster::stop_disks() {
  for (const auto& disk : disks_) {
    if (disk) disk->client.reset();
  }
  for (std::size_t node = 0; node < disks_.size(); ++node) {
    if (!disks_[node] || disks_[node]->ended) continue;
    auto end = disk_ended(node);
    const auto ended = co_await base::with_deadline(std::move(end), kKillLimit);
    if (ended.has_value()) continue;
    ::kill(disks_[node]->child->pid(), SIGKILL);
  }
}

// ---- links ----

Result<LinkChange> LocalCluster::install(std::map<FaultId, LinkMatrix> overlays) {
  LinkMatrix wanted(endpoints());
  for (const auto& [fault, overlay] : overlays) wanted = fold(wanted, overlay);
  auto change = fabric_->install(with_spares(wanted));
  if (change.has_value()) overlays_ = std::move(overlays);
  return change;
}

LinkMatrix LocalCluster::with_spares(const LinkMatrix& outer) const {
  LinkMatrix inner(inner_endpoints());
  const auto count = static_cast<Endpoint>(endpoints());
  for (Endpoint from = 0; from < count; ++from) {
    for (Endpoint to = 0; to < count; ++to) {
      inner.at(fabric_->inner(from), fabric_->inner(to)) = outer.at(from, to);
    }
  }
  for (std::size_t spare = 0; spare < spares(); ++spare) {
    const auto place = static_cast<Endpoint>(nodes() + spare);
    const auto node = static_cast<Endpoint>(beside_[spare]);
    for (Endpoint other = 0; other < count; ++other) {
      if (other == node) continue;
      inner.at(place, fabric_->inner(other)) = outer.at(node, other);
      inner.at(fabric_->inner(other), place) = outer.at(other, node);
    }
    for (std::size_t second = 0; second < spares(); ++second) {
      if (beside_[second] == beside_[spare]) continue;
      inner.at(place, static_cast<Endpoint>(nodes() + second)) =
          outer.at(node, static_cast<Endpoint>(beside_[second]));
    }
  }
  return inner;
}

LinkMatrix LocalCluster::installed() const {
  const LinkMatrix& inner = fabric_->installed();
  LinkMatrix outer(endpoints());
  const auto count = static_cast<Endpoint>(endpoints());
  for (Endpoint from = 0; from < count; ++from) {
    for (Endpoint to = 0; to < count; ++to) {
      outer.at(from, to) = inner.at(fabric_->inner(from), fabric_->inner(to));
    }
  }
  return outer;
}

Result<std::vector<LinkCounters>> LocalCluster::counters() const {
  auto inner = fabric_->counters();
  if (inner.has_error() || spares() == 0) return inner;
  std::vector<LinkCounters> outer;
  const auto count = static_cast<Endpoint>(endpoints());
  for (Endpoint from = 0; from < count; ++from) {
    for (Endpoint to = 0; to < count; ++to) {
      outer.push_back((*inner)[fabric_->inner(from) * inner_endpoints() + fabric_->inner(to)]);
    }
  }
  return outer;
}

Result<void> LocalCluster::place_beside(std::size_t spare, std::size_t node) {
  SUNDER_ASSERT(spare >= nodes() && spare < nodes() + spares());
  SUNDER_ASSERT(node < nodes());
  beside_[spare - nodes()] = node;
  auto change = install(overlays_);
  if (change.has_error()) return change.error();
  return {};
}

Result<LinkChange> LocalCluster::apply(FaultId fault, const LinkMatrix& overlay) {
  SUNDER_ASSERT(overlay.endpoints() == endpoints());
  auto overlays = overlays_;
  overlays.insert_or_assign(fault, overlay);
  return install(std::move(overlays));
}

Result<LinkChange> LocalCluster::withdraw(FaultId fault) {
  auto overlays = overlays_;
  overlays.erase(fault);
  return install(std::move(overlays));
}

Result<std::vector<std::string>> LocalCluster::leftovers() const {
  auto found = fabric_->unhealthy_links();
  if (found.has_error()) return found;
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node]->current) continue;
    const int process = nodes_[node]->current->child->pid();
    if (process_state(process) != 'T') continue;
    found->push_back(fmt::format("n{} (process {}) is stopped", node + 1, process));
  }
  const auto inside = network_.leftovers();
  if (inside.has_error()) return inside.error();
  found->insert(found->end(), inside->begin(), inside->end());
  for (std::size_t node = 0; node < clocks_.size(); ++node) {
    const std::string wrong = what_is_wrong(clocks_[node], kClockLooks);
    if (!wrong.empty()) found->push_back(fmt::format("n{}: {}", node + 1, wrong));
  }
  found->insert(found->end(), failures_.begin(), failures_.end());
  for (std::size_t node = 0; node < disks_.size(); ++node) {
    if (!disks_[node] || !disks_[node]->client) continue;
    const auto armed = disks_[node]->client->armed();
    if (armed.has_error()) {
      found->push_back(fmt::format("disk of n{}: {}", node + 1, armed.error().message()));
    } else if (*armed > 0) {
      found->push_back(fmt::format("{} fault(s) are armed on the disk of n{}", *armed, node + 1));
    }
  }
  return found;
}

// ---- clocks ----

Result<void> LocalCluster::make_clocks() {
  if (options_.clock_shim.empty()) return {};
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const std::string who = fmt::format("n{}", node + 1);
    auto clock = clock_shim::ProcessClock::create(options_.directory / "nodes" / who / "clock");
    if (clock.has_error()) return with_context(clock.error(), who);
    clocks_.push_back(std::move(*clock));
  }
  return {};
}

clock_shim::ProcessClock* LocalCluster::realtime_clock(std::size_t node) {
  return clocks_.empty() ? nullptr : &clocks_.at(node);
}

// ---- clients ----

Result<asio::ip::tcp::socket> LocalCluster::client_socket(std::size_t client) {
  SUNDER_ASSERT(client < clients());
  return socket_from(static_cast<Endpoint>(nodes() + client));
}

Result<asio::ip::tcp::socket> LocalCluster::socket_from(Endpoint endpoint) {
  base::FileDescriptor descriptor;
  {
    const netlink::NamespaceScope scope(fabric_->clients_namespace(), fabric_->home());
    descriptor.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  if (!descriptor.valid()) return base::system_error("open a client's socket");
  const int on = 1;
  // The port is chosen when connecting, so that one port serves many servers.
  ::setsockopt(descriptor.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(fabric_->address(fabric_->inner(endpoint)).bits);
  if (::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
    return base::system_error(fmt::format("bind a socket of c{}", endpoint - nodes() + 1));
  }
  asio::ip::tcp::socket socket(executor_);
  boost::system::error_code error;
  socket.assign(asio::ip::tcp::v4(), descriptor.get(), error);
  if (error) return base::system_error(error.value(), "watch a client's socket");
  (void)descriptor.release();
  return socket;
}

asio::awaitable<Result<int>> LocalCluster::run_beside(
    std::vector<std::string> command, std::map<std::string, std::string> environment) {
  SUNDER_ASSERT(!command.empty());
  auto program = find_program(command.front());
  if (program.has_error()) co_return program.error();
  LaunchOptions launch;
  launch.program = std::move(*program);
  launch.arguments.assign(command.begin() + 1, command.end());
  launch.environment = std::move(environment);
  launch.network_namespace = fabric_->clients_namespace().descriptor();
  auto child = Child::launch(executor_, launch);
  if (child.has_error()) co_return child.error();
  const auto status = co_await (*child)->wait();
  if (status.has_error()) co_return status.error();
  co_return WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
}

std::uint64_t LocalCluster::dropped_events() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& incarnation : incarnations_) sum += incarnation->stream.dropped();
  return sum;
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::create(asio::any_io_executor executor,
                                                 ClusterOptions options) {
  SUNDER_ASSERT(options.command != nullptr);
  const std::size_t nodes = options.nodes + options.spares;
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto directory = options.directory / "nodes" / fmt::format("n{}", node + 1) / "data";
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return Error{error, fmt::format("make {}", directory.string())};
  }
  auto fabric = Fabric::create(nodes, options.clients + (options.spares > 0 ? 1 : 0));
  if (fabric.has_error()) return with_context(fabric.error(), "build the fabric");
  fabric->set_spares(options.spares);
  auto made = std::make_unique<LocalCluster>(executor, std::move(options), std::move(*fabric));
  SUNDER_TRY(made->make_clocks());
  return std::unique_ptr<Cluster>(std::move(made));
}

}  // namespace sunder::cluster
