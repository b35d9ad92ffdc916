#include "nodes/quorum/program.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nodes/host/command_line.hpp"
#include "nodes/host/out_of_memory.hpp"
#include "nodes/host/service.hpp"
#include "nodes/quorum/node.hpp"

namespace sunder::nodes::quorum {
namespace {

using base::make_error;

constexpr std::string_view kAvailable = "quorum";
constexpr std::string_view kStrict = "quorum-strict";

Result<void> choose_sabotage(NodeOptions& options) {
  const std::string& name = options.host.sabotage;
  if (name.empty() || name == "none") return {};
  if (name == "ack-before-sync") {
    options.shell_sabotage = ShellSabotage::ack_before_sync;
  } else if (name == "ack-from-memory") {
    options.shell_sabotage = ShellSabotage::ack_from_memory;
  } else if (name == "no-reconnect") {
    options.shell_sabotage = ShellSabotage::no_reconnect;
  } else if (const auto core = sabotage_named(name)) {
    options.sabotage = *core;
  } else {
    return make_error(Errc::usage, fmt::format("--sabotage: '{}' is not one of this node's", name));
  }
  return {};
}

// An empty id: --help was asked for.
Result<NodeOptions> read_options(int argc, const char* const* argv) {
  NodeOptions options;
  std::optional<std::size_t> reads;
  std::optional<std::size_t> writes;
  std::string quorums;
  const auto more = [&](CLI::App& app) {
    app.add_option("--replicas", options.replicas, "N: how many nodes keep a key")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--r", reads, "R: how many of them answer a read (1; quorum-strict: 2)");
    app.add_option("--w", writes, "W: how many of them have a write on disk (1; quorum-strict: 2)");
    app.add_option("--quorums",
                   quorums,
                   "Whether others may stand in for them (sloppy; quorum-strict: strict)")
        ->check(CLI::IsMember({"sloppy", "strict"}));
  };
  auto host = host::parse_command_line(argc, argv, more);
  if (host.has_error()) return std::move(host).error();
  options.host = std::move(*host);
  if (options.host.id.empty()) return options;
  const bool strict = options.host.mode == kStrict;
  options.replicas = std::min(options.replicas, options.host.peers.size());
  const std::size_t both = std::min<std::size_t>(strict ? 2 : 1, options.replicas);
  options.reads = reads.value_or(both);
  options.writes = writes.value_or(both);
  options.sloppy = quorums.empty() ? !strict : quorums == "sloppy";
  for (const auto& [flag, value] : {std::pair("--r", options.reads), {"--w", options.writes}}) {
    if (value < 1 || value > options.replicas) {
      return make_error(
          Errc::usage,
          fmt::format(
              "{} {}: give 1 to {}, the number of replicas", flag, value, options.replicas));
    }
  }
  const Result<void> chosen = choose_sabotage(options);
  if (chosen.has_error()) return chosen.error();
  return options;
}

}  // namespace

bool is_asked_for(int argc, const char* const* argv) {
  constexpr std::string_view kFlag = "--mode";
  for (int i = 1; i < argc; ++i) {
    std::string_view mode = argv[i];
    if (!mode.starts_with(kFlag)) continue;
    mode.remove_prefix(kFlag.size());
    if (mode.empty() && i + 1 < argc) mode = argv[i + 1];
    if (mode.starts_with('=')) mode.remove_prefix(1);
    return mode == kAvailable || mode == kStrict;
  }
  return false;
}

int run_program(int argc, char** argv, std::string_view name) {
  try {
    std::signal(SIGPIPE, SIG_IGN);
    host::stop_when_out_of_memory();
    auto options = read_options(argc, argv);
    if (options.has_error()) {
      fmt::print(stderr, "{}: {}\n", name, options.error().message());
      return static_cast<int>(base::exit_code_of(options.error()));
    }
    const std::string id = options->host.id;
    if (id.empty()) return 0;
    const auto make = [&](const boost::asio::any_io_executor& executor,
                          host::EventWriter& events) -> std::unique_ptr<host::Service> {
      return std::make_unique<Node>(executor, std::move(*options), events);
    };
    return host::run_service(id, make);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 1;
  }
}

}  // namespace sunder::nodes::quorum
