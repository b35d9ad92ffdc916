// Cluster: the nodes of one run, each a real process in its own network namespace, and the links
// between everybody.
//
// What a nemesis acts on and what clients connect through. Exists only inside a universe
// (universe.hpp): the fabric is made of namespaces, veths and one bridge that the kernel removes
// with the universe, so nothing here cleans up the host. Endpoints are numbered densely: nodes
// 0…N-1 (n1…nN), then clients N…N+M-1 (c1…cM).
//
// Links are directed. Every fault contributes an overlay (LinkMatrix); the state installed is the
// fold of all overlays (the strongest cut wins), so healing one fault recomputes from the rest.
//
// Threading: the run's single thread. Errors: netlink failures are returned; a change that failed
// half-way is undone before returning.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/cluster/link_probe.hpp"
#include "harness/disk/control.hpp"
#include "harness/history/run_context.hpp"
#include "harness/netlink/delay_table.hpp"

namespace sunder::clock_shim {
class ProcessClock;
}

namespace sunder::cluster {

using Endpoint = std::uint16_t;  // index as above
using FaultId = std::uint32_t;

// How a link's delay varies: an even spread, or one of netem's shapes, the heavier tail last.
enum class Distribution : std::uint8_t { uniform, normal, pareto_normal, pareto, table };

// What one fault wants of one directed link. Shares are probabilities from 0 to 1. All zero is a
// healthy link, and a part of strength zero is as if it were absent.
struct LinkState {
  bool blackhole = false;              // every frame is dropped, silently, and counted
  std::chrono::nanoseconds delay{0};   // each packet waits so long
  std::chrono::nanoseconds jitter{0};  // and so much more or less, by chance
  Distribution distribution = Distribution::uniform;  // of the jitter
  netlink::DelayTable table = {};                     // for Distribution::table
  bool overtaking = false;  // jitter may change the order of packets; else it is kept
  double loss = 0;
  double loss_burst = 0;  // mean number of packets lost in a row; up to 1: each by itself
  double duplicate = 0;
  double reorder = 0;      // this share does not wait for the delay; nothing where there is none
  double corrupt = 0;      // one bit inverted
  std::uint64_t rate = 0;  // bits a second; 0: unlimited
  std::uint64_t seed = 0;  // of the chances above, where the kernel takes one

  // Nothing of it is felt.
  [[nodiscard]] bool healthy() const noexcept;

  friend bool operator==(const LinkState& a, const LinkState& b) noexcept;
};

// The same with every part that has no strength reset: the seed of no chance, the shape of no
// jitter.
[[nodiscard]] LinkState normalized(LinkState state) noexcept;

// The state of a link on which two faults act: a cut wins, delays and jitters add, probabilities
// combine as 1 - (1 - p)(1 - q), the longest burst, heaviest tail and lowest rate count.
// Commutative, associative up to rounding, with the healthy state as neutral element.
[[nodiscard]] LinkState fold(const LinkState& a, const LinkState& b) noexcept;

// A file in iproute2's .dist format as the shape of jitter. Errc::unreadable_input.
[[nodiscard]] Result<netlink::DelayTable> load_delay_table(const std::filesystem::path& file);

// "delay 20ms ± 5ms normal, loss 10% in bursts of 4, rate 1 Mbit/s"; "cut"; "healthy".
[[nodiscard]] std::string describe(const LinkState& state);

// One state per directed pair of endpoints; healthy by default.
class LinkMatrix {
 public:
  explicit LinkMatrix(std::size_t endpoints)
      : endpoints_(endpoints), states_(endpoints * endpoints) {}

  [[nodiscard]] std::size_t endpoints() const noexcept { return endpoints_; }

  [[nodiscard]] const LinkState& at(Endpoint from, Endpoint to) const {
    return states_.at(from * endpoints_ + to);
  }

  LinkState& at(Endpoint from, Endpoint to) { return states_.at(from * endpoints_ + to); }

  friend bool operator==(const LinkMatrix&, const LinkMatrix&) = default;

