// The model list-append: transactions that append unique elements to lists and read them, judged
// by Elle's method (Kingsbury & Alvaro, VLDB 2020).
//
// Reads tell the order of the appends to each key, so the dependencies are facts and a level is
// decided by looking for the cycles that it forbids. Appends that nobody read come last in an order
// that nobody knows: where the level depends on it, orders are tried. O(size of the history) for
// valid histories whose order of commits is that of the completions, O(n log n) otherwise; trying
// orders is bounded by the budget.

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/elle/cycles.hpp"
#include "checkers/elle/equal_appends.hpp"
#include "checkers/elle/judgement.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/elle/list_graph.hpp"
#include "checkers/elle/list_order.hpp"

namespace sunder::checkers::elle {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;
using Cycles = std::vector<std::vector<Step>>;

// Whether a level allows cycles whose arcs are known but not every order of the unread appends. Of
// an anomaly alone it is asked what the reads show: there is no order in which all of it must fit.
bool needs_order_of_tails(AnomalySet forbidden) {
  constexpr AnomalySet kSome = anomalies(Anomaly::g_single,
                                         Anomaly::g_single_process,
                                         Anomaly::g_single_realtime,
                                         Anomaly::g_nonadjacent,
                                         Anomaly::g_nonadjacent_process,
                                         Anomaly::g_nonadjacent_realtime);
  return (forbidden & kSome) != 0 && contains(forbidden, Anomaly::g0) &&
         !contains(forbidden, Anomaly::g2_item);
}

class ListCheck {
 public:
  ListCheck(const history::History& history,
            const Transactions& transactions,
            const ListOrder& order,
            const Forbidden& forbidden,
            const CheckOptions& options)
      : history_(&history),
        transactions_(&transactions),
        forbidden_(&forbidden),
        deadline_(std::chrono::steady_clock::now() + options.time_budget),
        graph_(history, transactions, order, forbidden.kinds),
        ranks_(commit_ranks(history, transactions, graph_.graph())) {
    const bool lossless = contains(forbidden.anomalies, Anomaly::lost_update);
    if (lossless && !contains(forbidden.anomalies, Anomaly::g2_item)) graph_.add_claims();
    base_ = graph_.graph().entries().size();
  }

  // Adds the cycles to the verdict; a summary when the budget ran out.
  void run(Verdict& verdict) {
    if (forbidden_->cycles != 0) decide(verdict);
    if (contains(forbidden_->anomalies, Anomaly::non_causal)) decide_causal(verdict);
  }

 private:
  [[nodiscard]] Digraph& graph() { return graph_.graph(); }

  void decide(Verdict& verdict) {
    if (!needs_order_of_tails(forbidden_->anomalies)) {
      decide_cycles(verdict, *history_, *transactions_, graph_, *forbidden_);
      return;
    }
    assume(all_tails(by_rank()));
    if (explains(graph(), forbidden_->cycles, ranks_)) return;
    graph().truncate(base_);
    decide_cycles(verdict, *history_, *transactions_, graph_, *forbidden_);
    if (!verdict.counterexamples.empty() || graph_.tails(by_rank()).empty()) return;
    const std::optional<Cycles> contradiction = try_orders({});
    if (!contradiction) {
      verdict.summary = fmt::format(
          "too many orders of the appends that nobody read: {} were tried within the budget",
          tried_);
    } else if (!contradiction->empty()) {
      tell(verdict, *contradiction);
    }
  }

  void tell(Verdict& verdict, const Cycles& cycles) const {
    for (const std::vector<Step>& cycle : cycles) {
      verdict.counterexamples.push_back(explain_cycle(*history_, *transactions_, graph_, cycle));
    }
  }

  [[nodiscard]] std::vector<std::uint32_t> by_rank() const {
    std::vector<std::uint32_t> order(ranks_.size());
    for (std::uint32_t t = 0; t < order.size(); ++t) order[t] = t;
    std::ranges::stable_sort(order, {}, [&](std::uint32_t t) { return ranks_[t]; });
    std::vector<std::uint32_t> places(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) places[order[i]] = i;
    return places;
  }

