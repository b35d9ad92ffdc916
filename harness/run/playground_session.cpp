#include "harness/run/playground_session.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/deadline.hpp"
#include "harness/history/text.hpp"
#include "harness/run/playground_text.hpp"
#include "harness/run/scenario.hpp"
#include "nemesis/roles.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

constexpr auto kLookEvery = 2ms;
// A fault that begins now stands within this: a restart waits for a clean stop.
constexpr auto kBeginLimit = 30s;

constexpr std::int64_t kMillisecond = 1'000'000;

std::string_view name_of(cluster::NodeState state) {
  switch (state) {
    case cluster::NodeState::down:
      return "dead";
    case cluster::NodeState::running:
      return "running";
    case cluster::NodeState::paused:
      return "paused";
  }
  return "unknown";
}

std::string_view name_of(const cluster::LinkState& link) {
  if (link.healthy()) return "ok";
  return link.blackhole ? "cut" : "degraded";
}

Error usage(std::string sentence) {
  return base::make_error(Errc::usage, std::move(sentence));
}

nanoseconds in_milliseconds(std::int64_t time) {
  return nanoseconds(std::max<std::int64_t>(time, 0) / kMillisecond * kMillisecond);
}

}  // namespace

PlaygroundSession::PlaygroundSession(cluster::Cluster& cluster,
                                     SessionOptions options,
                                     LineFile faults)
    : cluster_(cluster), options_(options), faults_(std::move(faults)) {
  begin_ = options_.clock.now();
}

asio::awaitable<void> PlaygroundSession::serve() {
  begin_ = options_.clock.now();
  std::vector<std::size_t> client_nodes(cluster_.clients(), 0);
  nemesis::NemesisContext context{
      .cluster = cluster_,
      .clock = options_.clock,
      .leader = [this] { return leader_.leader(); },
      .client_nodes = std::move(client_nodes),
      .clients_see_all = true,
      .on_event = [this](auto handler) { event_handler_ = std::move(handler); },
      .record = [this](const history::FaultRecord& record) { note_fault(record); },
      .requests = &requests_,
  };
  auto schedule = nemesis::run_schedule(context, nemesis::Schedule());
  const auto records = co_await std::move(schedule);
  if (records.has_error()) failure_ = records.error().message();
}

asio::awaitable<Result<json::object>> PlaygroundSession::answer(json::object request) {
  const json::value* const what = request.if_contains("do");
  const std::string word =
      what != nullptr && what->is_string() ? std::string(what->as_string()) : std::string();
  if (word == "status") co_return status();
  if (word != "fault" && word != "heal") {
    co_return usage(fmt::format("unknown request '{}': known are fault, heal, status", word));
  }
  if (!requests_.wake) {
    co_return base::make_error(Errc::failed,
                               fmt::format("faults have ended here: {}",
                                           failure_.empty() ? "the cluster is ending" : failure_));
  }
  auto doing = word == "fault" ? begin(std::move(request)) : heal(std::move(request));
  auto done = co_await std::move(doing);
  co_return done;
}

Result<nemesis::Schedule> PlaygroundSession::plan(const json::object& request) const {
  const json::value* const items = request.if_contains("items");
  if (items == nullptr || !items->is_string()) return usage("a fault needs \"items\"");
  nemesis::ScheduleOptions schedule_options;
  schedule_options.nodes = cluster_.nodes();
  schedule_options.random = base::Random(options_.seed).fork("fault", next_id_);
  for (const nodes::ModeEvent& event : options_.mode->events) {
    schedule_options.events.push_back(event.name);
  }
  const std::string faults =
      nemesis::name_nodes(std::string_view(items->as_string()), role_names(*options_.mode));
  auto schedule = nemesis::make_schedule(faults, schedule_options);
  SUNDER_TRY(schedule);
  if (schedule->empty()) return usage("no fault in it");
  return schedule;
}