 private:
  std::size_t endpoints_;
  std::vector<LinkState> states_;
};

// Both matrices at once, link by link. Precondition: of the same size.
[[nodiscard]] LinkMatrix fold(const LinkMatrix& a, const LinkMatrix& b);

struct LinkChange {
  std::size_t links = 0;  // directed links whose state changed
  std::chrono::nanoseconds installing{
      0};  // from the first byte sent to the kernel to its last acknowledgement
};

// Frames counted on a link since the cluster was made.
struct LinkCounters {
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::uint64_t held_back = 0;  // how often the link had to wait for its rate
  std::uint64_t overtook = 0;   // frames put before others; of the present leaf only
  std::uint64_t queued = 0;     // frames on their way now
};

enum class NodeState : std::uint8_t { down, running, paused };

struct NodeCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to ours
};

struct ClusterOptions {
  std::size_t nodes = 5;
  std::size_t clients = 10;
  std::size_t spares = 0;           // further nodes, for changes of members
  std::filesystem::path directory;  // the run's; nodes/nK/{log,data} are made below it
  std::function<NodeCommand(std::size_t node, const std::filesystem::path& data_directory)> command;
  base::RunClock clock;  // for events' times
  // libsunder_clock.so: nodes are started with it, so that their clocks can be set wrong. Empty:
  // without.
  std::filesystem::path clock_shim{};
  // sunder-disk, to put a disk that can fail under each node's data directory; empty: no such
  // disks, and no cost.
  std::filesystem::path disk_program = {};
};

class NetworkFaults;

class Cluster {
 public:
  // Builds the fabric (no node is started). Precondition: inside a universe.
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> create(
      boost::asio::any_io_executor executor, ClusterOptions options);
  virtual ~Cluster() = default;

  [[nodiscard]] virtual std::size_t nodes() const noexcept = 0;
  [[nodiscard]] virtual std::size_t clients() const noexcept = 0;

  [[nodiscard]] std::size_t endpoints() const noexcept { return nodes() + clients(); }

  // "n1", "c3".
  [[nodiscard]] virtual std::string name(Endpoint endpoint) const = 0;
  // 10.0.0.K for nodes, 10.0.1.C for clients.
  [[nodiscard]] virtual std::string address(Endpoint endpoint) const = 0;

  // Spare nodes have a place in the network from the start, but a process only once somebody starts
  // it. In start(), signal(), wait_down(), state(), pid() and how_ended() they are the numbers from
  // nodes() on; no endpoint of a LinkMatrix is one, so no fault aims at them. The links of a spare
  // are those of the node that it was placed beside: who is cut off is cut off from both.
  [[nodiscard]] virtual std::size_t spares() const noexcept { return 0; }

  // Precondition: spare from nodes() on, node below.
  [[nodiscard]] virtual Result<void> place_beside(std::size_t spare, std::size_t node);

  // As client_socket(), of somebody whom no fault cuts off: the operator. Only where there are
  // spares.
  [[nodiscard]] virtual Result<boost::asio::ip::tcp::socket> operator_socket();

