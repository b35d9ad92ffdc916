// Partition: cuts chosen directed links silently (blackhole), clients on their node's side, and
// counts what was dropped.
//
// All cuts are one netlink batch. Healing withdraws this fault's overlay only; what other faults
// want stays. A flapping partition stands and lifts in turn; the record says when it stood.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/history/operation.hpp"
#include "nemesis/families.hpp"
#include "nemesis/partition_shapes.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using cluster::Endpoint;
using cluster::LinkMatrix;
using std::chrono::nanoseconds;

LinkMatrix overlay_of(const NemesisContext& context, const PartitionPlan& plan) {
  const std::size_t nodes = context.cluster.nodes();
  LinkMatrix overlay(context.cluster.endpoints());
  for (std::size_t from = 0; from < nodes; ++from) {
    for (std::size_t to = 0; to < nodes; ++to) {
      const auto a = static_cast<Endpoint>(from);
      const auto b = static_cast<Endpoint>(to);
      overlay.at(a, b).blackhole = plan.is_cut(from, to);
    }
  }
  if (context.clients_see_all) return overlay;
  const std::size_t clients = std::min(context.client_nodes.size(), context.cluster.clients());
  for (std::size_t client = 0; client < clients; ++client) {
    const auto endpoint = static_cast<Endpoint>(nodes + client);
    const std::size_t side = context.client_nodes[client];
    for (std::size_t node = 0; node < nodes; ++node) {
      const auto other = static_cast<Endpoint>(node);
      overlay.at(endpoint, other).blackhole = plan.is_cut(side, node);
      overlay.at(other, endpoint).blackhole = plan.is_cut(node, side);
    }
  }
  return overlay;
}

class ActivePartition final : public ActiveFault {
 public:
  ActivePartition(NemesisContext& context, PlannedFault planned, const PartitionPlan& plan)
      : context_(context), planned_(std::move(planned)), overlay_(overlay_of(context, plan)) {
    record_.id = planned_.id;
    record_.family = planned_.family;
    record_.shape = planned_.shape;
    record_.description = fmt::format("partition {}: {}", planned_.shape, plan.sides);
    if (!plan.remark.empty()) record_.description += fmt::format(" ({})", plan.remark);
    describe_links();
  }

  ActivePartition(const ActivePartition&) = delete;
  ActivePartition& operator=(const ActivePartition&) = delete;

  ~ActivePartition() override {
    if (!healed_) (void)heal();
  }

  [[nodiscard]] Result<void> install() {
    record_.applying.begin = context_.clock.now();
    const auto before = context_.cluster.counters();
    if (before.has_error()) return with_context(before.error(), record_.description);
    dropped_before_ = dropped(*before);
    const auto change = context_.cluster.apply(planned_.id, overlay_);
    if (change.has_error()) {
      healed_ = true;  // the cluster undid what was half done
      return with_context(change.error(), record_.description);
    }
    installing_ = change->installing;
    stands_ = true;
    record_.applying.end = context_.clock.now();
    record_.active = {record_.applying.end, history::kNever};
    if (period()) record_.standing.push_back(record_.active);
    return {};
  }

  [[nodiscard]] Result<void> heal() override {
    SUNDER_ASSERT(!healed_);
    healed_ = true;
    record_.active.end = context_.clock.now();
    close_standing(record_.active.end);
    const auto counters = context_.cluster.counters();
    const auto change = context_.cluster.withdraw(planned_.id);
    record_.healed = context_.clock.now();
    if (change.has_error()) return with_context(change.error(), "heal " + record_.description);
    if (counters.has_error()) return with_context(counters.error(), record_.description);
    add_evidence(dropped(*counters) - dropped_before_);
    return {};
  }

  [[nodiscard]] std::optional<nanoseconds> period() const override {
    return duration_of(planned_, "flap");
  }

  [[nodiscard]] Result<void> toggle() override {
    SUNDER_ASSERT(!healed_);
    // The record must not claim a cut before it is installed, nor after its withdrawal began.
    if (stands_) close_standing(context_.clock.now());
    const auto change = stands_ ? context_.cluster.withdraw(planned_.id)
                                : context_.cluster.apply(planned_.id, overlay_);
    if (change.has_error()) return with_context(change.error(), "flap " + record_.description);
    stands_ = !stands_;
    if (stands_) record_.standing.push_back({context_.clock.now(), history::kNever});
    ++flaps_;
    return {};
  }

  [[nodiscard]] const history::FaultRecord& record() const noexcept override { return record_; }

 private:
  void describe_links() {
    const std::size_t nodes = context_.cluster.nodes();
    std::vector<bool> touched(nodes);
    for (std::size_t from = 0; from < overlay_.endpoints(); ++from) {
      for (std::size_t to = 0; to < overlay_.endpoints(); ++to) {
        const auto a = static_cast<Endpoint>(from);
        const auto b = static_cast<Endpoint>(to);
        if (!overlay_.at(a, b).blackhole) continue;
        record_.cut_links.emplace_back(context_.cluster.name(a), context_.cluster.name(b));
        if (from < nodes) touched[from] = true;
        if (to < nodes) touched[to] = true;
      }
    }
    for (std::size_t node = 0; node < nodes; ++node) {
      if (touched[node])
        record_.targets.push_back(context_.cluster.name(static_cast<Endpoint>(node)));
    }
  }

