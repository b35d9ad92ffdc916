// The universe: the private user, mount, PID, network, UTS and IPC namespaces in which one run
// lives.
//
// enter() re-executes this program inside new namespaces and does not return there until the inside
// has ended:
//
//   outer process ── clone ──► init (PID 1, single-threaded) ── fork ──► runner: `inside()` is
//   called here
//
// Death of any of the three, by any signal, makes the kernel end everything inside
// (docs/architecture.md, "Universe"). The outer process forwards SIGINT and SIGTERM, init forwards
// them to the runner and reaps orphans.
//
// Threading: call before any thread or io_context exists. Errors: Errc::unsupported names the
// setting that forbids it.

#pragma once

#include <functional>
#include <string>

#include "harness/base/error.hpp"

namespace sunder::cluster {

struct UniverseOptions {
  std::string host_name = "sunder";
  // Lines for /etc/hosts, bind-mounted inside: "10.0.0.1 n1\n…".
  std::string hosts;
};

// Calls `inside` in the universe and returns its exit status (0…255; death of the runner by signal
// N gives 128 + N).
[[nodiscard]] Result<int> enter_universe(const UniverseOptions& options,
                                         const std::function<int()>& inside);

// "10.0.0.1 n1\n…" for a cluster of this size.
[[nodiscard]] std::string hosts_of(std::size_t nodes, std::size_t clients);

}  // namespace sunder::cluster
