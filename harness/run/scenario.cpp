#include "harness/run/scenario.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/assert.hpp"

namespace sunder::run {

namespace {

// A replica that compares itself with one other at a time.
constexpr std::chrono::milliseconds kReplicasRest(8000);
constexpr std::string_view kReadsAndWrites = "read=50,write=48,create=2";

}  // namespace

std::span<const Scenario> all_scenarios() {
  static const std::vector<Scenario> rows{
      {.name = "queue/work",
       .summary = "Producers and consumers of replicated work queues; some consumers die, are slow "
                  "or refuse.",
       .system = "queue",
       .mode = "queue",
       .workload = "work",
       .default_faults = "partition,kill,pause,restart",
       .required_shapes = {"partition:leader-minority", "kill:all", "power-loss:all"}},
      {.name = "quorum-strict/register",
       .summary = "Reads and writes on many keys of a store with strict quorums of replicas.",
       .system = "kv",
       .mode = "quorum-strict",
       .workload = "register",
       .default_faults = "partition,kill,pause,restart",
       .required_shapes = {"kill:all", "power-loss:all"},
       .default_mix = kReadsAndWrites,
       .rest = kReplicasRest},
      {.name = "quorum/register",
       .summary = "Reads and writes on many keys of a store that answers on every side.",
       .system = "kv",
       .mode = "quorum",
       .workload = "register",
       .default_faults = "partition,kill,pause,restart",
       .required_shapes = {"partition:halves", "kill:all", "power-loss:all"},
       .default_mix = kReadsAndWrites,
       .rest = kReplicasRest},
      {.name = "raft/register",
       .summary = "Reads, writes and compare-and-set on many keys of a Raft-replicated store.",
       .system = "kv",
       .mode = "raft",
       .workload = "register",
       .default_faults = "partition,kill,pause,restart",
       .required_shapes = {"partition:leader-minority", "kill:all", "power-loss:all"}},
      {.name = "saga/order",
       .summary = "Orders that are reserved, charged and shipped, or taken back, by four services.",
       .system = "saga",
       .mode = "saga",
       .workload = "order",
       .default_faults = "partition,kill,pause,restart",
       // It is down while it must undo; the log is cut off between any two writes.
       .required_shapes = {"kill:inventory@compensating+1500ms",
                           "kill:order@saga-logged+300ms",
                           "kill:all",
                           "power-loss:all"},
       .default_nodes = 4},
  };
  return rows;
}

Result<const Scenario*> find_scenario(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Scenario& scenario : all_scenarios()) {
    if (scenario.name == name) return &scenario;
    names.push_back(scenario.name);
  }
  return base::make_error(
      Errc::usage,
      fmt::format("unknown scenario '{}': known are {}", name, fmt::join(names, ", ")));
}

const nodes::System& system_of(const Scenario& scenario) {
  const auto systems = nodes::all_systems();
  const auto found = std::ranges::find(systems, scenario.system, &nodes::System::name);
  SUNDER_ASSERT(found != systems.end());
  return *found;
}

const nodes::Mode& mode_of(const Scenario& scenario) {
  const nodes::System& system = system_of(scenario);
  const auto found = std::ranges::find(system.modes, scenario.mode, &nodes::Mode::name);
  SUNDER_ASSERT(found != system.modes.end());
  return *found;
}

std::vector<std::string> role_names(const nodes::Mode& mode) {
  std::vector<std::string> names;
  for (const nodes::Role& role : mode.roles) names.push_back(role.name);
  return names;
}

Result<std::size_t> nodes_of(const nodes::Mode& mode,
                             std::optional<std::size_t> asked,
                             std::size_t otherwise) {
  const std::size_t roles = mode.roles.size();
  if (roles == 0) return asked.value_or(otherwise);
  if (asked.value_or(roles) == roles) return roles;
  return base::make_error(Errc::usage,
                          fmt::format("--nodes {}: {} has {} nodes, one of each: {}",
                                      *asked,
                                      mode.name,
                                      roles,
                                      fmt::join(role_names(mode), ", ")));
}

Result<const nodes::Sabotage*> find_sabotage(const Scenario& scenario, std::string_view name) {
  std::vector<std::string_view> names;
  for (const nodes::Sabotage& sabotage : mode_of(scenario).sabotages) {
    if (sabotage.name == name) return &sabotage;
    names.push_back(sabotage.name);
  }
  return base::make_error(Errc::usage,
                          fmt::format("unknown sabotage '{}' of {}: known are {}",
                                      name,
                                      scenario.name,
                                      fmt::join(names, ", ")));
}

}  // namespace sunder::run
