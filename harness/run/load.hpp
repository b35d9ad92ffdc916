// Load: the clients of a run, each a loop of invoke, wait, record.
//
// A client that got info is retired: its successor has a new process number and a fresh connection.
// Closed loop: the next operation follows the last at once; open loop: operations are due by a
// seeded Poisson process, and a client that has fallen behind catches up without pause (it never
// has two in flight).
//
// Threading: the run's single thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/random.hpp"
#include "harness/base/task_group.hpp"
#include "harness/run/recorder.hpp"
#include "workloads/client.hpp"
#include "workloads/workload.hpp"

namespace sunder::run {

struct LoadOptions {
  std::size_t clients = 10;
  double rate = 0;  // of all clients together; 0: closed loop
  base::Random random{0};
  // A fresh client for an endpoint (0…clients-1).
  std::function<std::unique_ptr<workloads::Client>(std::size_t endpoint)> make_client;
  std::function<void()> on_acknowledged = {};  // after each acknowledged operation; may be empty
};

class Load {
 public:
  Load(LoadOptions options, workloads::Workload& workload, Recorder& recorder);

  // Spawns the clients' loops; they end at their next operation after stop().
  void start(base::TaskGroup& tasks);

  void stop() noexcept { stopping_ = true; }

  // The workload's final reads, shared out among the clients; none begins after `limit`. Call when
  // the loops have ended.
  [[nodiscard]] boost::asio::awaitable<void> final_reads(std::chrono::nanoseconds limit);

  // Process → endpoint, in order of first use (RunContext::process_endpoints).
  [[nodiscard]] const std::vector<std::pair<std::int64_t, std::uint32_t>>& processes()
      const noexcept {
    return processes_;
  }

  // Operations acknowledged per endpoint so far.
  [[nodiscard]] const std::vector<std::uint64_t>& acknowledged() const noexcept {
    return acknowledged_;
  }

  void close();

 private:
  struct Seat {
    std::int64_t process = -1;
    std::unique_ptr<workloads::Client> client;
  };

  boost::asio::awaitable<void> client_loop(std::size_t endpoint);
  // False: cancelled meanwhile.
  static boost::asio::awaitable<bool> think(const workloads::Invocation& invocation);
  boost::asio::awaitable<void> final_loop(std::size_t endpoint,
                                          base::MonotonicClock::time_point end);
  boost::asio::awaitable<void> perform(std::size_t endpoint, workloads::Invocation invocation);
  void take_seat(std::size_t endpoint);

  LoadOptions options_;
  workloads::Workload& workload_;
  Recorder& recorder_;
  std::vector<Seat> seats_;
  std::vector<std::pair<std::int64_t, std::uint32_t>> processes_;
  std::vector<std::uint64_t> acknowledged_;
  std::int64_t next_process_ = 0;
  bool stopping_ = false;
};

}  // namespace sunder::run