  // Consecutive writers of unread appends, in the order of `places`.
  [[nodiscard]] std::vector<Pair> all_tails(const std::vector<std::uint32_t>& places) const {
    std::vector<Pair> pairs;
    for (const std::vector<std::uint32_t>& writers : graph_.tails(places)) {
      for (std::size_t i = 1; i < writers.size(); ++i) {
        pairs.emplace_back(writers[i - 1], writers[i]);
      }
    }
    return pairs;
  }

  void assume(const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) graph().add(pair.first, pair.second, arc::kWw);
  }

  // Looks for an order of the unread appends that contradicts nothing: assumes one that follows
  // the arcs, and where it leads into a forbidden cycle, some pair that is part of the cycle must
  // be the other way round. Nothing: out of budget. No cycles: there is an order; otherwise what
  // contradicts this one, and each way out of that.
  [[nodiscard]] std::optional<Cycles> try_orders(const std::vector<Pair>& forced) {
    if (std::chrono::steady_clock::now() > deadline_) return std::nullopt;
    ++tried_;
    graph().truncate(base_);
    assume(forced);
    graph().finish();
    Cycles cycles = find_cycles(graph(), forbidden_->cycles, 1);
    if (!cycles.empty()) return cycles;
    const ArcKinds dependencies = forbidden_->kinds & ~arc::kRw;
    const std::vector<Pair> assumed = all_tails(places_in_order(graph(), dependencies, ranks_));
    assume(assumed);
    graph().finish();
    cycles = find_cycles(graph(), forbidden_->cycles, 1);
    if (cycles.empty()) return Cycles{};
    for (const Step& step : std::vector<Step>(cycles.front())) {
      const Pair pair(step.from, step.to);
      if (step.kinds != arc::kWw || std::ranges::find(assumed, pair) == assumed.end()) continue;
      std::vector<Pair> reversed = forced;
      reversed.emplace_back(pair.second, pair.first);
      const std::optional<Cycles> found = try_orders(reversed);
      if (!found || found->empty()) return found;
      cycles.push_back(found->front());
    }
    return cycles;
  }

  // Strong session snapshot isolation implies causality; otherwise it is looked for arc by arc.
  void decide_causal(Verdict& verdict) {
    constexpr AnomalySet kStronger = anomalies(Anomaly::g_nonadjacent_process);
    graph().truncate(base_);
    if (explains(graph(), kStronger, ranks_)) return;
    graph_.add_observations();
    graph().finish();
    tell(verdict, find_cycles(graph(), anomalies(Anomaly::non_causal), 1));
  }

  const history::History* history_;
  const Transactions* transactions_;
  const Forbidden* forbidden_;
  std::chrono::steady_clock::time_point deadline_;
  ListGraph graph_;
  std::vector<std::int64_t> ranks_;
  std::size_t base_ = 0;  // how many arcs are facts
  std::size_t tried_ = 0;
};

// At read-uncommitted a transaction of unknown outcome may as well have been aborted after its
// writes were seen.
bool unknown_may_commit(AnomalySet forbidden) {
  constexpr AnomalySet kUncommitted = anomalies(Anomaly::garbage_read,
                                                Anomaly::duplicate_elements,
                                                Anomaly::cyclic_versions,
                                                Anomaly::g0,
                                                Anomaly::g0_process,
                                                Anomaly::g0_realtime);
  return (forbidden & ~kUncommitted) != 0;
}

constexpr AnomalySet kKnown =
    ((AnomalySet{1} << kAnomaly_count) - 1) & ~anomalies(Anomaly::cyclic_versions);

// The same transactions as far as they concern keys that are not contested.
Transactions without_contested(const Transactions& transactions, const ListOrder& order) {
  Transactions rest = transactions;
  rest.micro.clear();
  for (Transaction& transaction : rest.all) {
    const auto begin = static_cast<std::uint32_t>(rest.micro.size());
    for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
      const MicroOperation& micro = transactions.micro[i];
      if (order.contested[micro.key] == 0) rest.micro.push_back(micro);
    }
    transaction.begin = begin;
    transaction.end = static_cast<std::uint32_t>(rest.micro.size());
  }
  return rest;
}

