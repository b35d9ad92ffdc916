#include "checkers/elle/levels.hpp"

#include <algorithm>
#include <array>

#include "harness/base/assert.hpp"

namespace sunder::checkers::elle {
namespace {

constexpr AnomalySet kVersions =
    anomalies(Anomaly::garbage_read, Anomaly::duplicate_elements, Anomaly::cyclic_versions);
constexpr AnomalySet kDirty = anomalies(Anomaly::g1a,
                                        Anomaly::g1b,
                                        Anomaly::dirty_update,
                                        Anomaly::incompatible_order,
                                        Anomaly::future_read);

// The cycles that have variants.
constexpr AnomalySet kCycles = anomalies(Anomaly::g0,
                                         Anomaly::g1c,
                                         Anomaly::g_single,
                                         Anomaly::g_nonadjacent,
                                         Anomaly::g2_item,
                                         Anomaly::prefix_cycle);

// A level's cycles also with the order of a process, and with the order in real time.
constexpr AnomalySet in_process(AnomalySet set) {
  return set | ((set & kCycles) << 1U);
}

constexpr AnomalySet strong(AnomalySet set) {
  return in_process(set) | ((set & kCycles) << 2U);
}

constexpr AnomalySet kReadUncommitted = kVersions | anomalies(Anomaly::g0);
constexpr AnomalySet kReadCommitted = kReadUncommitted | kDirty | anomalies(Anomaly::g1c);
constexpr AnomalySet kMonotonicAtomicView = kReadCommitted | anomalies(Anomaly::non_monotonic_view);
constexpr AnomalySet kReadAtomic =
    kMonotonicAtomicView | anomalies(Anomaly::internal, Anomaly::fractured_read);
constexpr AnomalySet kCausal =
    kReadAtomic | anomalies(Anomaly::g0_process, Anomaly::g1c_process, Anomaly::non_causal);
constexpr AnomalySet kPrefix = kReadAtomic | anomalies(Anomaly::prefix_cycle);
constexpr AnomalySet kCursorStability = kReadCommitted | anomalies(Anomaly::lost_update);
constexpr AnomalySet kConsistentView = kCursorStability | anomalies(Anomaly::g_single);
constexpr AnomalySet kParallel = kReadAtomic | kConsistentView;
constexpr AnomalySet kSnapshot = kParallel | kPrefix | anomalies(Anomaly::g_nonadjacent);
constexpr AnomalySet kRepeatableRead =
    kConsistentView | anomalies(Anomaly::g_nonadjacent, Anomaly::g2_item);
constexpr AnomalySet kSerializable = kRepeatableRead | kSnapshot;

constexpr std::array kLevels{
    IsolationLevel{"strict-serializable",
                   "Transactions take effect one after the other, each while it runs.",
                   strong(kSerializable)},
    IsolationLevel{
        "strong-serializable", "Another name: strict-serializable.", strong(kSerializable)},
    IsolationLevel{"strong-session-serializable",
                   "Serializable, in the order of every process.",
                   in_process(kSerializable)},
    IsolationLevel{
        "serializable", "Transactions take effect as if one ran after the other.", kSerializable},
    IsolationLevel{"repeatable-read",
                   "No cycle of transactions, over single objects (Adya's PL-2.99).",
                   kRepeatableRead},
    IsolationLevel{"strong-snapshot-isolation",
                   "Snapshot isolation whose snapshots hold all that had ended before.",
                   strong(kSnapshot)},
    IsolationLevel{"strong-session-snapshot-isolation",
                   "Snapshot isolation whose snapshots hold what the process did before.",
                   in_process(kSnapshot)},
    IsolationLevel{"snapshot-isolation",
                   "Each transaction reads a snapshot; of two that write a key one sees the other.",
                   kSnapshot},
    IsolationLevel{"strong-session-parallel-snapshot-isolation",
                   "Parallel snapshot isolation, in the order of every process.",
                   in_process(kParallel)},
    IsolationLevel{"parallel-snapshot-isolation",
                   "Snapshots without a common order; of two that write a key one sees the other.",
                   kParallel},
    IsolationLevel{"strong-session-prefix",
                   "Prefix consistency, in the order of every process.",
                   in_process(kPrefix)},
    IsolationLevel{"prefix", "Each transaction reads a prefix of one order of all.", kPrefix},
    IsolationLevel{"causal", "What a transaction sees, it sees with all its causes.", kCausal},
    IsolationLevel{"strong-session-consistent-view",
                   "Consistent view, in the order of every process.",
                   in_process(kConsistentView)},
    IsolationLevel{"strong-consistent-view",
                   "Consistent view, in the order of real time.",
                   strong(kConsistentView)},
    IsolationLevel{"consistent-view",
                   "What a transaction depends on, it does not miss (Adya's PL-2+).",
                   kConsistentView},
    IsolationLevel{"cursor-stability",
                   "Read committed, and no update of what was read is lost.",
                   kCursorStability},
    IsolationLevel{"read-atomic", "A transaction sees all writes of another or none.", kReadAtomic},
    IsolationLevel{"monotonic-atomic-view",
                   "Once a transaction saw a write of another, it sees all of them.",
                   kMonotonicAtomicView},
    IsolationLevel{"strong-read-committed",
                   "Read committed, in the order of real time.",
                   strong(kReadCommitted)},
    IsolationLevel{"strong-session-read-committed",
                   "Read committed, in the order of every process.",
                   in_process(kReadCommitted)},
    IsolationLevel{"read-committed",
                   "Nothing aborted or intermediate is read, nothing in a circle.",
                   kReadCommitted},
    IsolationLevel{"strong-read-uncommitted",
                   "Read uncommitted, in the order of real time.",
                   strong(kReadUncommitted)},
    IsolationLevel{"strong-session-read-uncommitted",
                   "Read uncommitted, in the order of every process.",
                   in_process(kReadUncommitted)},
    IsolationLevel{
        "read-uncommitted", "Writes of transactions are not interleaved.", kReadUncommitted},
};

}  // namespace

std::span<const IsolationLevel> isolation_levels() noexcept {
  return kLevels;
}

std::vector<LevelInfo> level_words(AnomalySet known) {
  std::vector<LevelInfo> words;
  for (const IsolationLevel& level : kLevels) words.push_back({level.name, level.summary});
  for (const AnomalyInfo& info : all_anomalies()) {
    if (contains(known, info.anomaly)) words.push_back({info.name, info.summary});
  }
  return words;
}

AnomalySet forbidden_by(std::string_view word) {
  const auto level = std::ranges::find(kLevels, word, &IsolationLevel::name);
  if (level != kLevels.end()) return level->forbidden;
  const auto infos = all_anomalies();
  const auto info = std::ranges::find(infos, word, &AnomalyInfo::name);
  SUNDER_ASSERT(info != infos.end());
  return anomalies(info->anomaly);
}

std::string ruled_out_by(Anomaly anomaly) {
  std::string names;
  for (auto level = kLevels.rbegin(); level != kLevels.rend(); ++level) {
    if (!contains(level->forbidden, anomaly)) continue;
    names += names.empty() ? "" : ", ";
    names += level->name;
  }
  return names;
}

}  // namespace sunder::checkers::elle