  // Processes. A node's standard error goes to nodes/nK/log (appended across restarts), fd 3 to the
  // event handlers.
  // Error while the process of an earlier start has not ended: await wait_down() first, unless it
  // was killed.
  [[nodiscard]] virtual Result<void> start(std::size_t node) = 0;
  // Sends a signal to the node's process. SIGKILL and SIGSTOP change its state at once. Error when
  // it is down.
  [[nodiscard]] virtual Result<void> signal(std::size_t node, int number) = 0;
  // Waits until the process has ended (reaped). Errc::timed_out after `limit`.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> wait_down(
      std::size_t node, std::chrono::nanoseconds limit) = 0;
  [[nodiscard]] virtual NodeState state(std::size_t node) const = 0;
  // 0 when down.
  [[nodiscard]] virtual int pid(std::size_t node) const = 0;

  // How the node's last process ended: "exit 0", "signal 9"; empty: none has ended yet.
  [[nodiscard]] virtual std::string how_ended(std::size_t node) const = 0;

  // How a node that ended without being asked to ended: "exit 134", "signal 6"; empty otherwise.
  // Such a death is the system's own failure, recorded with its time, and never silently restarted.
  struct Death {
    std::size_t node = 0;
    std::int64_t time = 0;
    std::string how;
  };

  [[nodiscard]] virtual const std::vector<Death>& unexpected_deaths() const noexcept = 0;

  // While a fault is such that a node may rightly end because of it (no descriptors, no memory, a
  // disk that fails), the end is not an unexpected death; the fault starts it again. Calls nest.
  virtual void tolerate_end(std::size_t node, bool tolerated) = 0;

  // A tolerated end after which the node is still down.
  struct OwnEnd {
    std::string how;
    std::int64_t time = 0;
  };

  [[nodiscard]] virtual std::optional<OwnEnd> own_end(std::size_t /*node*/) const { return {}; }

  // Starts a node that was killed as soon as its process has been reaped; for healing, which cannot
  // wait.
  [[nodiscard]] virtual Result<void> start_once_ended(std::size_t node) { return start(node); }

  // The disk under a node's data directory; null when the cluster was made without.
  [[nodiscard]] virtual disk::Client* disk(std::size_t /*node*/) { return nullptr; }

  // Links. apply() adds or replaces the overlay of a fault, withdraw() removes it; each installs
  // the difference of the fold in one netlink batch.
  [[nodiscard]] virtual Result<LinkChange> apply(FaultId fault, const LinkMatrix& overlay) = 0;
  [[nodiscard]] virtual Result<LinkChange> withdraw(FaultId fault) = 0;
  [[nodiscard]] virtual LinkMatrix installed() const = 0;
  // Reads the kernel's counters of every link, as [from * endpoints + to].
  [[nodiscard]] virtual Result<std::vector<LinkCounters>> counters() const = 0;
  // Sends `count` datagrams over a link, to be read later (link_probe.hpp).
  [[nodiscard]] virtual Result<LinkProbe> probe(Endpoint from,
                                                Endpoint to,
                                                std::size_t count) const;
  // Asks the kernel, not our memory, for what is left of faults: one sentence each (a leaf that is
  // not healthy, a stopped process). Empty: all healed.
  [[nodiscard]] virtual Result<std::vector<std::string>> leftovers() const = 0;

  // What can be done to the network inside the namespaces (network_faults.hpp).
  [[nodiscard]] virtual NetworkFaults& network() noexcept = 0;

  // A TCP socket inside the clients' namespace, bound to the client's address, not yet connected.
  [[nodiscard]] virtual Result<boost::asio::ip::tcp::socket> client_socket(std::size_t client) = 0;

  // The realtime clock of the node's processes, across restarts; null without a clock shim.
  [[nodiscard]] virtual clock_shim::ProcessClock* realtime_clock(std::size_t /*node*/) {
    return nullptr;
  }

  // Runs a program inside the clients' namespace with our standard streams and environment, to
  // which `environment` is added (sunder up): exit status.
  [[nodiscard]] virtual boost::asio::awaitable<Result<int>> run_beside(
      std::vector<std::string> command, std::map<std::string, std::string> environment) = 0;

  [[nodiscard]] boost::asio::awaitable<Result<int>> run_beside(std::vector<std::string> command) {
    return run_beside(std::move(command), std::map<std::string, std::string>());
  }

  // Events of nodes, in order of arrival, called from the loop. Handlers live as long as the
  // cluster.
  using EventHandler = std::function<void(const history::NodeEvent&)>;
  virtual void on_event(EventHandler handler) = 0;
  [[nodiscard]] virtual std::uint64_t dropped_events() const noexcept = 0;

  // Ends every node (SIGTERM, then SIGKILL after `limit`) and waits for them and their events.
  // Await it before the cluster is destroyed, also after an error: the destructor asserts that no
  // node runs.
  [[nodiscard]] virtual boost::asio::awaitable<void> stop_all(std::chrono::nanoseconds limit) = 0;
};

}  // namespace sunder::cluster
