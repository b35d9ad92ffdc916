// `sunder up MODE [-- COMMAND…]`.

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/cli/command.hpp"
#include "harness/cli/run_flags.hpp"
#include "harness/run/playground.hpp"
#include "harness/run/scenario.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::string mode;
  std::string kernel = "host";
  std::size_t memory = uml::kMemoryDefault;
  std::optional<std::size_t> nodes;
  run::PlaygroundOptions options;
};

Result<void> check_sabotage(const nodes::Mode& mode, const std::string& name) {
  if (name.empty()) return {};
  std::string known;
  for (const nodes::Sabotage& sabotage : mode.sabotages) {
    if (sabotage.name == name) return {};
    known += (known.empty() ? "" : ", ") + sabotage.name;
  }
  return base::make_error(
      Errc::usage,
      fmt::format("unknown sabotage '{}' of {}: known are {}", name, mode.name, known));
}

Result<int> act(Flags flags) {
  std::string known;
  for (const nodes::System& system : nodes::all_systems()) {
    for (const nodes::Mode& mode : system.modes) {
      known += (known.empty() ? "" : ", ") + mode.name;
      if (mode.name != flags.mode) continue;
      flags.options.system = &system;
      flags.options.mode = &mode;
    }
  }
  if (flags.options.mode == nullptr) {
    return base::make_error(Errc::usage,
                            fmt::format("unknown mode '{}': known are {}", flags.mode, known));
  }
  const auto nodes = run::nodes_of(*flags.options.mode, flags.nodes, flags.options.nodes);
  SUNDER_TRY(nodes);
  flags.options.nodes = *nodes;
  if (flags.options.nodes < 1 || flags.options.nodes > run::kNodesMax) {
    return base::make_error(Errc::usage, fmt::format("--nodes: give 1 to {}", run::kNodesMax));
  }
  SUNDER_TRY(check_sabotage(*flags.options.mode, flags.options.sabotage));
  if (is_elsewhere(flags.kernel)) return run_again_under_uml(flags.memory, true);
  flags.options.programs = program_directory();
  return run::play(flags.options);
}

}  // namespace

Command up_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "up", "Start a cluster to play with; runs a command beside it, ends with it");
  command->add_option("mode", flags->mode, "Node mode, such as raft")->required();
  command->add_option("--nodes", flags->nodes, "Number of nodes (5, or one of each role)");
  command->add_option("--seed", flags->options.seed, "The nodes' seed")->capture_default_str();
  command->add_option(
      "--sabotage", flags->options.sabotage, "Start the nodes with this deliberate bug");
  add_kernel_flags(*command, flags->kernel, flags->memory);
  command->add_option("command", flags->options.command, "What to run (default: your shell)");
  command->footer(
      "Examples:\n"
      "  sunder up raft --nodes 5 -- redis-cli -h n1 set x 1\n"
      "  sunder up raft -- redis-benchmark -h n1 -t set,get -n 2000 -q\n"
      "From the shell: sunder fault kill:leader · sunder status · sunder heal");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
