#include "harness/run/phases.hpp"

#include <algorithm>
#include <csignal>
#include <set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/deadline.hpp"
#include "harness/base/task_group.hpp"
#include "harness/clock_shim/library.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/history/text.hpp"
#include "harness/run/host.hpp"
#include "harness/run/leader.hpp"
#include "harness/run/load.hpp"
#include "harness/run/member_operator.hpp"
#include "harness/run/node_command.hpp"
#include "harness/run/progress.hpp"
#include "harness/run/recorder.hpp"
#include "nemesis/nemesis.hpp"
#include "workloads/client.hpp"
#include "workloads/workload.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// How long the first acknowledged operation may take before the run is given up: the system does
// not work at all.
constexpr auto kWarmUpLimit = 30s;
// After heal, every client goes on for at least this long, and until each of them was served again
// …
constexpr auto kSettleAtLeast = 2s;
// … but no longer than this: what has not recovered by then is the recovery checker's finding.
constexpr auto kSettleAtMost = 15s;
// Nodes that told nothing for this long are at rest; longer than any promise to come to rest takes.
constexpr auto kRestedAfter = 3500ms;
// A system that answers hardly anything has shown that by then.
constexpr auto kFinalReadsLimit = 20s;
constexpr auto kLookEvery = 5ms;
constexpr auto kStopNodesLimit = 3s;
// Until the first members must be back once every other fault is healed.
constexpr auto kMembersBackLimit = 15s;

// Two nodes may be replaced at a time.
constexpr std::size_t kSpares = 2;

std::size_t spares_of(const ResolvedRun& run) {
  const auto changes = [](const nemesis::PlannedFault& fault) {
    return fault.family == "membership";
  };
  return std::ranges::any_of(run.schedule, changes) ? kSpares : 0;
}

class Phases {
 public:
  Phases(const ResolvedRun& run, const PhaseOptions& options);

  PhaseOutcome perform();

 private:
  asio::awaitable<void> body();
  asio::awaitable<Result<void>> all_phases();
  Result<void> set_up();
  asio::awaitable<Result<void>> warm_up();
  asio::awaitable<Result<void>> load_and_faults();
  asio::awaitable<void> bring_members_back();
  asio::awaitable<bool> settle();
  asio::awaitable<void> rest();
  asio::awaitable<void> tear_down();
  Result<void> verify_healed();
  asio::awaitable<void> run_nemesis();
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> stay(std::chrono::nanoseconds duration);

  // Nodes that a fault ended and that are still down, with the time of their end.
  using EndedNodes = std::vector<std::pair<std::string, std::int64_t>>;
  EndedNodes ended_for_good() const;
  void blame(const EndedNodes& ended);
  void enter(std::string phase, std::chrono::nanoseconds planned);
  void note_event(const history::NodeEvent& event);
  void note_acknowledgement();
  void note_fault(const history::FaultRecord& fault);
  std::unique_ptr<workloads::Client> make_client(std::size_t endpoint);
  ProgressState progress_state() const;

  const ResolvedRun& run_;
  const PhaseOptions& options_;
  std::vector<std::size_t> serving_;  // the nodes that clients connect to
  PhaseOutcome outcome_;
  asio::io_context loop_{1};
  base::TaskGroup background_;
  base::TaskGroup clients_;
  base::TaskGroup faults_;
  HostWatch host_;
  LeaderTracker leader_;
  Progress progress_;
  std::optional<LineFile> events_file_;
  std::optional<LineFile> faults_file_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<workloads::Workload> workload_;
  std::optional<Recorder> recorder_;
  std::optional<Load> load_;
  std::unique_ptr<MemberOperator> members_;  // only where members change
  std::optional<nemesis::NemesisContext> nemesis_;
  std::function<void(const history::NodeEvent&)> event_handler_;  // the nemesis', while it runs
  history::NodeEvent acknowledgement_;
  Result<std::vector<history::FaultRecord>> nemesis_result_ = std::vector<history::FaultRecord>();
  std::map<std::uint32_t, std::string> active_faults_;
  std::chrono::nanoseconds phase_planned_{0};
  std::int64_t last_event_ = 0;  // when a node told something
  bool stopping_ = false;
  bool nemesis_done_ = false;
};

