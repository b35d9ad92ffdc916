// The model "txn-rw": plain transactions of reads and writes, whose sessions are processes.

#include <array>
#include <string_view>
#include <utility>

#include "checkers/isolation/isolation.hpp"

namespace sunder::checkers {
namespace {

using isolation::Axiom;
using isolation::Rules;

struct Level {
  LevelInfo info;
  Rules rules;
};

constexpr std::array kLevels{
    Level{{"serializable",
           "Some order of transactions, in which sessions keep theirs, explains every read."},
          {.axiom = Axiom::serializable}},
    Level{{"causal", "Whoever saw a transaction saw everything that happened before it."},
          {.axiom = Axiom::causal}},
    Level{{"monotonic-atomic-view",
           "Once a transaction was seen, no older value is read of any key it wrote."},
          {.axiom = Axiom::read_committed}},
    Level{{"monotonic-view", "The same as monotonic-atomic-view."},
          {.axiom = Axiom::read_committed}},
    Level{{"parallel-snapshot-isolation", "Causal, and no two writers of a key are concurrent."},
          {.axiom = Axiom::parallel_snapshot}},
    Level{{"prefix", "Every transaction reads from a prefix of one order of commits."},
          {.axiom = Axiom::prefix}},
    Level{{"read-atomic", "A transaction is seen whole or not at all, directly or by its session."},
          {.axiom = Axiom::read_atomic}},
    Level{{"read-committed",
           "Only what committed is read, and never older than what was seen before."},
          {.axiom = Axiom::read_committed}},
    Level{{"read-uncommitted", "Only what somebody wrote is read, and one's own writes."},
          {.axiom = Axiom::read_uncommitted}},
    Level{{"repeatable-read", "Adya's PL-2.99: without predicates, the same as serializable."},
          {.axiom = Axiom::serializable}},
    Level{{"snapshot-isolation",
           "Every transaction reads from a snapshot, and no two writers of a key overlap."},
          {.axiom = Axiom::snapshot}},
    Level{{"strict-serializable", "Serializable, in an order that real time allows."},
          {.axiom = Axiom::serializable, .real_time = true}},
    Level{{"strong-session-serializable",
           "The same as serializable: sessions keep their order here."},
          {.axiom = Axiom::serializable}},
    Level{{"strong-session-snapshot-isolation",
           "The same as snapshot-isolation: sessions keep their order here."},
          {.axiom = Axiom::snapshot}},
    Level{{"strong-snapshot-isolation",
           "Snapshot isolation; a snapshot holds whatever committed before it began."},
          {.axiom = Axiom::snapshot, .real_time = true}},
};

constexpr std::array kLevel_infos = [] {
  std::array<LevelInfo, kLevels.size()> infos;
  for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = kLevels[i].info;
  return infos;
}();

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions& options,
              std::stop_token stop) {
  for (const Level& known : kLevels) {
    if (known.info.name != level) continue;
    return isolation::check_isolation(
        history, {.level = level, .rules = known.rules}, options, std::move(stop));
  }
  return {};
}

}  // namespace

ModelInfo txn_rw_model() {
  return {.name = "txn-rw",
          .summary = "Transactions of reads and writes; sessions are processes.",
          .levels = kLevel_infos,
          .fits = isolation::are_transactions,
          .check = check,
          .strength = 2,
          .decides = isolation::writes_values_once};
}

}  // namespace sunder::checkers
