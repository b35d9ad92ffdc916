// The model rw-register: transactions that write unique values to registers and read them, judged
// by what Elle concludes by default (Kingsbury & Alvaro, VLDB 2020).
//
// elle-default is strict serializability as far as Elle's default inferences see: a violation is
// one, but much stays unseen. Nor does Elle mind a value that nobody wrote: garbage-read does.
// Every other level is decided exactly, as txn-rw does it. O(size of the history) when the order of
// the completions explains it, O(n log n) otherwise.

#include <algorithm>
#include <utility>

#include "checkers/checker.hpp"
#include "checkers/elle/judgement.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/elle/register_graph.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers {

ModelInfo txn_rw_model();

}  // namespace sunder::checkers

namespace sunder::checkers::elle {
namespace {

constexpr std::string_view kDefault = "elle-default";

// What wr and rw arcs and single reads can show.
constexpr AnomalySet kSeen = anomalies(Anomaly::garbage_read,
                                       Anomaly::g1a,
                                       Anomaly::g1b,
                                       Anomaly::future_read,
                                       Anomaly::internal,
                                       Anomaly::lost_update,
                                       Anomaly::g1c,
                                       Anomaly::g1c_process,
                                       Anomaly::g1c_realtime,
                                       Anomaly::g_single,
                                       Anomaly::g_single_process,
                                       Anomaly::g_single_realtime,
                                       Anomaly::g_nonadjacent,
                                       Anomaly::g_nonadjacent_process,
                                       Anomaly::g_nonadjacent_realtime,
                                       Anomaly::g2_item,
                                       Anomaly::g2_item_process,
                                       Anomaly::g2_item_realtime);
constexpr AnomalySet kNot_default = anomalies(Anomaly::garbage_read, Anomaly::future_read);

Forbidden forbid_here(std::string_view level) {
  if (level != kDefault) return forbid(level);
  return forbid(level, kSeen & ~kNot_default);
}

Verdict check_rw_register(const history::History& history,
                          std::string_view level,
                          const CheckOptions& options,
                          std::stop_token stop) {
  const ModelInfo exact = txn_rw_model();
  if (std::ranges::find(exact.levels, level, &LevelInfo::name) != exact.levels.end()) {
    return exact.check(history, level, options, std::move(stop));
  }
  Verdict verdict;
  const Transactions transactions = gather_transactions(history, MicroKind::write);
  verdict.summary = unjudgeable(transactions, "rw-register");
  if (!verdict.summary.empty()) return verdict;
  const Forbidden forbidden = forbid_here(level);
  Sightings sightings;
  RegisterGraph graph(history, transactions, forbidden.kinds, sightings);
  decide_cycles(verdict, history, transactions, graph, forbidden);
  conclude(verdict, history, transactions, forbidden, sightings);
  return verdict;
}

bool fits(const history::History& history) {
  return !history.empty() && gather_transactions(history, MicroKind::write).foreign.empty();
}

std::vector<LevelInfo> make_levels() {
  std::vector<LevelInfo> levels{
      {kDefault, "Strict serializability, as far as Elle's default inferences see."}};
  const std::span<const LevelInfo> exact = txn_rw_model().levels;
  levels.insert(levels.end(), exact.begin(), exact.end());
  for (const AnomalyInfo& info : all_anomalies()) {
    if (contains(kSeen, info.anomaly)) levels.push_back({info.name, info.summary});
  }
  return levels;
}

}  // namespace
}  // namespace sunder::checkers::elle

namespace sunder::checkers {

ModelInfo rw_register_model() {
  static const std::vector<LevelInfo> levels = elle::make_levels();
  return {.name = "rw-register",
          .summary = "Transactions that write and read registers, by Elle's default inferences.",
          .levels = levels,
          .fits = elle::fits,
          .check = elle::check_rw_register,
          .decides = isolation::writes_values_once};
}

}  // namespace sunder::checkers