asio::awaitable<Result<json::object>> PlaygroundSession::begin(json::object request) {
  auto schedule = plan(request);
  SUNDER_CO_TRY(schedule);
  const json::value* const open = request.if_contains("open");
  std::vector<std::uint32_t> ids;
  const std::int64_t now = options_.clock.now();
  for (nemesis::PlannedFault& fault : *schedule) {
    Asked asked;
    asked.open = open != nullptr && open->is_bool() && open->as_bool();
    fault.id = next_id_++;
    fault.start += nanoseconds(now - begin_);
    asked.planned = fault;
    asked_.emplace(fault.id, std::move(asked));
    ids.push_back(fault.id);
    requests_.begin.push_back(std::move(fault));
  }
  requests_.wake();
  // What waits for an event or a time is answered at once: it may take long.
  const auto settled = [&](std::uint32_t id) {
    const Asked& asked = asked_.at(id);
    const bool now_due = asked.planned.start <= nanoseconds(now - begin_);
    return asked.record.has_value() || !asked.planned.at.event.empty() || !now_due;
  };
  const std::int64_t limit = now + nanoseconds(kBeginLimit).count();
  while (!std::ranges::all_of(ids, settled) && options_.clock.now() < limit && requests_.wake) {
    co_await base::pause_for(kLookEvery);
  }
  json::array faults;
  std::string refused;
  std::size_t begun = 0;
  for (const std::uint32_t id : ids) {
    json::object described = describe(asked_.at(id));
    if (described.at("state") == "refused") {
      refused = json::value_to<std::string>(described.at("reason"));
    } else {
      ++begun;
    }
    faults.push_back(std::move(described));
  }
  if (begun == 0) co_return base::make_error(Errc::failed, refused);
  json::object reply;
  reply["faults"] = std::move(faults);
  co_return reply;
}

asio::awaitable<Result<json::object>> PlaygroundSession::heal(json::object request) {
  const json::value* const id = request.if_contains("id");
  std::vector<std::uint32_t> standing;
  for (const auto& [number, asked] : asked_) {
    if (stands(asked)) standing.push_back(number);
  }
  std::vector<std::uint32_t> chosen = standing;
  if (id != nullptr && !id->is_null()) {
    std::erase_if(chosen, [&](std::uint32_t number) { return *id != number; });
    if (chosen.empty()) {
      co_return usage(
          fmt::format("no fault {} stands; there are: {}",
                      json::serialize(*id),
                      standing.empty() ? "none" : fmt::format("{}", fmt::join(standing, ", "))));
    }
  }
  requests_.heal.insert(requests_.heal.end(), chosen.rbegin(), chosen.rend());
  requests_.wake();
  const std::int64_t limit = options_.clock.now() + nanoseconds(kBeginLimit).count();
  const auto over = [&](std::uint32_t number) { return !stands(asked_.at(number)); };
  while (!std::ranges::all_of(chosen, over) && options_.clock.now() < limit && requests_.wake) {
    co_await base::pause_for(kLookEvery);
  }
  if (!failure_.empty()) co_return base::make_error(Errc::failed, failure_);
  json::array faults;
  for (const std::uint32_t number : chosen) faults.push_back(describe(asked_.at(number)));
  json::object reply;
  reply["faults"] = std::move(faults);
  co_return reply;
}

// ---- what is there ----

bool PlaygroundSession::stands(const Asked& asked) const {
  return !asked.record || asked.record->healed == 0;
}

json::object PlaygroundSession::describe(const Asked& asked) const {
  json::object object;
  object["id"] = asked.planned.id;
  nemesis::Schedule one{asked.planned};
  if (asked.open) one.front().duration = kUntilHealed;
  object["item"] = nemesis::to_text(one);
  if (!asked.record) {
    object["description"] = fmt::format("{} {}", asked.planned.family, asked.planned.shape);
    object["state"] = "waits";
    return object;
  }
  const history::FaultRecord& record = *asked.record;
  object["description"] = record.description;
  object["since_ms"] = (options_.clock.now() - record.active.begin) / kMillisecond;
  const bool begun = record.active.end > record.active.begin;
  object["state"] = record.healed == 0 ? "stands" : begun ? "healed" : "refused";
  if (record.healed == 0 && !asked.open) {
    const std::int64_t until = record.active.begin + asked.planned.duration.count();
    object["heals_in_ms"] = std::max<std::int64_t>(until - options_.clock.now(), 0) / kMillisecond;
  }
  object["exercised"] = record.exercised;
  if (!record.reason.empty()) object["reason"] = record.reason;
  json::array evidence;
  for (const history::Evidence& item : record.evidence) {
    evidence.emplace_back(
        fmt::format("{} {:g}{}{}", item.name, item.value, item.unit.empty() ? "" : " ", item.unit));
  }
  object["evidence"] = std::move(evidence);
  return object;
}

