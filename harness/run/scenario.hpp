// Scenario: a node mode, a workload, default faults: what `sunder run mode/workload` means.
//
// Its promises are the mode's (nodes/system.hpp). One row per scenario in scenario.cpp.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "nodes/system.hpp"

namespace sunder::run {

struct Scenario {
  std::string_view name;  // "raft/register"
  std::string_view summary;
  std::string_view system;    // "kv"
  std::string_view mode;      // "raft"
  std::string_view workload;  // "register"
  std::string_view default_faults;
  // Fault shapes that a promise needs at least once, used when their family is requested:
  // "kill:all".
  std::vector<std::string> required_shapes;
  std::size_t default_nodes = 5;
  std::string_view default_mix = {};  // as --mix; empty: the workload's
  // Before the final reads nothing is invoked until no node has told anything for a while, and no
  // longer than this: for systems that come to rest only when they are left alone.
  std::chrono::milliseconds rest{0};
};

// Sorted by name.
[[nodiscard]] std::span<const Scenario> all_scenarios();
// Errc::usage lists what exists.
[[nodiscard]] Result<const Scenario*> find_scenario(std::string_view name);
// The scenario's mode. Precondition: the scenario is a row of all_scenarios().
[[nodiscard]] const nodes::System& system_of(const Scenario& scenario);
[[nodiscard]] const nodes::Mode& mode_of(const Scenario& scenario);
// The names of the mode's roles, of n1, n2, …; empty where the nodes are alike.
[[nodiscard]] std::vector<std::string> role_names(const nodes::Mode& mode);
// How many nodes a cluster of the mode has: as many as asked for, else `otherwise`; where nodes
// have roles, one of each, and Errc::usage when another number was asked for.
[[nodiscard]] Result<std::size_t> nodes_of(const nodes::Mode& mode,
                                           std::optional<std::size_t> asked,
                                           std::size_t otherwise);
// Errc::usage lists the mode's sabotages.
[[nodiscard]] Result<const nodes::Sabotage*> find_sabotage(const Scenario& scenario,
                                                           std::string_view name);

}  // namespace sunder::run
