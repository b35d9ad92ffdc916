// PowerLoss: kill -9 of chosen nodes, whose disks then forget what was not synced; torn-write: all
// of it but a seeded choice of sectors. A fresh start of each at the end of the fault.
//
// A disk that syncs in a fraction of a millisecond rarely holds anything unsynced, so the power is
// made to fail while syncs are under way: they are held back until every disk has one, or for a
// moment, and then never finish.
//
// What each disk forgot is the evidence, by file.

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>

#include "harness/base/deadline.hpp"
#include "nemesis/disk_fault.hpp"
#include "nemesis/families.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {
namespace {

constexpr std::chrono::seconds kReapLimit(5);
constexpr std::size_t kFilesNamedMax = 6;  // per node
// How long syncs are held back before the power goes: until each disk has one, within limits.
constexpr std::chrono::milliseconds kHoldMax(120);
constexpr std::chrono::milliseconds kLookEvery(3);
constexpr std::chrono::seconds kHeldFor(20);  // longer than the processes live

disk::Survival survival_of(const PlannedFault& fault) {
  disk::Survival survival;
  if (fault.family != "torn-write") return survival;
  survival.keep = number_of(fault, "keep").value_or(0) / 100;
  survival.sector = static_cast<std::uint32_t>(number_of(fault, "sector").value_or(0));
  survival.in_order = word_of(fault, "order") == "first";
  survival.tears = true;
  return survival;
}

class ActivePowerLoss final : public ProcessFault {
 public:
  ActivePowerLoss(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets)
      : ProcessFault(context, planned, std::move(targets)),
        survival_(survival_of(planned)),
        seed_(planned.seed) {}

  ~ActivePowerLoss() override { heal_at_last(); }

  // All signals first, then the waiting: the power goes for all at once.
  boost::asio::awaitable<Result<void>> begin() {
    for (const Victim& victim : victims_) {
      const auto disk = disk_of(context_, victim.node);
      if (disk.has_error()) co_return disk.error();
    }
    auto holding = hold_syncs();
    auto held = co_await std::move(holding);
    if (held.has_error()) co_return held;
    for (const Victim& victim : victims_) {
      auto sent = context_.cluster.signal(victim.node, SIGKILL);
      if (sent.has_error()) co_return sent;
    }
    for (Victim& victim : victims_) {
      victim.since = context_.clock.now();
      auto reaped = co_await context_.cluster.wait_down(victim.node, kReapLimit);
      if (reaped.has_error()) co_return reaped;
      auto forgotten = forget(victim);
      if (forgotten.has_error()) co_return forgotten;
    }
    holds_ = false;
    if (!victims_.empty() && !anything_) {
      not_exercised("everything was synced at that moment: nothing was forgotten");
    }
    stands();
    co_return Result<void>();
  }

 private:
  [[nodiscard]] Result<void> undo() override {
    for (const Victim& victim : victims_) {
      if (disk::Client* const disk = context_.cluster.disk(victim.node); disk != nullptr && holds_)
        (void)disk->disarm(record_.id);
    }
    return start_all_again();
  }

  boost::asio::awaitable<Result<void>> hold_syncs() {
    disk::Rule rule;
    rule.kind = disk::RuleKind::fsync_slow;
    rule.delay = kHeldFor;
    holds_ = true;
    for (const Victim& victim : victims_) {
      auto armed = context_.cluster.disk(victim.node)->arm(record_.id, rule);
      if (armed.has_error()) co_return armed;
    }
    const std::int64_t limit = context_.clock.now() + std::chrono::nanoseconds(kHoldMax).count();
    while (context_.clock.now() < limit) {
      std::size_t holding = 0;
      for (const Victim& victim : victims_) {
        const auto counted = context_.cluster.disk(victim.node)->counters(record_.id);
        if (counted.has_value() && counted->struck > 0) ++holding;
      }
      if (holding == victims_.size()) break;
      co_await base::pause_for(kLookEvery);
    }
    co_return Result<void>();
  }

  [[nodiscard]] Result<void> forget(const Victim& victim) {
    const auto disk = disk_of(context_, victim.node);
    SUNDER_TRY(disk);
    const auto counted = (*disk)->disarm(record_.id);
    SUNDER_TRY(counted);
    add_evidence(victim, "syncs under way", static_cast<double>(counted->struck), "operations");
    const std::uint64_t seed = base::Random(seed_).fork("node", victim.node).next();
    auto loss = (*disk)->lose_power(survival_, seed);
    SUNDER_TRY(loss);
    describe(victim, *loss);
    return {};
  }