  // Frames dropped so far on the links that this fault cuts.
  [[nodiscard]] std::uint64_t dropped(const std::vector<cluster::LinkCounters>& counters) const {
    std::uint64_t sum = 0;
    const std::size_t endpoints = overlay_.endpoints();
    SUNDER_ASSERT(counters.size() == endpoints * endpoints);
    for (std::size_t from = 0; from < endpoints; ++from) {
      for (std::size_t to = 0; to < endpoints; ++to) {
        const bool cut =
            overlay_.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to)).blackhole;
        if (cut) sum += counters[from * endpoints + to].dropped;
      }
    }
    return sum;
  }

  void close_standing(std::int64_t now) {
    if (!record_.standing.empty() && record_.standing.back().end == history::kNever) {
      record_.standing.back().end = now;
    }
  }

  void add_evidence(std::uint64_t packets) {
    record_.exercised = packets > 0;
    if (packets == 0) record_.reason = "no packet was dropped on a cut link";
    record_.evidence = {
        {"packets dropped", static_cast<double>(packets), "packets"},
        {"links cut", static_cast<double>(record_.cut_links.size()), "links"},
        {"installed in", static_cast<double>(installing_.count()) / 1e3, "µs"},
        {"stood", static_cast<double>(record_.active.end - record_.active.begin) / 1e6, "ms"},
    };
    if (period()) record_.evidence.push_back({"flaps", static_cast<double>(flaps_), ""});
  }

  NemesisContext& context_;
  PlannedFault planned_;
  LinkMatrix overlay_;
  history::FaultRecord record_;
  std::uint64_t dropped_before_ = 0;
  nanoseconds installing_{0};
  std::uint64_t flaps_ = 0;
  bool stands_ = false;  // the overlay is installed; a flapping fault lifts it for a while
  bool healed_ = false;
};

boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> apply_partition(
    NemesisContext& context, PlannedFault fault) {
  base::Random random(fault.seed);
  const auto plan = plan_partition(fault, context.cluster.nodes(), living_leader(context), random);
  if (plan.has_error()) co_return plan.error();
  auto active = std::make_unique<ActivePartition>(context, std::move(fault), *plan);
  if (auto installed = active->install(); installed.has_error()) co_return installed.error();
  co_return std::unique_ptr<ActiveFault>(std::move(active));
}

constexpr RandomUse use(double weight, bool light = false) {
  return {weight, 1.4, 0.62, 0.7, light};
}

constexpr std::array kShapes{
    FaultShape{"bridge", "two halves that only one node sees both of", 3, use(1)},
    FaultShape{"groups", "named sides: n1+n2/n3+n4+n5, or n1>n2+n3 for one direction", 2, use(0)},
    FaultShape{"halves", "two sides, as equal as can be", 2, use(1)},
    FaultShape{"leader", "the leader alone against all others", 2, use(2, true)},
    FaultShape{"leader-deaf", "the leader hears no other node, but is heard", 2, use(0)},
    FaultShape{
        "leader-minority", "the leader with the largest minority against a majority", 3, use(2)},
    FaultShape{"leader-mute", "the leader is heard by no other node, but hears", 2, use(0)},
    FaultShape{"minority", "a random minority against a majority", 3, use(2)},
    FaultShape{"one", "one random node alone against all others", 2, use(2, true)},
    FaultShape{"one-way", "one random node is no longer heard, or no longer hears", 2, use(1)},
    FaultShape{"ring", "every node sees a majority, none the same", kRing_nodes_min, use(1)},
    FaultShape{"subject", "the node that told the event alone against all others", 2, use(0)},
};

constexpr nanoseconds kFlap_min = std::chrono::milliseconds(20);
constexpr nanoseconds kFlap_max = std::chrono::minutes(10);

constexpr std::array kParameters{
    FaultParameter{.name = "flap",
                   .summary = "stands and lifts in turn, this long each",
                   .kind = ParameterKind::duration,
                   .low = limit(kFlap_min),
                   .high = limit(kFlap_max)},
};

constexpr double kFlap_chance = 0.2;

void randomize(PlannedFault& fault, base::Random& random) {
  if (!random.chance(kFlap_chance)) return;
  const auto period = std::chrono::round<std::chrono::milliseconds>(fault.duration / 8);
  set_duration(fault, "flap", std::clamp<nanoseconds>(period, kFlap_min, kFlap_max));
}

}  // namespace

FaultInfo partition_fault() {
  return {.name = "partition",
          .summary = "Cuts links silently; clients stay on their node's side.",
          .shapes = kShapes,
          .parameters = kParameters,
          .evidence =
              "Frames that the cut links dropped, counted by the kernel on each link; which "
              "links; how long installing them in one batch took.",
          .limits =
              "Nobody is told: connections stay open and silent, packets in flight are lost. "
              "A partition without traffic across it drops nothing and is not exercised.",
          .example = "partition:n1+n2/n3+n4+n5@2s+6s;flap=500ms",
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(3),
          .randomize = randomize,
          .apply = apply_partition};
}

}  // namespace sunder::nemesis
