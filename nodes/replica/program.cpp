#include "nodes/replica/program.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <fmt/format.h>

#include "nodes/host/command_line.hpp"
#include "nodes/host/out_of_memory.hpp"
#include "nodes/host/service.hpp"
#include "nodes/replica/node.hpp"

namespace sunder::nodes::replica {
namespace {

namespace asio = boost::asio;
using base::make_error;

// A planned stop of the leader costs its clients an instant, not an election time-out.
constexpr std::chrono::milliseconds kHandOverLimit(500);

struct Choice {
  NodeOptions node;
  std::string_view machine_sabotage;
};

Result<void> choose_sabotage(const Program& program, Choice& choice) {
  NodeOptions& options = choice.node;
  const std::string& name = options.host.sabotage;
  if (name.empty() || name == "none") return {};
  const auto own = std::ranges::find(program.sabotages, name);
  if (name == "ack-before-sync") {
    options.sabotage = Sabotage::ack_before_sync;
  } else if (name == "ack-before-replicate") {
    options.core_sabotage = raft::Sabotage::ack_before_quorum;
  } else if (name == "no-directory-sync") {
    options.sabotage = Sabotage::no_directory_sync;
  } else if (name == "trust-checksum-less-log") {
    options.sabotage = Sabotage::trust_checksum_less_log;
  } else if (name == "apply-twice") {
    options.sabotage = Sabotage::apply_twice;
  } else if (name == "lose-snapshot-tail") {
    options.sabotage = Sabotage::lose_snapshot_tail;
  } else if (name == "lose-timer-at-failover") {
    options.sabotage = Sabotage::lose_timer_at_failover;
  } else if (name == "no-reconnect") {
    options.sabotage = Sabotage::no_reconnect;
  } else if (const auto core = raft::sabotage_named(name)) {
    options.core_sabotage = *core;
  } else if (own != program.sabotages.end()) {
    choice.machine_sabotage = *own;
  } else {
    return make_error(Errc::usage, fmt::format("--sabotage: '{}' is not one of this node's", name));
  }
  return {};
}

Result<std::vector<raft::NodeId>> parse_members(std::string_view text,
                                                const host::HostOptions& host) {
  std::vector<raft::NodeId> members;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto number = host::parse_node_name(item);
    if (number.has_error()) return base::with_context(number.error(), "--members");
    if (!host.peers.contains(*number)) {
      return make_error(Errc::usage, fmt::format("--members: --peers does not name {}", item));
    }
    members.push_back(*number);
  }
  return members;
}

// An empty id: --help was asked for.
Result<Choice> read_options(int argc, const char* const* argv, const Program& program) {
  Choice choice;
  NodeOptions& options = choice.node;
  std::string on_follower = "forward";
  std::string members;
  const auto more = [&](CLI::App& app) {
    app.add_option("--on-follower", on_follower, "What a follower does with a command")
        ->check(CLI::IsMember({"forward", "redirect"}))
        ->capture_default_str();
    app.add_option("--snapshot-every", options.snapshot_every, "Log entries between snapshots")
        ->check(CLI::Range(1, 1'000'000'000))
        ->capture_default_str();
    app.add_option("--members", members, "The first members: n1,n2 (all peers); others may join");
    if (program.add_flags) program.add_flags(app);
  };
  auto host = host::parse_command_line(argc, argv, more);
  if (host.has_error()) return std::move(host).error();
  options.host = std::move(*host);
  if (options.host.id.empty()) return choice;
  if (options.host.mode != program.mode) {
    return make_error(
        Errc::usage,
        fmt::format("--mode: '{}' is not a mode; {} is", options.host.mode, program.mode));
  }
  if (on_follower == "redirect") options.on_follower = OnFollower::redirect;
  auto named = parse_members(members, options.host);
  if (named.has_error()) return std::move(named).error();
  options.members = std::move(*named);
  const Result<void> chosen = choose_sabotage(program, choice);
  if (chosen.has_error()) return chosen.error();
  return choice;
}

// Gives its leadership away before it stops.
class ReplicaService final : public host::Service {
 public:
  ReplicaService(const asio::any_io_executor& executor,
                 NodeOptions options,
                 std::unique_ptr<Machine> machine,
                 host::EventWriter& events)
      : node_(executor, std::move(options), std::move(machine), events) {}

  Result<void> start() override { return node_.start(); }

  asio::awaitable<void> prepare_stop() override { co_await node_.hand_over(kHandOverLimit); }

  asio::awaitable<void> stop() override { co_await node_.stop(); }

 private:
  Node node_;
};

}  // namespace

int run_program(int argc, char** argv, const Program& program) {
  try {
    std::signal(SIGPIPE, SIG_IGN);
    host::stop_when_out_of_memory();
    auto choice = read_options(argc, argv, program);
    if (choice.has_error()) {
      fmt::print(stderr, "{}: {}\n", program.name, choice.error().message());
      return static_cast<int>(base::exit_code_of(choice.error()));
    }
    const std::string id = choice->node.host.id;
    if (id.empty()) return 0;
    auto machine = program.make_machine(choice->machine_sabotage);
    const auto make = [&](const asio::any_io_executor& executor, host::EventWriter& events) {
      return std::make_unique<ReplicaService>(
          executor, std::move(choice->node), std::move(machine), events);
    };
    return host::run_service(id, make);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program.name, error.what());
    return 1;
  }
}

}  // namespace sunder::nodes::replica
