// sunder-saga: the services of an order that is one saga: order, inventory, payment, shipment.

#include <csignal>
#include <exception>
#include <limits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nodes/host/command_line.hpp"
#include "nodes/host/out_of_memory.hpp"
#include "nodes/host/service.hpp"
#include "nodes/saga/node.hpp"

namespace sunder::nodes::saga {
namespace {

constexpr std::string_view kMode = "saga";

Error usage(std::string sentence) {
  return base::make_error(Errc::usage, std::move(sentence));
}

Result<Role> parse_role(std::string_view name, const host::HostOptions& host) {
  for (const Role role : kRoles) {
    if (name != name_of(role)) continue;
    if (host.number != node_of(role)) {
      return usage(fmt::format("--role {}: that is n{}, not {}", name, node_of(role), host.id));
    }
    return role;
  }
  return usage(fmt::format("--role: '{}' is none of order, inventory, payment, shipment", name));
}

Result<void> check(const host::HostOptions& host, std::string_view style) {
  if (host.mode != kMode) {
    return usage(fmt::format("--mode: '{}' is not a mode; {} is", host.mode, kMode));
  }
  if (style != "orchestrated") {
    return usage(fmt::format("--style: '{}' is not a style; orchestrated is", style));
  }
  for (const Role role : kRoles) {
    if (host.peers.contains(node_of(role))) continue;
    return usage(fmt::format("--peers does not name n{}, the {}", node_of(role), name_of(role)));
  }
  return {};
}

// An empty id: --help was asked for.
Result<NodeOptions> read_options(int argc, const char* const* argv) {
  std::string role;
  std::string style = "orchestrated";
  std::int64_t initial = 0;
  NodeOptions options;
  const auto more = [&](CLI::App& app) {
    app.add_option("--role", role, "order, inventory, payment or shipment")->required();
    app.add_option("--style", style, "Who leads a saga")->capture_default_str();
    app.add_option("--initial", initial, "What there is of each object at first (no limit)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000'000}));
    app.add_option("--refuse", options.refuse_prefix, "Objects that begin so are refused");
  };
  auto host = host::parse_command_line(argc, argv, more);
  if (host.has_error()) return std::move(host).error();
  options.host = std::move(*host);
  if (options.host.id.empty()) return options;
  SUNDER_TRY(check(options.host, style));
  const auto parsed = parse_role(role, options.host);
  if (parsed.has_error()) return parsed.error();
  options.role = *parsed;
  if (initial > 0) options.initial = initial;
  if (options.host.sabotage.empty()) return options;
  const auto sabotage = sabotage_named(options.host.sabotage);
  if (!sabotage) {
    return usage(fmt::format("--sabotage: '{}' is not one of this node's", options.host.sabotage));
  }
  options.sabotage = *sabotage;
  return options;
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  host::stop_when_out_of_memory();
  auto options = read_options(argc, argv);
  if (options.has_error()) {
    fmt::print(stderr, "sunder-saga: {}\n", options.error().message());
    return static_cast<int>(base::exit_code_of(options.error()));
  }
  const std::string id = options->host.id;
  if (id.empty()) return 0;
  const auto make = [&options](boost::asio::any_io_executor executor, host::EventWriter& events) {
    const auto make_node = options->role == Role::order ? &make_order_node : &make_participant_node;
    std::unique_ptr<host::Service> service =
        make_node(std::move(executor), std::move(*options), events);
    return service;
  };
  return host::run_service(id, make);
}

}  // namespace
}  // namespace sunder::nodes::saga

int main(int argc, char** argv) {
  try {
    return sunder::nodes::saga::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sunder-saga: {}\n", error.what());
    return 1;
  }
}