Phases::Phases(const ResolvedRun& run, const PhaseOptions& options)
    : run_(run),
      options_(options),
      serving_(nodes::serving_nodes(mode_of(*run.scenario), run.nodes)),
      background_(loop_.get_executor()),
      clients_(loop_.get_executor()),
      faults_(loop_.get_executor()),
      host_(options.clock),
      progress_(options.quiet, [this] { return progress_state(); }) {
  acknowledgement_.event = nemesis::kAfterAcks;
}

PhaseOutcome Phases::perform() {
  std::exception_ptr failure;
  auto on_end = [&failure](const std::exception_ptr& error) { failure = error; };
  asio::co_spawn(loop_, body(), on_end);
  loop_.run();
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& caught) {
      outcome_.harness_error = caught.what();
    }
  }
  return std::move(outcome_);
}

asio::awaitable<void> Phases::body() {
  background_.spawn("signals", watch_signals());
  background_.spawn("host watch", host_.watch());
  const Result<void> result = co_await all_phases();
  if (result.has_error() && outcome_.harness_error.empty()) {
    outcome_.harness_error = result.error().message();
  }
  co_await tear_down();
}

asio::awaitable<Result<void>> Phases::all_phases() {
  enter("set up", 0ns);
  SUNDER_CO_TRY(set_up());
  background_.spawn("progress", progress_.show());
  enter("warm up", 0ns);
  Result<void> warm = co_await warm_up();
  SUNDER_CO_TRY(warm);
  enter("load", run_.duration);
  Result<void> loaded = co_await load_and_faults();
  SUNDER_CO_TRY(loaded);
  enter("heal", 0ns);
  co_await bring_members_back();
  SUNDER_CO_TRY(verify_healed());
  enter("settle", kSettleAtLeast);
  const bool served = co_await settle();
  load_->stop();
  co_await clients_.join();
  if (served) co_await rest();
  enter("final reads", 0ns);
  if (served && !stopping_) co_await load_->final_reads(kFinalReadsLimit);
  if (!served) progress_.say("nothing was answered after the faults: there are no final reads");
  co_return Result<void>();
}

Result<void> Phases::set_up() {
  auto events = LineFile::create(options_.directory / "events.jsonl");
  SUNDER_TRY(events);
  events_file_ = std::move(*events);
  auto faults = LineFile::create(options_.directory / "faults.jsonl");
  SUNDER_TRY(faults);
  faults_file_ = std::move(*faults);
  auto history = LineFile::create(options_.directory / "history.jsonl");
  SUNDER_TRY(history);
  recorder_.emplace(options_.clock, std::move(*history));

  cluster::ClusterOptions cluster_options;
  cluster_options.nodes = run_.nodes;
  cluster_options.spares = spares_of(run_);
  cluster_options.clients = run_.options.clients;
  cluster_options.directory = options_.directory;
  cluster_options.clock = options_.clock;
  if (nemesis::needs(run_.schedule, "clock shim")) {
    auto library = clock_shim::find_library();
    SUNDER_TRY(library);
    cluster_options.clock_shim = std::move(*library);
  }
  if (nemesis::needs(run_.schedule, "fuse"))
    cluster_options.disk_program = options_.programs / "sunder-disk";
  const NodeCommandInputs inputs{.system = system_of(*run_.scenario),
                                 .mode = mode_of(*run_.scenario),
                                 .nodes = run_.nodes,
                                 .spares = spares_of(run_),
                                 .seed = run_.seed,
                                 .sabotage = run_.options.sabotage,
                                 .programs = options_.programs};
  cluster_options.command = [inputs](std::size_t node, const std::filesystem::path& data) {
    return node_command(inputs, node, data);
  };
  auto cluster = cluster::Cluster::create(loop_.get_executor(), std::move(cluster_options));
  SUNDER_TRY(cluster);
  cluster_ = std::move(*cluster);
  cluster_->on_event([this](const history::NodeEvent& event) { note_event(event); });

  history::RunContext& context = outcome_.context;
  for (std::size_t i = 0; i < cluster_->endpoints(); ++i) {
    const std::string name = cluster_->name(static_cast<cluster::Endpoint>(i));
    (i < run_.nodes ? context.nodes : context.clients).push_back(name);
  }
  for (std::size_t i = 0; i < run_.options.clients; ++i) {
    context.client_nodes.push_back(static_cast<std::uint32_t>(serving_[i % serving_.size()]));
  }
  context.clients_see_all = run_.options.clients_see_all;
  for (std::size_t node = 0; node < run_.nodes; ++node) SUNDER_TRY(cluster_->start(node));
  return {};
}

