// `sunder doctor`: what this machine can do, probed by use; what is missing and the command that
// adds it.

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/cli/command.hpp"
#include "harness/cluster/capabilities.hpp"

namespace sunder::cli {
namespace {

void print_text(const std::vector<cluster::Capability>& capabilities) {
  for (const cluster::Capability& capability : capabilities) {
    const char* const mark = capability.works ? "✓" : capability.required ? "✗" : "–";
    fmt::print("{} {:<14} {}: {}\n", mark, capability.name, capability.purpose, capability.detail);
    if (!capability.remedy.empty()) fmt::print("  {:<14} → {}\n", "", capability.remedy);
  }
}

void print_json(const std::vector<cluster::Capability>& capabilities) {
  boost::json::array rows;
  for (const cluster::Capability& capability : capabilities) {
    rows.push_back({{"name", capability.name},
                    {"purpose", capability.purpose},
                    {"required", capability.required},
                    {"works", capability.works},
                    {"detail", capability.detail},
                    {"remedy", capability.remedy}});
  }
  fmt::print("{}\n", boost::json::serialize(rows));
}

// Exit code 3 when something is missing without which nothing runs.
int act(bool json) {
  const std::vector<cluster::Capability> capabilities = cluster::probe_capabilities();
  json ? print_json(capabilities) : print_text(capabilities);
  bool ready = true;
  for (const cluster::Capability& capability : capabilities) {
    ready = ready && (capability.works || !capability.required);
  }
  if (!json) {
    fmt::print("{}\n",
               ready ? "sunder runs here; – marks what would need more"
                     : "sunder cannot run here; ✗ marks what is missing");
  }
  return static_cast<int>(ready ? ExitCode::kept : ExitCode::harness_failed);
}

}  // namespace

Command doctor_command(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("doctor", "What this machine can do, probed by use; what is missing");
  command->add_flag("--json", *json, "Print the table as JSON");
  return {command, [json]() -> Result<int> { return act(*json); }};
}

}  // namespace sunder::cli
