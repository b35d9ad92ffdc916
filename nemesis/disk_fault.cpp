#include "nemesis/disk_fault.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::chrono::seconds kReapLimit(5);

bool lies(disk::RuleKind kind) {
  return kind == disk::RuleKind::bit_flip || kind == disk::RuleKind::lost_write ||
         kind == disk::RuleKind::misdirected_write;
}

bool has_parameter(const PlannedFault& fault, std::string_view name) {
  const FaultInfo* const family = find_fault(fault.family);
  SUNDER_ASSERT(family != nullptr);
  return std::ranges::find(family->parameters, name, &FaultParameter::name) !=
         family->parameters.end();
}

std::optional<double> number_if_any(const PlannedFault& fault, std::string_view name) {
  return has_parameter(fault, name) ? number_of(fault, name) : std::nullopt;
}

std::string word_if_any(const PlannedFault& fault, std::string_view name) {
  return has_parameter(fault, name) ? word_of(fault, name).value_or("") : "";
}

}  // namespace

disk::Rule rule_of(const PlannedFault& fault) {
  disk::Rule rule;
  const auto kind = disk::rule_kind_named(fault.family);
  SUNDER_ASSERT(kind.has_value());
  rule.kind = *kind;
  rule.files = word_if_any(fault, "files");
  rule.operation = word_if_any(fault, "operation");
  rule.nth = static_cast<std::uint64_t>(number_if_any(fault, "nth").value_or(0));
  rule.rate = number_if_any(fault, "rate").value_or(100) / 100;
  rule.quota = static_cast<std::uint64_t>(number_if_any(fault, "free").value_or(0));
  if (has_parameter(fault, "by")) rule.delay = duration_of(fault, "by").value_or(rule.delay);
  rule.seed = fault.seed;
  return rule;
}

Result<disk::Client*> disk_of(const NemesisContext& context, std::size_t node) {
  disk::Client* const disk = context.cluster.disk(node);
  if (disk == nullptr) {
    return base::make_error(
        Errc::unsupported,
        fmt::format("n{} was started without a disk that can fail (docs/faults.md)", node + 1));
  }
  return disk;
}

ActiveDiskFault::ActiveDiskFault(NemesisContext& context,
                                 const PlannedFault& planned,
                                 ResolvedTargets targets)
    : ProcessFault(context, planned, std::move(targets)), rule_(rule_of(planned)) {
  record_.description += fmt::format(" ({})", rule_.files);
}

boost::asio::awaitable<Result<void>> ActiveDiskFault::begin() {
  for (Victim& victim : victims_) {
    const auto disk = disk_of(context_, victim.node);
    if (disk.has_error()) co_return disk.error();
    disk::Rule rule = rule_;
    rule.seed = base::Random(rule_.seed).fork("node", victim.node).next();
    auto armed = (*disk)->arm(record_.id, rule);
    if (armed.has_error()) co_return armed;
    armed_.push_back(victim.node);
    context_.cluster.tolerate_end(victim.node, true);
    victim.since = context_.clock.now();
  }
  // A node reads its files when it starts.
  if (rule_.operation == "read") {
    for (const Victim& victim : victims_) {
      auto pending = restart(victim);
      auto restarted = co_await std::move(pending);
      if (restarted.has_error()) co_return restarted;
    }
  }
  stands();
  co_return Result<void>();
}

boost::asio::awaitable<Result<void>> ActiveDiskFault::restart(const Victim& victim) {
  if (context_.cluster.state(victim.node) != cluster::NodeState::down) {
    auto sent = context_.cluster.signal(victim.node, SIGKILL);
    if (sent.has_error()) co_return sent;
  }
  auto reaped = co_await context_.cluster.wait_down(victim.node, kReapLimit);
  if (reaped.has_error()) co_return reaped;
  co_return context_.cluster.start(victim.node);
}