json::object PlaygroundSession::describe_node(std::size_t node) const {
  json::object object;
  const std::string name = cluster_.name(static_cast<cluster::Endpoint>(node));
  object["name"] = name;
  object["pid"] = cluster_.pid(node);
  object["state"] = name_of(cluster_.state(node));
  const bool dead = cluster_.state(node) == cluster::NodeState::down;
  if (const auto role = roles_.find(name); !dead && role != roles_.end()) {
    object["role"] = role->second.name;
    object["term"] = role->second.term;
  }
  for (const auto& death : cluster_.unexpected_deaths()) {
    if (death.node == node) object["ended"] = fmt::format("ended by itself: {}", death.how);
  }
  return object;
}

Result<json::array> PlaygroundSession::describe_links() const {
  const auto counters = cluster_.counters();
  SUNDER_TRY(counters);
  const cluster::LinkMatrix links = cluster_.installed();
  const std::size_t endpoints = cluster_.endpoints();
  json::array array;
  for (std::size_t from = 0; from < endpoints; ++from) {
    for (std::size_t to = 0; to < endpoints; ++to) {
      if (from == to || (from >= cluster_.nodes() && to >= cluster_.nodes())) continue;
      const auto source = static_cast<cluster::Endpoint>(from);
      const auto sink = static_cast<cluster::Endpoint>(to);
      const cluster::LinkCounters& count = (*counters)[from * endpoints + to];
      json::object link;
      link["from"] = cluster_.name(source);
      link["to"] = cluster_.name(sink);
      const cluster::LinkState& state = links.at(source, sink);
      link["state"] = name_of(state);
      if (!state.healthy() && !state.blackhole) link["detail"] = cluster::describe(state);
      link["sent"] = static_cast<std::int64_t>(count.sent);
      link["dropped"] = static_cast<std::int64_t>(count.dropped);
      array.push_back(std::move(link));
    }
  }
  return array;
}

Result<json::object> PlaygroundSession::status() const {
  json::object status;
  status["mode"] = options_.mode->name;
  status["up_ms"] = (options_.clock.now() - begin_) / kMillisecond;
  if (const auto leader = leader_.leader()) status["leader"] = fmt::format("n{}", *leader + 1);
  json::array nodes;
  for (std::size_t node = 0; node < cluster_.nodes(); ++node) nodes.push_back(describe_node(node));
  status["nodes"] = std::move(nodes);
  json::array clients;
  for (std::size_t i = cluster_.nodes(); i < cluster_.endpoints(); ++i) {
    clients.emplace_back(cluster_.name(static_cast<cluster::Endpoint>(i)));
  }
  status["clients"] = std::move(clients);
  json::array faults;
  for (const auto& [id, asked] : asked_) {
    if (stands(asked)) faults.push_back(describe(asked));
  }
  status["faults"] = std::move(faults);
  auto links = describe_links();
  SUNDER_TRY(links);
  status["links"] = std::move(*links);
  status["schedule"] = as_schedule();
  if (!failure_.empty()) status["failure"] = failure_;
  return status;
}

std::string PlaygroundSession::as_schedule() const {
  nemesis::Schedule done;
  for (const auto& [id, asked] : asked_) {
    const bool begun = asked.record && (asked.record->healed == 0 ||
                                        asked.record->active.end > asked.record->active.begin);
    if (!begun) continue;
    nemesis::PlannedFault fault = asked.planned;
    const history::Window& active = asked.record->active;
    const std::int64_t end =
        asked.record->healed == 0 ? options_.clock.now() : std::max(active.end, active.begin);
    if (fault.at.event.empty()) fault.start = in_milliseconds(active.begin - begin_);
    fault.start = in_milliseconds(fault.start.count());
    fault.duration = std::max<nanoseconds>(in_milliseconds(end - active.begin), 1ms);
    done.push_back(std::move(fault));
  }
  std::ranges::stable_sort(done, {}, &nemesis::PlannedFault::start);
  return nemesis::to_text(done);
}

// ---- what happens ----

void PlaygroundSession::note(const history::NodeEvent& event) {
  leader_.note(event);
  constexpr std::string_view kBecame = "became-";
  Role& role = roles_[event.node];
  if (event.event.starts_with(kBecame)) role.name = event.event.substr(kBecame.size());
  if (event.event == "recovered") role.name = "follower";
  role.term = std::max(role.term, event.number("term", 0));
  if (event_handler_) event_handler_(event);
}

void PlaygroundSession::note_fault(const history::FaultRecord& record) {
  faults_.append(history::fault_line(record));
  const auto asked = asked_.find(record.id);
  if (asked != asked_.end()) asked->second.record = record;
  // Whoever dies says nothing of the office it loses.
  for (const std::string& node : record.disabled_nodes) {
    if (record.healed == 0 && record.family != "pause") roles_[node].name.clear();
  }
}

}  // namespace sunder::run
