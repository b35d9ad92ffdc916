// Anomalies: what isolation levels forbid, by Adya's and Elle's names.
//
// Adya, "Weak Consistency", 1999; Kingsbury & Alvaro, "Elle", VLDB 2020; Bailis et al., "Highly
// Available Transactions", VLDB 2014; Cerone & Gotsman, "Analysing Snapshot Isolation", J. ACM
// 2018. A level is the set of anomalies that it forbids.
//
// Threading: constants.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/graph.hpp"

namespace sunder::checkers::elle {

// Why one transaction comes before another.
namespace arc {
constexpr ArcKinds kWw = 1;         // wrote the version before the one that the other wrote
constexpr ArcKinds kWr = 2;         // wrote the version that the other read
constexpr ArcKinds kRw = 4;         // read the version before the one that the other wrote
constexpr ArcKinds kProcess = 8;    // came before the other in the same process
constexpr ArcKinds kRealtime = 16;  // ended before the other began
constexpr ArcKinds kObserved = 32;  // wrote some element of what the other read
constexpr ArcKinds kMissed = 64;    // read a version without what the other appended
}  // namespace arc

// Each cycle anomaly is followed by its variants with session and with real-time arcs.
enum class Anomaly : std::uint8_t {
  garbage_read,
  duplicate_elements,
  incompatible_order,
  cyclic_versions,
  g1a,
  g1b,
  dirty_update,
  future_read,
  internal,
  lost_update,
  non_monotonic_view,
  fractured_read,
  g0,
  g0_process,
  g0_realtime,
  g1c,
  g1c_process,
  g1c_realtime,
  g_single,
  g_single_process,
  g_single_realtime,
  g_nonadjacent,
  g_nonadjacent_process,
  g_nonadjacent_realtime,
  g2_item,
  g2_item_process,
  g2_item_realtime,
  non_causal,
  prefix_cycle,
  prefix_cycle_process,
  prefix_cycle_realtime,
};

constexpr std::size_t kAnomaly_count = 31;

using AnomalySet = std::uint64_t;

template <typename... Each>
[[nodiscard]] constexpr AnomalySet anomalies(Each... each) noexcept {
  return (AnomalySet{0} | ... | (AnomalySet{1} << static_cast<unsigned>(each)));
}

[[nodiscard]] constexpr bool contains(AnomalySet set, Anomaly anomaly) noexcept {
  return (set & anomalies(anomaly)) != 0;
}

struct AnomalyInfo {
  Anomaly anomaly;
  std::string_view name;     // "G-single"
  std::string_view summary;  // one sentence
};

// Indexed by Anomaly.
[[nodiscard]] std::span<const AnomalyInfo> all_anomalies() noexcept;
[[nodiscard]] std::string_view name_of(Anomaly anomaly) noexcept;

// How a cycle anomaly is looked for.
enum class CycleShape : std::uint8_t {
  plain,   // any cycle
  start,   // snapshot isolation: no two rw arcs adjacent
  prefix,  // as `start`, and an rw arc must follow a read, not a write
};

struct CycleRule {
  Anomaly anomaly;
  CycleShape shape;
  ArcKinds first;  // one arc has one of these kinds
  ArcKinds path;   // the others have one of these
};

// The rules of the cycle anomalies, the worst first.
[[nodiscard]] std::span<const CycleRule> cycle_rules() noexcept;

// "G-single-process": what a cycle of these arcs is called.
[[nodiscard]] std::string name_of_cycle(std::span<const Step> cycle);

}  // namespace sunder::checkers::elle