asio::awaitable<Result<void>> Phases::warm_up() {
  const workloads::WorkloadInfo* info = workloads::find_workload(run_.scenario->workload);
  workloads::WorkloadOptions workload_options;
  workload_options.clients = run_.options.clients;
  workload_options.keys = run_.keys;
  workload_options.mix = run_.mix;
  workload_options.random = base::Random(run_.seed).fork("workload");
  workload_ = info->make(workload_options);

  LoadOptions load_options;
  load_options.clients = run_.options.clients;
  load_options.rate = run_.options.rate;
  load_options.random = base::Random(run_.seed).fork("load");
  load_options.make_client = [this](std::size_t endpoint) { return make_client(endpoint); };
  load_options.on_acknowledged = [this] { note_acknowledgement(); };
  load_.emplace(std::move(load_options), *workload_, *recorder_);
  load_->start(clients_);

  const std::int64_t limit = options_.clock.now() + std::chrono::nanoseconds(kWarmUpLimit).count();
  while (recorder_->first_ok() < 0 && !stopping_) {
    if (options_.clock.now() > limit) {
      co_return base::make_error(
          Errc::failed,
          fmt::format(
              "no operation was acknowledged within {} s of start-up: read nodes/*/log in {}",
              kWarmUpLimit.count(),
              options_.directory.string()));
    }
    co_await base::pause_for(kLookEvery);
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Phases::load_and_faults() {
  std::vector<std::size_t> client_nodes(outcome_.context.client_nodes.begin(),
                                        outcome_.context.client_nodes.end());
  nemesis_.emplace(nemesis::NemesisContext{
      .cluster = *cluster_,
      .clock = options_.clock,
      .leader =
          [this] {
            const auto leader = leader_.leader();
            return leader && *leader < run_.nodes ? leader : std::nullopt;
          },
      .client_nodes = std::move(client_nodes),
      .clients_see_all = run_.options.clients_see_all,
      .on_event = [this](auto handler) { event_handler_ = std::move(handler); },
      .events_until = options_.clock.now() + run_.duration.count(),
      .record = [this](const history::FaultRecord& fault) { note_fault(fault); },
  });
  if (cluster_->spares() > 0) {
    MemberOperatorOptions options;
    options.executor = loop_.get_executor();
    options.clock = options_.clock;
    options.leader = [this] { return leader_.leader(); };
    members_ = std::make_unique<MemberOperator>(std::move(options), *cluster_);
    nemesis_->members = members_.get();
  }
  faults_.spawn("nemesis", run_nemesis());
  co_await stay(run_.duration);
  if (stopping_) faults_.cancel();
  co_await faults_.join();
  if (nemesis_result_.has_error()) co_return nemesis_result_.error();
  if (!recorder_->failure().empty()) {
    co_return base::make_error(Errc::failed, recorder_->failure());
  }
  co_return Result<void>();
}

asio::awaitable<void> Phases::run_nemesis() {
  nemesis_result_ = co_await nemesis::run_schedule(*nemesis_, run_.schedule);
  nemesis_done_ = true;
}

// Waits for the duration, less when the run is being stopped.
asio::awaitable<void> Phases::stay(std::chrono::nanoseconds duration) {
  const std::int64_t end = options_.clock.now() + duration.count();
  while (!stopping_ && options_.clock.now() < end) {
    const auto left = std::chrono::nanoseconds(end - options_.clock.now());
    co_await base::pause_for(std::min<std::chrono::nanoseconds>(left, 20ms));
  }
}

// Every other fault is healed: now the cluster can have its first members again. That it does not
// is said by the faults' records.
asio::awaitable<void> Phases::bring_members_back() {
  if (!members_ || nemesis_result_.has_error()) co_return;
  const std::chrono::nanoseconds limit = stopping_ ? kStopNodesLimit : kMembersBackLimit;
  const bool back = co_await members_->settle(limit);
  if (!back) progress_.say("the first members were not brought back");
  members_->complete(*nemesis_result_);
  for (const history::FaultRecord& fault : *nemesis_result_) {
    if (fault.changes_members) note_fault(fault);
  }
}

Result<void> Phases::verify_healed() {
  auto leftovers = cluster_->leftovers();
  SUNDER_TRY(leftovers);
  if (leftovers->empty()) return {};
  return base::make_error(Errc::failed,
                          fmt::format("faults were not healed: {}", fmt::join(*leftovers, "; ")));
}

// Until every client was answered again, or the time is over; false when nobody was.
asio::awaitable<bool> Phases::settle() {
  const std::vector<std::uint64_t> before = load_->acknowledged();
  const std::int64_t start = options_.clock.now();
  while (!stopping_) {
    const std::chrono::nanoseconds spent(options_.clock.now() - start);
    bool all_served = true;
    for (std::size_t i = 0; i < before.size(); ++i) {
      all_served = all_served && load_->acknowledged()[i] > before[i];
    }
    if (spent > kSettleAtMost || (spent > kSettleAtLeast && all_served)) break;
    co_await base::pause_for(kLookEvery);
  }
  co_return stopping_ || load_->acknowledged() != before;
}

// Until no node has told anything for a while, or the scenario's time for it is over.
asio::awaitable<void> Phases::rest() {
  const std::chrono::nanoseconds limit = run_.scenario->rest;
  if (limit == 0ns || stopping_) co_return;
  enter("rest", 0ns);
  const std::int64_t start = options_.clock.now();
  last_event_ = start;
  while (!stopping_) {
    const std::int64_t now = options_.clock.now();
    if (std::chrono::nanoseconds(now - start) >= limit) break;
    if (std::chrono::nanoseconds(now - last_event_) >= kRestedAfter) break;
    co_await base::pause_for(kLookEvery);
  }
}

asio::awaitable<void> Phases::tear_down() {
  enter("tear down", 0ns);
  host_.end();
  faults_.cancel();
  co_await faults_.join();
  if (members_) co_await members_->close();
  if (load_) load_->stop();
  co_await clients_.join();
  if (load_) {
    outcome_.context.process_endpoints = load_->processes();
    load_->close();
  }
  history::RunContext& context = outcome_.context;
  if (cluster_) {
    for (const cluster::Cluster::Death& death : cluster_->unexpected_deaths()) {
      outcome_.unexpected_deaths.push_back(
          fmt::format("n{} ended by itself ({}) at {:.3f} s: see nodes/n{}/log",
                      death.node + 1,
                      death.how,
                      static_cast<double>(death.time) / 1e9,
                      death.node + 1));
    }
    const auto ended = ended_for_good();
    co_await cluster_->stop_all(kStopNodesLimit);
    if (nemesis_result_.has_value()) blame(ended);
    context.dropped_events = cluster_->dropped_events();
  }
  co_await background_.close();
  context.host = host_.samples();
  context.host_overload = host_.overload();
  context.phases.back().window.end = options_.clock.now();
  if (nemesis_result_.has_value() && nemesis_done_) context.faults = *nemesis_result_;
  if (recorder_) {
    if (outcome_.harness_error.empty()) outcome_.harness_error = recorder_->failure();
    outcome_.history = recorder_->finish();
  }
  cluster_.reset();
}

Phases::EndedNodes Phases::ended_for_good() const {
  EndedNodes ended;
  for (std::size_t node = 0; node < run_.nodes; ++node) {
    const auto end = cluster_->own_end(node);
    const auto name = cluster_->name(static_cast<cluster::Endpoint>(node));
    if (end) ended.emplace_back(name, end->time);
  }
  return ended;
}

// The youngest fault that may end nodes for good, of those that had touched the node.
void Phases::blame(const EndedNodes& ended) {
  for (const auto& [node, time] : ended) {
    history::FaultRecord* blamed = nullptr;
    for (history::FaultRecord& fault : *nemesis_result_) {
      const nemesis::FaultInfo* const family = nemesis::find_fault(fault.family);
      const bool touched = std::ranges::find(fault.targets, node) != fault.targets.end();
      if (family == nullptr || !family->burden.ends || !touched) continue;
      if (fault.applying.begin <= time) blamed = &fault;
    }
    if (blamed == nullptr) continue;
    blamed->ended_nodes.push_back(node);
    blamed->evidence.push_back({node + " down for good", 1, ""});
    note_fault(*blamed);
  }
}

asio::awaitable<void> Phases::watch_signals() {
  auto executor = loop_.get_executor();
  asio::signal_set signals(executor, SIGINT, SIGTERM);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (!stopping_) progress_.say("stopping: healing, then checking what there is");
    stopping_ = true;
    outcome_.partial = true;
  }
}

void Phases::enter(std::string phase, std::chrono::nanoseconds planned) {
  const std::int64_t now = options_.clock.now();
  auto& phases = outcome_.context.phases;
  if (!phases.empty()) phases.back().window.end = now;
  // The first phase begins with the run, before the universe existed.
  const std::int64_t begin = phases.empty() ? 0 : now;
  phases.push_back({std::move(phase), {begin, history::kNever}});
  phase_planned_ = planned;
}

void Phases::note_event(const history::NodeEvent& event) {
  last_event_ = options_.clock.now();
  events_file_->append(history::event_line(event));
  leader_.note(event);
  outcome_.context.events.push_back(event);
  // No fault aims at a spare, so none waits for what one tells.
  const auto& nodes = outcome_.context.nodes;
  const bool first = std::ranges::find(nodes, event.node) != nodes.end();
  if (event_handler_ && first) event_handler_(event);
}

// A fault may wait for the n-th acknowledged operation.
void Phases::note_acknowledgement() {
  if (!event_handler_) return;
  acknowledgement_.time = options_.clock.now();
  event_handler_(acknowledgement_);
}

void Phases::note_fault(const history::FaultRecord& fault) {
  faults_file_->append(history::fault_line(fault));
  if (fault.healed == 0) {
    active_faults_[fault.id] = fault.description;
  } else {
    active_faults_.erase(fault.id);
  }
}

std::unique_ptr<workloads::Client> Phases::make_client(std::size_t endpoint) {
  workloads::ClientOptions client;
  client.connector = [this, endpoint] { return cluster_->client_socket(endpoint); };
  for (const std::size_t node : serving_) {
    const auto index = static_cast<cluster::Endpoint>(node);
    client.nodes.emplace_back(asio::ip::make_address(cluster_->address(index)), kClientPort);
    client.node_names.push_back(cluster_->name(index));
  }
  client.pinned = endpoint % serving_.size();
  client.sessions = mode_of(*run_.scenario).sessions;
  return workloads::make_resp_client(std::move(client));
}

ProgressState Phases::progress_state() const {
  ProgressState state;
  const history::Phase& phase = outcome_.context.phases.back();
  state.phase = phase.name;
  state.elapsed = std::chrono::nanoseconds(options_.clock.now() - phase.window.begin);
  state.total = phase_planned_;
  if (recorder_) state.outcomes = recorder_->outcomes();
  for (const auto& [id, description] : active_faults_) {
    state.faults += (state.faults.empty() ? "" : "; ") + description;
  }
  return state;
}

}  // namespace

PhaseOutcome go_through_phases(const ResolvedRun& run, const PhaseOptions& options) {
  Phases phases(run, options);
  return phases.perform();
}

}  // namespace sunder::run