  void describe(const Victim& victim, disk::PowerLoss& loss) {
    std::uint64_t bytes = 0;
    std::uint64_t kept = 0;
    for (const disk::LostFile& file : loss.files) {
      bytes += file.loss.bytes;
      kept += file.loss.kept;
    }
    const auto count = [](auto number) { return static_cast<double>(number); };
    add_evidence(victim, "bytes forgotten", count(bytes), "bytes");
    if (kept > 0) add_evidence(victim, "unsynced bytes that survived", count(kept), "bytes");
    add_evidence(victim, "names forgotten", count(loss.tree.entries.size()), "");
    add_evidence(victim, "removed names that returned", count(loss.tree.returned.size()), "");
    add_evidence(victim, "renames undone", count(loss.tree.renames), "");
    std::ranges::stable_sort(
        loss.files, [](const auto& a, const auto& b) { return a.loss.bytes > b.loss.bytes; });
    for (std::size_t i = 0; i < std::min(loss.files.size(), kFilesNamedMax); ++i) {
      const disk::LostFile& file = loss.files[i];
      const std::string_view what = file.forgotten ? "forgot whole" : "forgot of";
      add_evidence(victim, fmt::format("{} {}", what, file.path), count(file.loss.bytes), "bytes");
    }
    anything_ = anything_ || bytes > 0 || !loss.tree.entries.empty() ||
                !loss.tree.returned.empty() || loss.tree.renames > 0;
  }

  disk::Survival survival_;
  std::uint64_t seed_;
  bool anything_ = false;  // was forgotten on some node
  bool holds_ = false;     // some disks may hold syncs back
};

constexpr std::array kShapes{
    FaultShape{"all", "every node at once", 1, {0, 0.8, 0.12, 0.2, false}},
    FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.2, 0.4, false}},
    FaultShape{"leader", "the leader", 1, {3, 1, 0.3, 0.55, true}},
    FaultShape{"majority", "the smallest majority", 1, {0, 1, 0.2, 0.4, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {2, 1, 0.3, 0.55, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.3, 0.55, false}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.55, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

constexpr std::string_view kOrders[] = {"any", "first"};

constexpr std::array kTornParameters{
    FaultParameter{.name = "keep",
                   .summary = "the chance of each unsynced sector to survive",
                   .kind = ParameterKind::percent,
                   .low = 0.1,
                   .high = 100,
                   .otherwise = "50%"},
    FaultParameter{.name = "order",
                   .summary = "any: each sector by itself; first: only the oldest, up to `keep`",
                   .kind = ParameterKind::word,
                   .words = kOrders,
                   .otherwise = "any"},
    FaultParameter{.name = "sector",
                   .summary = "bytes that the disk writes whole",
                   .kind = ParameterKind::number,
                   .low = 1,
                   .high = 1 << 20,
                   .otherwise = "512"},
};

constexpr std::string_view kEvidence =
    "Bytes, names and renames that each disk forgot, and the files that lost most of them, by "
    "name.";

}  // namespace

FaultInfo power_loss_fault() {
  return {.name = "power-loss",
          .summary =
              "Cuts the power: kill -9, and whatever was not synced is forgotten; the nodes "
              "start again at the end of the fault.",
          .shapes = kShapes,
          .parameters = {},
          .evidence = kEvidence,
          .limits =
              "The strictest disk that POSIX allows: nothing unsynced survives, and a name is "
              "durable only once its directory was synced.",
          .example = "power-loss:all@10s+500ms",
          .needs = kFuse,
          .burden = {.stops = true},
          .apply = apply_process_fault<ActivePowerLoss>};
}

FaultInfo torn_write_fault() {
  return {.name = "torn-write",
          .summary =
              "Cuts the power while the disk writes: a seeded choice of the unsynced sectors "
              "survives, so that writes are torn.",
          .shapes = kShapes,
          .parameters = kTornParameters,
          .evidence = kEvidence,
          .limits =
              "What was synced is never torn; directories keep a prefix of their unsynced "
              "changes.",
          .example = "torn-write:all@10s+500ms;keep=30%;sector=4096",
          .needs = kFuse,
          .burden = {.stops = true},
          .apply = apply_process_fault<ActivePowerLoss>};
}

}  // namespace sunder::nemesis
