// FakeCluster: a Cluster without a network: nodes are idle child processes, links are a matrix that
// counts on demand.
//
// The children are real, so that signals, process states and reaping are. A child ends cleanly on
// SIGTERM.

#pragma once

#include <cerrno>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/cluster/cluster.hpp"
#include "tests/unit/nemesis/fake_network.hpp"

namespace sunder::nemesis {

class FakeCluster final : public cluster::Cluster {
 public:
  FakeCluster(std::size_t nodes, std::size_t clients) : clients_(clients), processes_(nodes) {
    for (std::size_t node = 0; node < nodes; ++node) SUNDER_ASSERT(start(node).has_value());
  }

  ~FakeCluster() override {
    for (std::size_t node = 0; node < processes_.size(); ++node) {
      if (processes_[node].pid == 0) continue;
      ::kill(processes_[node].pid, SIGKILL);
      reap(node);
    }
  }

  std::size_t nodes() const noexcept override { return processes_.size(); }

  std::size_t clients() const noexcept override { return clients_; }

  std::size_t spares() const noexcept override { return spare_count; }

  std::string name(cluster::Endpoint endpoint) const override {
    return endpoint < nodes() ? fmt::format("n{}", endpoint + 1)
                              : fmt::format("c{}", endpoint - nodes() + 1);
  }

  std::string address(cluster::Endpoint) const override { return {}; }

  Result<void> start(std::size_t node) override {
    if (fail_start == node) return base::make_error(Errc::failed, "start refused by the test");
    SUNDER_ASSERT(processes_[node].pid == 0);
    sigset_t terminate;
    sigset_t before;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigprocmask(SIG_BLOCK, &terminate, &before);  // inherited: no instant at which SIGTERM kills
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      int number = 0;
      sigwait(&terminate, &number);
      while (stubborn) ::pause();
      _exit(0);
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    SUNDER_ASSERT(pid > 0);
    processes_[node] = {pid, cluster::NodeState::running, processes_[node].how};
    return {};
  }

  Result<void> signal(std::size_t node, int number) override {
    if (vanished == node) return base::system_error(ESRCH, "signal " + name_of(node));
    if (processes_[node].pid == 0)
      return base::make_error(Errc::failed, name_of(node) + " is down");
    ::kill(processes_[node].pid, number);
    if (number == SIGSTOP) processes_[node].state = cluster::NodeState::paused;
    if (number == SIGCONT) processes_[node].state = cluster::NodeState::running;
    if (number == SIGKILL) processes_[node].state = cluster::NodeState::down;
    return {};
  }

  boost::asio::awaitable<Result<void>> wait_down(std::size_t node,
                                                 std::chrono::nanoseconds) override {
    ++waits;
    if (stubborn && processes_[node].state != cluster::NodeState::down) {
      co_return base::make_error(Errc::timed_out, "wait for " + name_of(node));
    }
    reap(node);
    co_return Result<void>();
  }

  cluster::NodeState state(std::size_t node) const override { return processes_[node].state; }

  int pid(std::size_t node) const override {
    return processes_[node].state == cluster::NodeState::down ? 0 : processes_[node].pid;
  }

  std::string how_ended(std::size_t node) const override { return processes_[node].how; }

  const std::vector<Death>& unexpected_deaths() const noexcept override { return deaths_; }

  void tolerate_end(std::size_t node, bool tolerated) override {
    tolerations[node] += tolerated ? 1 : -1;
  }

  cluster::NetworkFaults& network() noexcept override { return fake_network; }

  Result<cluster::LinkChange> apply(cluster::FaultId fault,
                                    const cluster::LinkMatrix& overlay) override {
    if (unsupported) return base::make_error(Errc::unsupported, "no such qdisc");
    overlays.insert_or_assign(fault, overlay);
    ++applied;
    return cluster::LinkChange{1, std::chrono::microseconds(800)};
  }

  Result<cluster::LinkChange> withdraw(cluster::FaultId fault) override {
    overlays.erase(fault);
    ++withdrawn;
    return cluster::LinkChange{1, std::chrono::microseconds(700)};
  }

  cluster::LinkMatrix installed() const override { return cluster::LinkMatrix(endpoints()); }

  // Every cut link drops as many frames as the test says between two readings.
  Result<std::vector<cluster::LinkCounters>> counters() const override {
    std::vector<cluster::LinkCounters> all(endpoints() * endpoints());
    for (auto& link : all) {
      link.dropped = readings_ * drops_per_reading;
      link.sent = readings_ * passes_per_reading;
      link.held_back = readings_ * waits_per_reading;
    }
    ++readings_;
    return all;
  }

  Result<std::vector<std::string>> leftovers() const override { return std::vector<std::string>(); }

  Result<boost::asio::ip::tcp::socket> client_socket(std::size_t) override {
    return base::make_error(Errc::unsupported, "a fake");
  }

  using Cluster::run_beside;

  boost::asio::awaitable<Result<int>> run_beside(std::vector<std::string>,
                                                 std::map<std::string, std::string>) override {
    co_return 0;
  }

  void on_event(EventHandler) override {}

  std::uint64_t dropped_events() const noexcept override { return 0; }

  boost::asio::awaitable<void> stop_all(std::chrono::nanoseconds) override { co_return; }

  std::map<cluster::FaultId, cluster::LinkMatrix> overlays;
  FakeNetwork fake_network;
  std::map<std::size_t, int> tolerations;
  std::size_t spare_count = 0;
  std::size_t applied = 0;
  std::size_t withdrawn = 0;
  std::size_t waits = 0;
  std::uint64_t drops_per_reading = 5;
  std::uint64_t passes_per_reading = 0;
  std::uint64_t waits_per_reading = 0;
  bool unsupported = false;  // links cannot be changed here
  bool stubborn = false;     // nodes started from now on ignore SIGTERM
  std::optional<std::size_t> fail_start;
  std::optional<std::size_t> vanished;  // ended by itself, which nobody has noticed yet

 private:
  struct Process {
    pid_t pid = 0;
    cluster::NodeState state = cluster::NodeState::down;
    std::string how;
  };

  static std::string name_of(std::size_t node) { return fmt::format("n{}", node + 1); }

  void reap(std::size_t node) {
    int status = 0;
    ::waitpid(processes_[node].pid, &status, 0);
    processes_[node].how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                               : fmt::format("exit {}", WEXITSTATUS(status));
    processes_[node].pid = 0;
    processes_[node].state = cluster::NodeState::down;
  }

  std::size_t clients_;
  std::vector<Process> processes_;
  std::vector<Death> deaths_;
  mutable std::uint64_t readings_ = 0;
};

}  // namespace sunder::nemesis
