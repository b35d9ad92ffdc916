#include "harness/cli/run_flags.hpp"

#include <CLI/CLI.hpp>

#include "harness/base/duration.hpp"
#include "harness/cluster/capabilities.hpp"

namespace sunder::cli {

void add_kernel_flags(CLI::App& app, std::string& kernel, std::size_t& memory) {
  app.add_option("--kernel", kernel, "Run on this kernel: the host's, or uml (User-Mode Linux)")
      ->check(CLI::IsMember({"host", "uml"}))
      ->capture_default_str();
  app.add_option("--kernel-memory", memory, "Memory of --kernel uml, in MiB")
      ->check(CLI::Range(uml::kMemoryMin, uml::kMemoryMax))
      ->capture_default_str();
}

bool is_elsewhere(std::string_view kernel) {
  return kernel == "uml" && !cluster::is_user_mode_linux();
}

void RunFlagTexts::add_to(CLI::App& app) {
  app_ = &app;
  app.add_option("--nodes", nodes, "Number of nodes (default: the scenario's)");
  app.add_option(
      "--duration",
      duration,
      "How long load and faults last: 30s, 5m (default: 30s, for all faults what they need)");
  app.add_option("--seed",
                 seed,
                 "Decides every choice of generator and nemesis (default: a fresh one, printed)");
  app.add_option(
      "--faults",
      faults,
      "Fault families (partition,kill), explicit faults (partition:leader@3s+4s), all, or none "
      "(default: the scenario's)");
  app.add_option("--clients", options.clients, "Number of clients")->capture_default_str();
  app.add_option(
         "--rate", options.rate, "Operations a second of all clients together; 0: closed loop")
      ->capture_default_str();
  app.add_option("--keys", keys, "Number of keys (default: 64)");
  app.add_option("--mix", options.mix, "Weights of the workload's functions: read=50,write=50");
  app.add_option("--sabotage",
                 options.sabotage,
                 "Start the nodes with this deliberate bug (sunder list sabotages)");
  app.add_option(
         "--clients-see", clients_see, "During a partition a client reaches its own side, or all")
      ->check(CLI::IsMember({"side", "all"}))
      ->capture_default_str();
  add_kernel_flags(app, kernel, memory);
  app.add_option(
      "--out", out, "Directory for the run (default: runs/<UTC time>-<scenario>-<seed>)");
}

Result<run::RunOptions> RunFlagTexts::finish() const {
  run::RunOptions result = options;
  if (app_->count("--duration") > 0) {
    const auto parsed = base::parse_duration(duration);
    if (parsed.has_error()) return base::with_context(parsed.error(), "--duration");
    result.duration = *parsed;
  }
  if (app_->count("--keys") > 0) result.keys = keys;
  if (app_->count("--nodes") > 0) result.nodes = nodes;
  if (app_->count("--seed") > 0) result.seed = seed;
  if (app_->count("--faults") > 0) result.faults = faults;
  result.clients_see_all = clients_see == "all";
  result.kernel = kernel;
  result.out = out;
  return result;
}

bool RunFlagTexts::elsewhere() const {
  return is_elsewhere(kernel);
}

}  // namespace sunder::cli
