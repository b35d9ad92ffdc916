#include "nemesis/link_fault.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sunder::nemesis {
namespace {

using cluster::Distribution;
using cluster::Endpoint;
using cluster::LinkMatrix;
using cluster::LinkState;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kLatencyMax = std::chrono::seconds(10);
constexpr double kBurstMax = 1000;
constexpr double kRateMin = 1e3;
constexpr double kRateMax = 1e10;
// Enough that a share of some percent is seen almost surely; few where each takes its time.
constexpr std::size_t kProbesOfShares = 200;
constexpr std::size_t kProbes = 8;
// So many expected hits among the packets that passed leave no doubt that there were some: the
// probability of none is below 1 in 20,000.
constexpr double kCertainHits = 10;
// With the probe's word that the kernel does it: below 1 in 20.
constexpr double kLikelyHits = 3;

constexpr std::array<std::string_view, 4> kDistributionWords{
    "uniform", "normal", "paretonormal", "pareto"};
constexpr std::array<std::string_view, 2> kOrderWords{"free", "kept"};
constexpr std::array<std::string_view, 1> kNetem{"netem"};

bool has_parameter(const PlannedFault& fault, std::string_view name) {
  const FaultInfo* const family = find_fault(fault.family);
  return family != nullptr && std::ranges::find(family->parameters, name, &FaultParameter::name) !=
                                  family->parameters.end();
}

nanoseconds time_or_zero(const PlannedFault& fault, std::string_view name) {
  if (!has_parameter(fault, name)) return nanoseconds(0);
  return duration_of(fault, name).value_or(nanoseconds(0));
}

double number_or_zero(const PlannedFault& fault, std::string_view name) {
  return has_parameter(fault, name) ? number_of(fault, name).value_or(0) : 0;
}

std::string word_or_empty(const PlannedFault& fault, std::string_view name) {
  return has_parameter(fault, name) ? word_of(fault, name).value_or("") : std::string();
}

double share_of(const PlannedFault& fault, std::string_view name) {
  return number_or_zero(fault, name) / 100;
}

Distribution distribution_of(const PlannedFault& fault) {
  const auto found = std::ranges::find(kDistributionWords, word_or_empty(fault, "distribution"));
  if (found == kDistributionWords.end()) return Distribution::uniform;
  return static_cast<Distribution>(found - kDistributionWords.begin());
}

double milliseconds_of(nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

// Every link of which one end is a client's, or every link at all.
Cut links_of_all(const NemesisContext& context, bool between_nodes) {
  Cut cut;
  const std::size_t nodes = context.cluster.nodes();
  const std::size_t endpoints = context.cluster.endpoints();
  for (std::size_t from = 0; from < endpoints; ++from) {
    for (std::size_t to = 0; to < endpoints; ++to) {
      const bool nodes_only = from < nodes && to < nodes;
      const bool clients_only = from >= nodes && to >= nodes;
      if (from == to || clients_only || (nodes_only && !between_nodes)) continue;
      cut.links.emplace_back(static_cast<Endpoint>(from), static_cast<Endpoint>(to));
    }
  }
  cut.sides = between_nodes ? "every link" : "every link of clients";
  return cut;
}

std::uint64_t since(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : after;  // a leaf's own counter begins anew
}

void miss(std::string& missing, std::string_view what) {
  missing += missing.empty() ? "" : "; ";
  missing += what;
}

}  // namespace

LinkFault::LinkFault(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner)
    : CutFault(context, std::move(planned), std::move(cut), planner) {
  porous_ = true;
}

Result<void> LinkFault::impose() {
  const auto state = link_state_of(planned_);
  if (state.has_error()) return state.error();
  state_ = *state;
  LinkMatrix overlay(context_.cluster.endpoints());
  for (const auto& [from, to] : cut().links) overlay.at(from, to) = state_;
  const auto change = context_.cluster.apply(planned_.id, overlay);
  if (change.has_error()) return change.error();
  installing_ = std::max(installing_, change->installing);
  // What happens to the probe is not what happened to the system's packets: its losses are over
  // when it is sent, and what arrives of it is subtracted at the end.
  const auto before = count();
  begin_probe();
  const auto after = count();
  if (before.has_error() || after.has_error()) {
    (void)context_.cluster.withdraw(planned_.id);
    return before.has_error() ? before.error() : after.error();
  }
  before_ = *after;
  before_.packets = before->packets;
  return {};
}

Result<void> LinkFault::lift() {
  auto after = count();
  const std::size_t probes = end_probe();
  const auto change = context_.cluster.withdraw(planned_.id);
  if (change.has_error()) return change.error();
  if (after.has_error()) return after.error();
  const std::uint64_t packets = since(before_.packets, after->packets);
  passed_.packets += packets - std::min<std::uint64_t>(packets, probes);
  passed_.dropped += since(before_.dropped, after->dropped);
  passed_.held_back += since(before_.held_back, after->held_back);
  passed_.overtook += since(before_.overtook, after->overtook);
  return {};
}

Result<LinkFault::Passed> LinkFault::count() const {
  const auto counters = context_.cluster.counters();
  if (counters.has_error()) return counters.error();
  Passed passed;
  for (const auto& [from, to] : cut().links) {
    const cluster::LinkCounters& link = (*counters)[from * context_.cluster.endpoints() + to];
    passed.packets += link.sent;
    passed.dropped += link.dropped;
    passed.held_back += link.held_back;
    passed.overtook += link.overtook;
  }
  return passed;
}

void LinkFault::begin_probe() {
  const bool delays = state_.delay.count() > 0 || state_.jitter.count() > 0;
  const bool shares = state_.duplicate > 0 || state_.corrupt > 0;
  // Loss, reordering and waiting for a rate are counted by the kernel.
  if (cut().links.empty() || (!delays && !shares)) return;
  const auto [from, to] = cut().links.front();
  const bool slow = state_.rate > 0;
  auto probe = context_.cluster.probe(from, to, shares && !slow ? kProbesOfShares : kProbes);
  if (probe.has_value()) probe_ = std::move(*probe);
}

std::size_t LinkFault::end_probe() {
  if (!probe_) return 0;
  const cluster::LinkProbe::Seen seen = probe_->read();
  probe_.reset();
  seen_.sent += seen.sent;
  seen_.arrived += seen.arrived;
  seen_.duplicated += seen.duplicated;
  seen_.damaged += seen.damaged;
  seen_.overtaken += seen.overtaken;
  seen_.median = std::max(seen_.median, seen.median);
  seen_.longest = std::max(seen_.longest, seen.longest);
  return seen.arrived + seen.duplicated + seen.damaged;
}

void LinkFault::tell_what_was_seen() {
  const auto add = [this](std::string_view name, std::uint64_t value) {
    add_evidence(std::string(name), static_cast<double>(value), "packets");
  };
  add("packets passed", passed_.packets);
  if (state_.loss > 0 || passed_.dropped > 0) add("packets dropped", passed_.dropped);
  if (state_.reorder > 0) add("packets put before others", passed_.overtook);
  if (state_.rate > 0) {
    add_evidence("waits for the rate", static_cast<double>(passed_.held_back), "");
  }
  if (seen_.sent > 0) {
    add("probes sent", seen_.sent);
    add("probes arrived", seen_.arrived);
    if (state_.duplicate > 0) add("probes duplicated", seen_.duplicated);
    if (state_.corrupt > 0) add("probes damaged", seen_.damaged);
    if (seen_.arrived > 0) {
      add_evidence("probes' median delay", milliseconds_of(seen_.median), "ms");
      add_evidence("probes' longest delay", milliseconds_of(seen_.longest), "ms");
    }
  }
  add_evidence("installed in", static_cast<double>(installing_.count()) / 1e3, "µs");
}

void LinkFault::check_times(std::string& missing) const {
  if (state_.rate > 0 && passed_.held_back == 0) miss(missing, "no packet waited for the rate");
  // The probe begins in an empty link; half of the delay is more than any healthy link takes.
  const nanoseconds expected = std::max(state_.delay, state_.jitter) / 2;
  if (expected.count() > 0 && seen_.longest < expected) {
    miss(missing,
         seen_.arrived == 0 ? "no probe arrived in time" : "no probe was delayed by half as much");
  }
}

void LinkFault::check_shares(std::string& missing) const {
  if (state_.loss > 0 && passed_.dropped == 0) miss(missing, "no packet was dropped");
  if (state_.reorder > 0 && passed_.overtook == 0) {
    miss(missing, "no packet was put before another");
  }
  const auto packets = static_cast<double>(passed_.packets);
  // The probe shows that the kernel does it; how many packets passed, whether the system felt it.
  const auto unseen = [&](double share, std::size_t hits) {
    return share > 0 && packets * share < (hits > 0 ? kLikelyHits : kCertainHits);
  };
  constexpr std::string_view kToo_few = "too few packets passed to be sure that any was ";
  if (unseen(state_.duplicate, seen_.duplicated))
    miss(missing, fmt::format("{}duplicated", kToo_few));
  if (unseen(state_.corrupt, seen_.damaged)) miss(missing, fmt::format("{}damaged", kToo_few));
}

std::string LinkFault::prove() {
  tell_what_was_seen();
  if (state_.healthy()) return "its strength is zero: the links were healthy";
  if (passed_.packets + passed_.dropped == 0) return "no packet passed on a degraded link";
  std::string missing;
  check_times(missing);
  check_shares(missing);
  return missing;
}

Result<LinkState> link_state_of(const PlannedFault& fault) {
  LinkState state;
  state.delay = time_or_zero(fault, "latency");
  state.jitter = time_or_zero(fault, "jitter");
  state.distribution = distribution_of(fault);
  if (const std::string file = word_or_empty(fault, "table"); !file.empty()) {
    auto table = cluster::load_delay_table(file);
    if (table.has_error()) return table.error();
    state.distribution = Distribution::table;
    state.table = std::move(*table);
  }
  state.overtaking = word_or_empty(fault, "order") == "free";
  state.loss = share_of(fault, "loss");
  state.loss_burst = number_or_zero(fault, "burst");
  state.duplicate = share_of(fault, "duplicate");
  state.reorder = share_of(fault, "reorder");
  state.corrupt = share_of(fault, "corrupt");
  state.rate = static_cast<std::uint64_t>(number_or_zero(fault, "rate"));
  state.seed = fault.seed;
  // What moves packets before others is reordering as a whole: without any there is no delay to it.
  if (fault.family == "reorder" && state.reorder == 0) state.delay = nanoseconds(0);
  return normalized(state);
}

Result<Cut> plan_links(const NemesisContext& context,
                       const PlannedFault& fault,
                       base::Random& random) {
  const auto state = link_state_of(fault);
  if (state.has_error()) return state.error();
  const bool whole = fault.shape == "all" || fault.shape == "clients";
  auto cut = whole ? Result<Cut>(links_of_all(context, fault.shape == "all"))
                   : plan_cut(context, fault, random);
  if (cut.has_error()) return cut.error();
  cut->sides += ", " + describe(*state);
  return cut;
}

std::span<const FaultShape> link_shapes() {
  static const std::vector<FaultShape> shapes = [] {
    const auto cuts = cut_shapes();
    std::vector<FaultShape> all(cuts.begin(), cuts.end());
    constexpr RandomUse kUse{2, 1, 0.5, 0.7, false};
    all.push_back(
        {"all", "every link between nodes and between clients and nodes", 1, kUse, Extent::all});
    all.push_back({"clients", "every link between clients and nodes", 1, kUse, Extent::none});
    std::ranges::sort(all, {}, &FaultShape::name);
    return all;
  }();
  return shapes;
}

Result<void> check_links(const PlannedFault& fault, std::size_t nodes) {
  SUNDER_TRY(check_cut(fault, nodes));
  const auto state = link_state_of(fault);
  if (state.has_error()) return base::make_error(Errc::usage, state.error().message());
  if (state->jitter > state->delay) {
    return base::make_error(
        Errc::usage,
        fmt::format("{}:{}: a jitter above the latency would need packets from the future",
                    fault.family,
                    fault.shape));
  }
  return {};
}

FaultParameter latency_parameter(std::string_view otherwise) {
  return {.name = "latency",
          .summary = "each packet waits so long",
          .kind = ParameterKind::duration,
          .low = 0,
          .high = limit(kLatencyMax),
          .otherwise = otherwise};
}

FaultParameter jitter_parameter() {
  return {.name = "jitter",
          .summary = "and so much more or less, by chance; at most the latency",
          .kind = ParameterKind::duration,
          .low = 0,
          .high = limit(kLatencyMax)};
}

FaultParameter distribution_parameter() {
  return {.name = "distribution",
          .summary = "of the jitter: evenly up to it, or with it as standard deviation",
          .kind = ParameterKind::word,
          .words = kDistributionWords,
          .otherwise = kDistributionWords.front()};
}

FaultParameter table_parameter() {
  return {.name = "table",
          .summary = "a file in iproute2's .dist format as the distribution",
          .kind = ParameterKind::pattern};
}

FaultParameter order_parameter() {
  return {.name = "order",
          .summary = "kept: jitter never lets a packet overtake; free: it does",
          .kind = ParameterKind::word,
          .words = kOrderWords,
          .otherwise = kOrderWords.back()};
}

FaultParameter burst_parameter() {
  return {.name = "burst",
          .summary = "so many are lost in a row, on average (Gilbert's model); 1: each by itself",
          .kind = ParameterKind::number,
          .low = 1,
          .high = kBurstMax,
          .otherwise = "1"};
}

FaultParameter rate_parameter(std::string_view otherwise) {
  return {.name = "rate",
          .summary = "no more than this of a link's bandwidth",
          .kind = ParameterKind::bit_rate,
          .low = kRateMin,
          .high = kRateMax,
          .otherwise = otherwise};
}

FaultParameter share_parameter(std::string_view name,
                               std::string_view summary,
                               std::string_view otherwise) {
  return {.name = name,
          .summary = summary,
          .kind = ParameterKind::percent,
          .low = 0,
          .high = 100,
          .otherwise = otherwise};
}

void randomize_latency(PlannedFault& fault, base::Random& random) {
  set_duration(fault, "latency", milliseconds(random.between(5, 40)));
}

void randomize_jitter(PlannedFault& fault, base::Random& random) {
  if (random.chance(0.3)) return;
  const nanoseconds latency = duration_of(fault, "latency").value_or(nanoseconds(0));
  const auto jitter = std::chrono::round<milliseconds>(latency / random.between(2, 5));
  set_duration(fault, "jitter", jitter);
  set_word(fault, "distribution", kDistributionWords[random.below(kDistributionWords.size())]);
  set_word(fault, "order", kOrderWords[random.below(kOrderWords.size())]);
}

void randomize_loss(PlannedFault& fault, base::Random& random) {
  randomize_share(fault, random, "loss", 6);
  if (random.chance(0.5)) {
    set_number(fault, "burst", static_cast<double>(random.between(2, 5)));
  }
}

void randomize_share(PlannedFault& fault,
                     base::Random& random,
                     std::string_view name,
                     double highest) {
  // At least a fifth of it, in tenths of a percent: little enough to work, enough to be seen.
  const double share = highest * (0.2 + 0.8 * random.unit());
  set_number(fault, name, std::round(share * 10) / 10);
}

void randomize_rate(PlannedFault& fault, base::Random& random) {
  set_number(fault, "rate", static_cast<double>(random.between(2, 10)) * 1e5);
}

std::span<const std::string_view> netem_needed() {
  return kNetem;
}

FaultInfo link_fault_row() {
  FaultInfo row;
  row.shapes = link_shapes();
  row.needs = kNetem;
  row.burden = {.slows = true};
  row.usual = std::chrono::seconds(3);
  row.check = check_links;
  row.apply = apply_cut<LinkFault, plan_links>;
  return row;
}

}  // namespace sunder::nemesis