Verdict judge(const history::History& history,
              const Transactions& transactions,
              const Forbidden& forbidden,
              const CheckOptions& options);

// An element that was appended twice does not tell by whom: the history is right when some way to
// tell them apart makes it right.
Verdict judge_each_way(const history::History& history,
                       const Transactions& transactions,
                       const ListOrder& order,
                       const Forbidden& forbidden,
                       const CheckOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.time_budget;
  using Reads = EqualAppends::Reads;
  const bool must_agree = contains(forbidden.anomalies, Anomaly::incompatible_order);
  const Reads others = unknown_may_commit(forbidden.anomalies) ? Reads::differ : Reads::part;
  EqualAppends equal(history, transactions, must_agree ? Reads::agree : others);
  std::optional<Verdict> broken;
  std::optional<Verdict> open;
  std::size_t tried = 0;
  do {
    const history::History apart = equal.told_apart();
    Verdict verdict =
        judge(apart, gather_transactions(apart, MicroKind::append), forbidden, options);
    ++tried;
    verdict.details.push_back(fmt::format("{}; here {}", order.ambiguous, equal.names()));
    if (verdict.kind == VerdictKind::kept) return verdict;
    std::optional<Verdict>& known = verdict.kind == VerdictKind::broken ? broken : open;
    if (!known) known = std::move(verdict);
    if (std::chrono::steady_clock::now() > deadline) {
      open.emplace().summary = fmt::format(
          "{}: none of the {} ways to tell them apart that were tried within the budget is right",
          order.ambiguous,
          tried);
      return *open;
    }
  } while (equal.next());
  if (open) return *open;
  broken->details.back() += fmt::format("; no other of {} ways is right", tried);
  return *broken;
}

Verdict judge(const history::History& history,
              const Transactions& transactions,
              const Forbidden& forbidden,
              const CheckOptions& options) {
  Verdict verdict;
  Sightings sightings;
  const ListOrder order =
      order_lists(history, transactions, unknown_may_commit(forbidden.anomalies), sightings);
  if (!order.ambiguous.empty()) {
    // Whatever explains the whole explains what the other keys show: what they contradict needs no
    // more.
    verdict = judge(history, without_contested(transactions, order), forbidden, options);
    if (verdict.kind == VerdictKind::broken) {
      verdict.details.push_back(order.ambiguous + "; the key was left out");
      return verdict;
    }
    return judge_each_way(history, transactions, order, forbidden, options);
  }
  inspect_reads(history, transactions, order, forbidden.anomalies, sightings);
  ListCheck(history, transactions, order, forbidden, options).run(verdict);
  conclude(verdict, history, transactions, forbidden, sightings);
  return verdict;
}

Verdict check_list_append(const history::History& history,
                          std::string_view level,
                          const CheckOptions& options,
                          std::stop_token) {
  Verdict verdict;
  const Transactions transactions = gather_transactions(history, MicroKind::append);
  verdict.summary = unjudgeable(transactions, "list-append");
  if (!verdict.summary.empty()) return verdict;
  return judge(history, transactions, forbid(level), options);
}

bool fits(const history::History& history) {
  const Transactions transactions = gather_transactions(history, MicroKind::append);
  const bool appends = std::ranges::any_of(transactions.micro, [](const MicroOperation& micro) {
    return micro.kind == MicroKind::append;
  });
  return transactions.foreign.empty() && appends;
}

}  // namespace

}  // namespace sunder::checkers::elle

namespace sunder::checkers {

ModelInfo list_append_model() {
  static const std::vector<LevelInfo> levels = elle::level_words(elle::kKnown);
  return {.name = "list-append",
          .summary = "Transactions that append to lists and read them, by Elle's method.",
          .levels = levels,
          .fits = elle::fits,
          .check = elle::check_list_append};
}

}  // namespace sunder::checkers
