#include "harness/run/options.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"
#include "harness/cluster/capabilities.hpp"
#include "harness/run/host.hpp"
#include "nemesis/roles.hpp"
#include "workloads/workload.hpp"

namespace sunder::run {
namespace {

namespace json = boost::json;

constexpr auto kDefaultDuration = std::chrono::seconds(30);
constexpr std::size_t kDefaultKeys = 64;

// What the user did not say: a sabotage's own suggestions first, then the scenario's defaults.
Result<void> fill_defaults(ResolvedRun& run) {
  const RunOptions& options = run.options;
  const nodes::Sabotage none;
  const nodes::Sabotage* sabotage = &none;
  if (!options.sabotage.empty()) {
    auto found = find_sabotage(*run.scenario, options.sabotage);
    SUNDER_TRY(found);
    sabotage = *found;
  }
  const auto nodes = nodes_of(mode_of(*run.scenario), options.nodes, run.scenario->default_nodes);
  SUNDER_TRY(nodes);
  run.nodes = *nodes;
  run.keys = options.keys.value_or(sabotage->keys > 0 ? sabotage->keys : kDefaultKeys);
  // A schedule of the user's own needs the usual time, not that of the sabotage's schedule.
  const bool suggested = !options.faults && !sabotage->faults.empty();
  const bool suggested_time = suggested && sabotage->duration.count() > 0;
  run.duration = options.duration.value_or(suggested_time ? sabotage->duration : kDefaultDuration);
  if (suggested && options.rate == 0) run.options.rate = sabotage->rate;
  if (suggested && options.mix.empty()) run.options.mix = sabotage->mix;
  run.faults = suggested ? sabotage->faults
                         : options.faults.value_or(std::string(run.scenario->default_faults));
  return {};
}

Result<void> check_limits(const ResolvedRun& run) {
  const RunOptions& options = run.options;
  const auto refuse = [](std::string text) {
    return base::make_error(Errc::usage, std::move(text));
  };
  if (run.nodes < 1 || run.nodes > kNodesMax) {
    return refuse(fmt::format("--nodes {}: give 1 to {}", run.nodes, kNodesMax));
  }
  if (options.clients < 1 || options.clients > kClientsMax) {
    return refuse(fmt::format("--clients {}: give 1 to {}", options.clients, kClientsMax));
  }
  if (options.kernel != "host" && options.kernel != "uml") {
    return refuse(fmt::format("--kernel {}: give host or uml", options.kernel));
  }
  if (run.keys < 1 || run.keys > 1'000'000) {
    return refuse(fmt::format("--keys {}: give 1 to 1000000", run.keys));
  }
  if (run.duration < std::chrono::seconds(1) || run.duration > std::chrono::hours(24)) {
    return refuse(
        fmt::format("--duration {}: give 1s to 24h", base::format_duration(run.duration)));
  }
  if (!std::isfinite(options.rate) || options.rate < 0 || options.rate > 1e6) {
    return refuse(fmt::format("--rate {}: give 0 (closed loop) to 1000000", options.rate));
  }
  return {};
}

Result<std::map<std::string, double>> resolve_mix(const RunOptions& options,
                                                  const Scenario& scenario) {
  const workloads::WorkloadInfo& workload = *workloads::find_workload(scenario.workload);
  if (!options.mix.empty()) return workloads::parse_mix(options.mix, workload);
  if (!scenario.default_mix.empty()) return workloads::parse_mix(scenario.default_mix, workload);
  std::map<std::string, double> mix;
  for (const auto& [name, weight] : workload.default_mix) mix.emplace(name, weight);
  return mix;
}

nemesis::Extent extent_of(nodes::Share share) {
  return static_cast<nemesis::Extent>(share);
}

static_assert(static_cast<int>(nemesis::Extent::all) == static_cast<int>(nodes::Share::all));

// What is missing of a capability, with what adds it. The machine is probed once, and only when a
// family needs something.
std::string machine_lacks(std::string_view name) {
  static const std::vector<cluster::Capability> capabilities = cluster::probe_capabilities();
  const auto found = std::ranges::find(capabilities, name, &cluster::Capability::name);
  if (found == capabilities.end()) return fmt::format("this build cannot probe '{}'", name);
  if (found->works) return {};
  if (cluster::is_user_mode_linux()) {
    return fmt::format(
        "{}: {} (User-Mode Linux lacks it: try --kernel host)", found->name, found->detail);
  }
  const bool uml_has_it = found->under_uml.value_or(false);
  return fmt::format("{}: {} ({}{})",
                     found->name,
                     found->detail,
                     found->remedy,
                     uml_has_it ? "; or --kernel uml" : "");
}

nemesis::ScheduleOptions schedule_options_of(const ResolvedRun& run, bool stored) {
  const nodes::Mode& mode = mode_of(*run.scenario);
  nemesis::ScheduleOptions options;
  options.clients = run.options.clients;
  options.nodes = run.nodes;
  options.duration = run.duration;
  options.random = base::Random(run.seed).fork("schedule");
  for (const std::string& shape : run.scenario->required_shapes) {
    const std::string family = shape.substr(0, shape.find(':'));
    if (std::ranges::find(run.families, family) != run.families.end()) {
      options.required.push_back(nemesis::name_nodes(shape, role_names(mode)));
    }
  }
  for (const nodes::ModeEvent& event : mode.events) {
    options.events.push_back(event.name);
    if (!event.atlas) continue;
    options.atlas.emplace(event.name, nemesis::name_nodes(event.provoked_by, role_names(mode)));
  }
  options.atlas.emplace(nemesis::kAfterAcks, "");
  options.atlas.emplace(nemesis::kNodeStarted, "kill:one@0s+100ms");
  options.budget = {.stopped = extent_of(mode.tolerance.stopped),
                    .cut = extent_of(mode.tolerance.cut),
                    .skewed = extent_of(mode.tolerance.skewed),
                    .ended = extent_of(mode.tolerance.ended),
                    .lied_to = extent_of(mode.tolerance.lied_to)};
  if (stored) return options;  // what was possible then is said by its record
  // Meant for another kernel, this one need not have it: that one is asked when the run gets there.
  const bool elsewhere = run.options.kernel == "uml" && !cluster::is_user_mode_linux();
  options.lacks = [&mode, elsewhere](std::string_view need) -> std::string {
    if (need != "membership") return elsewhere ? "" : machine_lacks(need);
    return mode.membership ? "" : fmt::format("the members of {} are fixed", mode.name);
  };
  return options;
}

Result<ResolvedRun> resolve_all(const RunOptions& options, bool stored) {
  auto scenario = find_scenario(options.scenario);
  SUNDER_TRY(scenario);
  ResolvedRun run{.options = options,
                  .scenario = *scenario,
                  .faults = {},
                  .families = {},
                  .schedule = {},
                  .skipped = {},
                  .mix = {}};
  SUNDER_TRY(fill_defaults(run));
  SUNDER_TRY(check_limits(run));
  if (cluster::is_user_mode_linux()) run.options.kernel = "uml";
  run.seed = options.seed.value_or(base::fresh_seed());
  auto mix = resolve_mix(run.options, *run.scenario);
  SUNDER_TRY(mix);
  run.mix = std::move(*mix);

  const std::string faults = nemesis::name_nodes(run.faults, role_names(mode_of(*run.scenario)));
  auto families = nemesis::families_of(faults);
  SUNDER_TRY(families);
  run.families = std::move(*families);
  nemesis::ScheduleOptions schedule_options = schedule_options_of(run, stored);
  if (!options.duration) {
    const auto suitable = nemesis::suitable_duration(faults, schedule_options);
    SUNDER_TRY(suitable);
    run.duration = std::max(run.duration, *suitable);
    schedule_options.duration = run.duration;
  }
  auto schedule = nemesis::make_schedule(faults, schedule_options);
  SUNDER_TRY(schedule);
  run.schedule = std::move(*schedule);
  run.skipped = nemesis::skipped_families(faults, schedule_options);
  std::erase_if(run.families, [&](const std::string& family) {
    return std::ranges::any_of(run.skipped,
                               [&](const auto& skipped) { return skipped.first == family; });
  });
  return run;
}

}  // namespace

Result<ResolvedRun> resolve(const RunOptions& options) {
  return resolve_all(options, false);
}

Result<ResolvedRun> resolve(const StoredInputs& inputs) {
  auto run = resolve_all(inputs.options, true);
  SUNDER_TRY(run);
  run->skipped = inputs.skipped;
  run->families = inputs.families;
  run->faults = inputs.faults;
  return run;
}

std::string to_json(const ResolvedRun& run, std::string_view started) {
  json::object mix;
  for (const auto& [name, weight] : run.mix) mix[name] = weight;
  json::object skipped;
  for (const auto& [family, reason] : run.skipped) skipped[family] = reason;
  json::object host;
  for (const auto& [name, value] : host_facts()) host[name] = value;
  const json::object document{
      {"format", 1},
      {"sunder", version()},
      {"started", started},
      {"scenario", run.options.scenario},
      {"seed", run.seed},
      {"nodes", run.nodes},
      {"clients", run.options.clients},
      {"duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(run.duration).count()},
      {"rate", run.options.rate},
      {"keys", run.keys},
      {"mix", mix},
      {"sabotage", run.options.sabotage},
      {"clients_see_all", run.options.clients_see_all},
      {"kernel", run.options.kernel},
      {"faults", run.faults},
      {"families", json::value_from(run.families)},
      {"schedule", nemesis::to_text(run.schedule)},
      {"skipped", std::move(skipped)},
      {"command", command_line(run)},
      {"host", host},
  };
  return json::serialize(document) + "\n";
}

Result<StoredInputs> read_inputs(std::string_view text, std::string_view source) {
  const auto unreadable = [&](std::string_view what) {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("{}: not a run.json of sunder: {}", source, what));
  };
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  if (error) return unreadable(error.message());
  try {
    const json::object& object = document.as_object();
    StoredInputs stored;
    RunOptions& options = stored.options;
    options.scenario = json::value_to<std::string>(object.at("scenario"));
    options.seed = object.at("seed").to_number<std::uint64_t>();
    options.nodes = object.at("nodes").to_number<std::size_t>();
    options.clients = object.at("clients").to_number<std::size_t>();
    options.duration =
        std::chrono::milliseconds(object.at("duration_ms").to_number<std::int64_t>());
    options.rate = object.at("rate").to_number<double>();
    options.keys = object.at("keys").to_number<std::size_t>();
    for (const auto& [name, weight] : object.at("mix").as_object()) {
      options.mix += fmt::format("{}{}={}",
                                 options.mix.empty() ? "" : ",",
                                 std::string_view(name),
                                 weight.to_number<double>());
    }
    options.sabotage = json::value_to<std::string>(object.at("sabotage"));
    options.clients_see_all = object.at("clients_see_all").as_bool();
    if (const json::value* kernel = object.if_contains("kernel")) {
      options.kernel = json::value_to<std::string>(*kernel);
    }
    const auto schedule = json::value_to<std::string>(object.at("schedule"));
    options.faults = schedule.empty() ? "none" : schedule;
    stored.faults = json::value_to<std::string>(object.at("faults"));
    stored.families = json::value_to<std::vector<std::string>>(object.at("families"));
    if (const json::value* skipped = object.if_contains("skipped")) {
      for (const auto& [family, reason] : skipped->as_object()) {
        stored.skipped.emplace_back(family, json::value_to<std::string>(reason));
      }
    }
    stored.started = json::value_to<std::string>(object.at("started"));
    return stored;
  } catch (const std::exception& caught) {
    return unreadable(caught.what());
  }
}

std::string command_line(const ResolvedRun& run) {
  const RunOptions& options = run.options;
  std::string text =
      fmt::format("sunder run {} --nodes {} --duration {} --seed {} --clients {} --keys {}",
                  options.scenario,
                  run.nodes,
                  base::format_duration(run.duration),
                  run.seed,
                  options.clients,
                  run.keys);
  text += fmt::format(" --faults '{}'", run.faults);
  if (options.rate > 0) text += fmt::format(" --rate {}", options.rate);
  if (!options.mix.empty()) text += fmt::format(" --mix {}", options.mix);
  if (!options.sabotage.empty()) text += fmt::format(" --sabotage {}", options.sabotage);
  if (options.clients_see_all) text += " --clients-see all";
  if (options.kernel != "host") text += " --kernel " + options.kernel;
  return text;
}

}  // namespace sunder::run
