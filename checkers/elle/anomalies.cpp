#include "checkers/elle/anomalies.hpp"

#include <algorithm>
#include <array>

namespace sunder::checkers::elle {
namespace {

constexpr std::array kAnomalies{
    AnomalyInfo{Anomaly::garbage_read, "garbage-read", "A read returned what nobody wrote."},
    AnomalyInfo{Anomaly::duplicate_elements,
                "duplicate-elements",
                "A read returned an element twice that was appended once."},
    AnomalyInfo{Anomaly::incompatible_order,
                "incompatible-order",
                "No order of the writes to a key explains what was read of it."},
    AnomalyInfo{Anomaly::cyclic_versions,
                "cyclic-versions",
                "The versions of a key follow each other in a circle."},
    AnomalyInfo{Anomaly::g1a, "G1a", "A read returned a write of an aborted transaction."},
    AnomalyInfo{Anomaly::g1b, "G1b", "A read returned what its writer overwrote before its end."},
    AnomalyInfo{Anomaly::dirty_update,
                "dirty-update",
                "A committed write builds on one of an aborted transaction."},
    AnomalyInfo{
        Anomaly::future_read, "future-read", "A transaction read what it wrote only afterwards."},
    AnomalyInfo{Anomaly::internal,
                "internal",
                "A read contradicts what its own transaction had read or written before."},
    AnomalyInfo{Anomaly::lost_update,
                "lost-update",
                "A transaction read a key and overwrote it although another had in between."},
    AnomalyInfo{Anomaly::non_monotonic_view,
                "non-monotonic-view",
                "A transaction saw one write of another and later missed a second one."},
    AnomalyInfo{Anomaly::fractured_read,
                "fractured-read",
                "A transaction saw one write of another and missed a second one."},
    AnomalyInfo{Anomaly::g0, "G0", "Transactions overwrote each other in a circle."},
    AnomalyInfo{Anomaly::g0_process, "G0-process", "G0 with the order of a process."},
    AnomalyInfo{Anomaly::g0_realtime, "G0-realtime", "G0 with the order in real time."},
    AnomalyInfo{Anomaly::g1c, "G1c", "Transactions read from each other in a circle."},
    AnomalyInfo{Anomaly::g1c_process, "G1c-process", "G1c with the order of a process."},
    AnomalyInfo{Anomaly::g1c_realtime, "G1c-realtime", "G1c with the order in real time."},
    AnomalyInfo{Anomaly::g_single,
                "G-single",
                "A cycle in which one transaction missed what another wrote."},
    AnomalyInfo{
        Anomaly::g_single_process, "G-single-process", "G-single with the order of a process."},
    AnomalyInfo{
        Anomaly::g_single_realtime, "G-single-realtime", "G-single with the order in real time."},
    AnomalyInfo{Anomaly::g_nonadjacent,
                "G-nonadjacent",
                "A cycle in which transactions missed writes, no two of them in a row."},
    AnomalyInfo{Anomaly::g_nonadjacent_process,
                "G-nonadjacent-process",
                "G-nonadjacent with the order of a process."},
    AnomalyInfo{Anomaly::g_nonadjacent_realtime,
                "G-nonadjacent-realtime",
                "G-nonadjacent with the order in real time."},
    AnomalyInfo{Anomaly::g2_item, "G2-item", "A cycle in which transactions missed writes."},
    AnomalyInfo{
        Anomaly::g2_item_process, "G2-item-process", "G2-item with the order of a process."},
    AnomalyInfo{
        Anomaly::g2_item_realtime, "G2-item-realtime", "G2-item with the order in real time."},
    AnomalyInfo{Anomaly::non_causal,
                "non-causal",
                "A transaction missed a write that came before it causally."},
    AnomalyInfo{Anomaly::prefix_cycle,
                "G-prefix",
                "No order of commits explains what was read as prefixes of it."},
    AnomalyInfo{
        Anomaly::prefix_cycle_process, "G-prefix-process", "G-prefix with the order of a process."},
    AnomalyInfo{Anomaly::prefix_cycle_realtime,
                "G-prefix-realtime",
                "G-prefix with the order in real time."},
};

static_assert(kAnomalies.size() == kAnomaly_count);

using arc::kMissed;
using arc::kObserved;
using arc::kProcess;
using arc::kRealtime;
using arc::kRw;
using arc::kWr;
using arc::kWw;

constexpr ArcKinds kData = kWw | kWr;
constexpr ArcKinds kAll = kData | kRw;

// A rule with its variants: `order` are the session or real-time arcs.
constexpr CycleRule rule_of(std::size_t row, Anomaly variant, ArcKinds order) {
  switch (row) {
    case 0:
      return {variant, CycleShape::plain, kWw, kWw | order};
    case 1:
      return {variant, CycleShape::plain, kWr, kData | order};
    case 2:
      return {variant, CycleShape::plain, kRw, kData | order};
    case 3:
      return {variant, CycleShape::start, kRw, kAll | order};
    case 4:
      return {variant, CycleShape::plain, kRw, kAll | order};
    default:
      return {variant, CycleShape::prefix, kAll, kAll | order};
  }
}

constexpr std::array kFirsts{Anomaly::g0,
                             Anomaly::g1c,
                             Anomaly::g_single,
                             Anomaly::g_nonadjacent,
                             Anomaly::g2_item,
                             Anomaly::prefix_cycle};

constexpr auto make_rules() {
  std::array<CycleRule, 3 * kFirsts.size() + 1> rules{};
  std::size_t count = 0;
  constexpr std::array<ArcKinds, 3> kOrders{0, kProcess, kProcess | kRealtime};
  for (std::size_t order = 0; order < kOrders.size(); ++order) {
    for (std::size_t row = 0; row < kFirsts.size(); ++row) {
      const auto variant = static_cast<Anomaly>(static_cast<std::size_t>(kFirsts[row]) + order);
      rules[count++] = rule_of(row, variant, kOrders[order]);
    }
  }
  rules[count] = {Anomaly::non_causal, CycleShape::plain, kMissed, kObserved | kProcess};
  return rules;
}

constexpr std::array kRules = make_rules();

}  // namespace

std::span<const AnomalyInfo> all_anomalies() noexcept {
  return kAnomalies;
}

std::string_view name_of(Anomaly anomaly) noexcept {
  return kAnomalies[static_cast<std::size_t>(anomaly)].name;
}

std::span<const CycleRule> cycle_rules() noexcept {
  return kRules;
}

std::string name_of_cycle(std::span<const Step> cycle) {
  ArcKinds all = 0;
  std::size_t missed = 0;
  bool adjacent = false;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    all |= cycle[i].kinds;
    if ((cycle[i].kinds & kRw) == 0) continue;
    ++missed;
    adjacent = adjacent || (cycle[(i + 1) % cycle.size()].kinds & kRw) != 0;
  }
  if ((all & kMissed) != 0) return std::string(name_of(Anomaly::non_causal));
  std::string name = "G2-item";
  if (missed == 0) {
    name = (all & kWr) != 0 ? "G1c" : "G0";
  } else if (missed == 1) {
    name = "G-single";
  } else if (!adjacent) {
    name = "G-nonadjacent";
  }
  if ((all & kRealtime) != 0) return name + "-realtime";
  return (all & kProcess) != 0 ? name + "-process" : name;
}

}  // namespace sunder::checkers::elle