Result<void> ActiveDiskFault::undo() {
  Result<void> outcome;
  const auto keep_first = [&outcome](const Result<void>& result) {
    if (result.has_error() && outcome.has_value()) outcome = result;
  };
  for (const Victim& victim : victims_) {
    if (std::ranges::find(armed_, victim.node) == armed_.end()) continue;
    keep_first(disarm(victim));
    keep_first(bring_back(victim));
  }
  if (!victims_.empty() && struck_ == 0) {
    not_exercised(seen_ == 0 ? fmt::format("no operation on a file like {}", rule_.files)
                             : fmt::format("none of {} operations was struck", seen_));
  }
  return outcome;
}

Result<void> ActiveDiskFault::disarm(const Victim& victim) {
  const auto disk = disk_of(context_, victim.node);
  if (disk.has_error()) return disk.error();
  const auto counted = (*disk)->disarm(record_.id);
  SUNDER_TRY(counted);
  seen_ += counted->seen;
  struck_ += counted->struck;
  add_evidence(victim, "operations seen", static_cast<double>(counted->seen), "operations");
  add_evidence(victim, "operations struck", static_cast<double>(counted->struck), "operations");
  if (counted->bytes > 0)
    add_evidence(victim, "bytes concerned", static_cast<double>(counted->bytes), "bytes");
  return {};
}

Result<void> ActiveDiskFault::bring_back(const Victim& victim) {
  cluster::Cluster& cluster = context_.cluster;
  const bool lied = lies(rule_.kind) && struck_ > 0;
  const auto end = cluster.own_end(victim.node);
  if (!lied) cluster.tolerate_end(victim.node, false);
  if (end) {
    add_evidence(victim,
                 fmt::format("ended by itself ({}) after", end->how),
                 static_cast<double>(end->time - victim.since) / 1e6,
                 "ms");
    return cluster.start(victim.node);
  }
  // Down because of another fault, which starts it again, or stopped.
  if (!lied || cluster.state(victim.node) != cluster::NodeState::running) return {};
  add_evidence(victim, "killed, to read what its disk holds", 1, "");
  SUNDER_TRY(cluster.signal(victim.node, SIGKILL));
  return cluster.start_once_ended(victim.node);
}

std::span<const FaultShape> disk_fault_shapes() noexcept {
  static constexpr std::array kShapes{
      FaultShape{"all", "every node at once", 1, {0, 1, 0.2, 0.4, false}},
      FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.2, 0.4, false}},
      FaultShape{"leader", "the leader", 1, {2, 1, 0.3, 0.55, false}},
      FaultShape{"majority", "the smallest majority", 1, {0, 1, 0.2, 0.4, false}},
      FaultShape{"minority", "the largest minority", kMinority_nodes_min, {0, 1, 0.3, 0.55, false}},
      FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.3, 0.55, false}},
      FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.55, false}},
      FaultShape{"others", "every node but the one that told the event", 2, {}},
      FaultShape{"subject", "the node that told the event", 1, {}},
  };
  return kShapes;
}

// Often enough to hit the log, seldom enough to leave most of it whole.
static void randomize_lie(PlannedFault& fault, base::Random& random) {
  set_number(fault, "rate", random.chance(0.5) ? 5 : 15);
}

FaultInfo disk_fault_row() {
  FaultInfo row;
  row.shapes = disk_fault_shapes();
  row.evidence =
      "Operations on matching files seen and struck, per node, as the disk counted them; how and "
      "when a node ended by itself.";
  row.needs = kFuse;
  row.burden = {.stops = true};
  row.apply = apply_process_fault<ActiveDiskFault>;
  return row;
}

FaultInfo disk_lie_row() {
  FaultInfo row = disk_fault_row();
  row.evidence =
      "Operations struck and bytes concerned, per node, as the disk counted them; that the node "
      "was killed and started again on what its disk holds, and whether it refused.";
  row.burden = {.stops = true, .lies = true, .ends = true};
  row.randomize = randomize_lie;
  return row;
}

}  // namespace sunder::nemesis
