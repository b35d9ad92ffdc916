#include "harness/run/playground.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "harness/base/deadline.hpp"
#include "harness/base/task_group.hpp"
#include "harness/clock_shim/library.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/cluster/universe.hpp"
#include "harness/run/control.hpp"
#include "harness/run/directory.hpp"
#include "harness/run/node_command.hpp"
#include "harness/run/playground_session.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A cluster without a leader after this long does not work; the command runs all the same, to find
// out why.
constexpr auto kLeaderLimit = 10s;

class Playground {
 public:
  Playground(const PlaygroundOptions& options, std::filesystem::path directory)
      : options_(options), directory_(std::move(directory)) {}

  Result<int> perform();

 private:
  asio::awaitable<void> body();
  asio::awaitable<Result<int>> play_along();
  asio::awaitable<void> ignore_interrupts();
  Result<void> open_session();
  Result<void> verify_healed();
  std::map<std::string, std::string> environment() const;

  const PlaygroundOptions& options_;
  std::filesystem::path directory_;
  base::RunClock clock_;
  asio::io_context loop_{1};
  std::unique_ptr<cluster::Cluster> cluster_;
  base::TaskGroup faults_{loop_.get_executor()};
  std::optional<PlaygroundSession> session_;
  std::unique_ptr<ControlServer> control_;
  Result<int> result_ = 0;
};

Result<int> Playground::perform() {
  std::exception_ptr failure;
  auto on_end = [&failure](const std::exception_ptr& error) { failure = error; };
  asio::co_spawn(loop_, body(), on_end);
  loop_.run();
  if (failure) std::rethrow_exception(failure);
  return result_;
}

asio::awaitable<void> Playground::body() {
  base::TaskGroup background(loop_.get_executor());
  background.spawn("signals", ignore_interrupts());
  result_ = co_await play_along();
  if (control_) co_await control_->close();
  control_.reset();
  faults_.cancel();  // heals what stands
  co_await faults_.join();
  if (result_.has_value() && session_) {
    const auto healed = verify_healed();
    if (healed.has_error()) result_ = healed.error();
  }
  if (cluster_) co_await cluster_->stop_all(3s);
  co_await background.close();
  session_.reset();
  cluster_.reset();
}

Result<void> Playground::verify_healed() {
  if (!session_->failure().empty()) return base::make_error(Errc::failed, session_->failure());
  auto leftovers = cluster_->leftovers();
  SUNDER_TRY(leftovers);
  if (leftovers->empty()) return {};
  return base::make_error(Errc::failed,
                          fmt::format("faults were not healed: {}", fmt::join(*leftovers, "; ")));
}

asio::awaitable<Result<int>> Playground::play_along() {
  cluster::ClusterOptions cluster_options;
  cluster_options.nodes = options_.nodes;
  cluster_options.clients = 1;
  cluster_options.directory = directory_;
  // Clocks may be wanted wrong at any time.
  if (auto library = clock_shim::find_library(); library.has_value()) {
    cluster_options.clock_shim = std::move(*library);
  }
  cluster_options.clock = clock_;
  const NodeCommandInputs inputs{.system = *options_.system,
                                 .mode = *options_.mode,
                                 .nodes = options_.nodes,
                                 .seed = options_.seed,
                                 .sabotage = options_.sabotage,
                                 .programs = options_.programs};
  cluster_options.command = [inputs](std::size_t node, const std::filesystem::path& data) {
    return node_command(inputs, node, data);
  };
  auto cluster = cluster::Cluster::create(loop_.get_executor(), std::move(cluster_options));
  SUNDER_CO_TRY(cluster);
  cluster_ = std::move(*cluster);
  SUNDER_CO_TRY(open_session());
  for (std::size_t node = 0; node < options_.nodes; ++node) {
    const auto started = cluster_->start(node);
    SUNDER_CO_TRY(started);
  }
  const bool leads = std::ranges::any_of(
      options_.mode->events, [](const auto& event) { return event.name == "became-leader"; });
  const auto limit = base::MonotonicClock::now() + kLeaderLimit;
  while (leads && !session_->leader() && base::MonotonicClock::now() < limit)
    co_await base::pause_for(5ms);
  faults_.spawn("faults", session_->serve());

  std::vector<std::string> command = options_.command;
  if (command.empty()) {
    const char* const shell = std::getenv("SHELL");
    command.emplace_back(shell != nullptr ? shell : "/bin/sh");
    const auto leader = session_->leader();
    fmt::print(stderr,
               "{} nodes of {} are up: n1 … n{}, port {}{}. Try: redis-cli -h n1 set x 1 · "
               "sunder fault kill:leader · sunder status · sunder heal. The cluster ends with this "
               "shell.\n",
               options_.nodes,
               options_.mode->name,
               options_.nodes,
               kClientPort,
               leader ? fmt::format(", n{} leads", *leader + 1) : "");
  }
  auto pending = cluster_->run_beside(std::move(command), environment());
  Result<int> status = co_await std::move(pending);
  co_return status;
}

Result<void> Playground::open_session() {
  auto faults = LineFile::create(directory_ / "faults.jsonl");
  SUNDER_TRY(faults);
  SessionOptions session;
  session.mode = options_.mode;
  session.seed = options_.seed;
  session.clock = clock_;
  session_.emplace(*cluster_, session, std::move(*faults));
  cluster_->on_event([this](const history::NodeEvent& event) { session_->note(event); });
  auto control = ControlServer::listen(
      loop_.get_executor(), directory_ / kControlName, [this](boost::json::object request) {
        return session_->answer(std::move(request));
      });
  SUNDER_TRY(control);
  control_ = std::move(*control);
  return {};
}

// The command finds this program and the cluster's socket, wherever it goes.
std::map<std::string, std::string> Playground::environment() const {
  const char* const path = std::getenv("PATH");
  const std::string before = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  return {{kControlVariable, (directory_ / kControlName).string()},
          {"PATH", fmt::format("{}:{}", options_.programs.string(), before)}};
}

// Ctrl-C is the command's business: it has the terminal.
asio::awaitable<void> Playground::ignore_interrupts() {
  asio::signal_set signals(loop_.get_executor(), SIGINT, SIGTERM);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
}

}  // namespace

Result<int> play(const PlaygroundOptions& options) {
  auto directory = make_run_directory({}, fmt::format("up-{}", options.mode->name));
  SUNDER_TRY(directory);
  cluster::UniverseOptions universe;
  universe.hosts = cluster::hosts_of(options.nodes, 1);
  auto status = cluster::enter_universe(universe, [&]() -> int {
    Playground playground(options, *directory);
    const auto result = playground.perform();
    if (result.has_value()) return *result;
    fmt::print(stderr, "sunder: {}\n", result.error().message());
    return static_cast<int>(ExitCode::harness_failed);
  });
  SUNDER_TRY(return_to_sudo_user(*directory));
  return status;
}

}  // namespace sunder::run
