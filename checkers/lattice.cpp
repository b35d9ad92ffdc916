#include "checkers/lattice.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

// Single objects: Steinke & Nutt, J. ACM 51(5), 2004; Bouajjani et al., POPL 2017. Transactions:
// Adya 1999; Bailis et al., VLDB 2013; Cerone, Bernardi & Gotsman, CONCUR 2015.
constexpr std::array kOrders{
    LevelOrder{"linearizable", "sequential"},
    LevelOrder{"sequential", "causal-memory"},
    LevelOrder{"sequential", "ccv"},
    LevelOrder{"ccv", "causal"},
    LevelOrder{"causal-memory", "causal"},
    LevelOrder{"causal-memory", "pram"},
    LevelOrder{"ccv", "monotonic-reads"},
    LevelOrder{"causal", "writes-follow-reads"},
    LevelOrder{"causal", "read-your-writes"},
    LevelOrder{"writes-follow-reads", "monotonic-writes"},
    LevelOrder{"pram", "monotonic-reads"},
    LevelOrder{"pram", "monotonic-writes"},
    LevelOrder{"pram", "read-your-writes"},
    LevelOrder{"linearizable", "delta-atomicity"},
    LevelOrder{"linearizable", "k-atomicity"},

    LevelOrder{"strict-serializable", "strong-serializable"},
    LevelOrder{"strict-serializable", "strong-session-serializable"},
    LevelOrder{"strict-serializable", "strong-snapshot-isolation"},
    LevelOrder{"strong-serializable", "strong-session-serializable"},
    LevelOrder{"strong-serializable", "strong-snapshot-isolation"},
    LevelOrder{"strong-session-serializable", "serializable"},
    LevelOrder{"strong-session-serializable", "strong-session-snapshot-isolation"},
    LevelOrder{"serializable", "repeatable-read"},
    LevelOrder{"serializable", "snapshot-isolation"},
    LevelOrder{"strong-snapshot-isolation", "strong-session-snapshot-isolation"},
    LevelOrder{"strong-session-snapshot-isolation", "snapshot-isolation"},
    LevelOrder{"strong-snapshot-isolation", "strong-consistent-view"},
    LevelOrder{"strong-session-snapshot-isolation", "strong-session-parallel-snapshot-isolation"},
    LevelOrder{"strong-session-snapshot-isolation", "strong-session-prefix"},
    LevelOrder{"strong-session-parallel-snapshot-isolation", "parallel-snapshot-isolation"},
    LevelOrder{"strong-session-parallel-snapshot-isolation", "strong-session-consistent-view"},
    LevelOrder{"strong-session-parallel-snapshot-isolation", "causal"},
    LevelOrder{"strong-session-prefix", "prefix"},
    LevelOrder{"strong-consistent-view", "strong-session-consistent-view"},
    LevelOrder{"strong-consistent-view", "strong-read-committed"},
    LevelOrder{"strong-session-consistent-view", "consistent-view"},
    LevelOrder{"strong-session-consistent-view", "strong-session-read-committed"},
    LevelOrder{"strong-read-committed", "strong-session-read-committed"},
    LevelOrder{"strong-read-committed", "strong-read-uncommitted"},
    LevelOrder{"strong-session-read-committed", "read-committed"},
    LevelOrder{"strong-session-read-committed", "strong-session-read-uncommitted"},
    LevelOrder{"strong-read-uncommitted", "strong-session-read-uncommitted"},
    LevelOrder{"strong-session-read-uncommitted", "read-uncommitted"},
    LevelOrder{"snapshot-isolation", "parallel-snapshot-isolation"},
    LevelOrder{"snapshot-isolation", "prefix"},
    LevelOrder{"parallel-snapshot-isolation", "consistent-view"},
    LevelOrder{"parallel-snapshot-isolation", "read-atomic"},
    LevelOrder{"prefix", "read-atomic"},
    // Sessions are part of every snapshot here; Elle's weaker levels know no processes.
    LevelOrder{"parallel-snapshot-isolation", "causal", "txn-rw"},
    LevelOrder{"prefix", "causal", "txn-rw"},
    LevelOrder{"causal", "read-atomic"},
    LevelOrder{"read-atomic", "monotonic-view"},
    LevelOrder{"repeatable-read", "consistent-view"},
    LevelOrder{"repeatable-read", "monotonic-view"},
    LevelOrder{"consistent-view", "cursor-stability"},
    LevelOrder{"cursor-stability", "read-committed"},
    LevelOrder{"monotonic-view", "monotonic-atomic-view"},
    LevelOrder{"monotonic-atomic-view", "read-committed"},
    LevelOrder{"read-committed", "read-uncommitted"},

    LevelOrder{"non-negative", "any-balance", "bank"},
    LevelOrder{"exact", "order", "comments"},
    LevelOrder{"last-write", "agreement", "convergence"},
    LevelOrder{"linearizable", "bounds", "counter"},
    LevelOrder{"ordered", "delivered", "kafka"},
    LevelOrder{"delivered", "log", "kafka"},
    LevelOrder{"real-time", "session", "monotonic"},
    LevelOrder{"session", "order", "monotonic"},
    LevelOrder{"exact", "order", "sequential"},
    LevelOrder{"linearizable", "final-read", "set"},
    LevelOrder{"fresh", "stable", "set-full"},
    LevelOrder{"exactly-once", "total", "total-queue"},
};

bool reaches(std::string_view model,
             std::string_view from,
             std::string_view to,
             std::size_t steps_left) {
  return std::ranges::any_of(kOrders, [&](const LevelOrder& order) {
    if (order.stronger != from || (!order.model.empty() && order.model != model)) return false;
    return order.weaker == to ||
           (steps_left > 0 && reaches(model, order.weaker, to, steps_left - 1));
  });
}

// Levels that the table does not know are questions of their own (a single anomaly, say).
bool is_placed(const ModelInfo& model, std::string_view level) {
  return model.levels.size() == 1 || std::ranges::any_of(kOrders, [&](const LevelOrder& order) {
           const bool of_model = order.model.empty() || order.model == model.name;
           return of_model && (order.stronger == level || order.weaker == level);
         });
}

// Judges the levels of one model, as few as it takes.
class Placing {
 public:
  Placing(const history::History& history,
          const ModelInfo& model,
          const CheckOptions& options,
          const std::stop_token& stop)
      : history_(&history), model_(&model), options_(&options), stop_(&stop) {
    placement_.model = model.name;
    for (const LevelInfo& level : model.levels) {
      if (is_placed(model, level.name)) placement_.levels.push_back({level.name, {}, {}});
    }
    states_.resize(placement_.levels.size());
  }

  [[nodiscard]] Placement run() {
    const std::vector<std::size_t> order = from_the_weakest();
    for (const std::size_t level : order) {
      if (!has(level, &Placing::is_stronger, VerdictKind::kept, true)) try_briefly(level);
    }
    for (const std::size_t level : order) {
      if (states_[level] != State::judged && states_[level] != State::implied) judge(level);
    }
    sum_up();
    return std::move(placement_);
  }

 private:
  enum class State { unknown, tried, judged, implied };
  using Relation = bool (Placing::*)(std::size_t, std::size_t) const;

  [[nodiscard]] std::string_view name(std::size_t level) const {
    return placement_.levels[level].name;
  }

  [[nodiscard]] VerdictKind kind(std::size_t level) const {
    return placement_.levels[level].verdict.kind;
  }

  [[nodiscard]] bool is_stronger(std::size_t one, std::size_t than) const {
    return implies(model_->name, name(one), name(than));
  }

  [[nodiscard]] bool is_weaker(std::size_t one, std::size_t than) const {
    return implies(model_->name, name(than), name(one));
  }

  // Whether some level in that relation to `level` has that verdict, or merely is there.
  [[nodiscard]] bool has(std::size_t level,
                         Relation relation,
                         VerdictKind wanted,
                         bool whatever = false) const {
    for (std::size_t other = 0; other < states_.size(); ++other) {
      if (!(this->*relation)(other, level)) continue;
      if (whatever || (states_[other] != State::unknown && kind(other) == wanted)) return true;
    }
    return false;
  }

  [[nodiscard]] std::vector<std::size_t> from_the_weakest() const {
    std::vector<std::pair<std::size_t, std::size_t>> ranked;  // how many levels are weaker
    for (std::size_t level = 0; level < states_.size(); ++level) {
      std::size_t weaker = 0;
      for (std::size_t other = 0; other < states_.size(); ++other) {
        weaker += is_weaker(other, level) ? 1U : 0U;
      }
      ranked.emplace_back(weaker, level);
    }
    std::ranges::sort(ranked);
    std::vector<std::size_t> order;
    for (const auto& [weaker, level] : ranked) order.push_back(level);
    return order;
  }

  // The strongest, with a part of the time: what is kept spares all that is weaker.
  void try_briefly(std::size_t level) {
    constexpr int kPart = 10;
    CheckOptions options = *options_;
    options.time_budget /= kPart;
    placement_.levels[level].verdict =
        check_model(*history_, {model_, name(level)}, options, *stop_);
    states_[level] = kind(level) == VerdictKind::undetermined ? State::tried : State::judged;
    spread(level);
  }

  void judge(std::size_t level) {
    placement_.levels[level].verdict =
        check_model(*history_, {model_, name(level)}, *options_, *stop_);
    states_[level] = State::judged;
    spread(level);
  }

  // What follows from a verdict for the levels that are not judged yet.
  void spread(std::size_t level) {
    const VerdictKind verdict = kind(level);
    if (verdict != VerdictKind::kept && verdict != VerdictKind::broken) return;
    const bool kept = verdict == VerdictKind::kept;
    for (std::size_t other = 0; other < states_.size(); ++other) {
      const bool follows = kept ? is_weaker(other, level) : is_stronger(other, level);
      const bool settled = states_[other] == State::judged || states_[other] == State::implied;
      if (!follows || settled) continue;
      Placement::Level& implied = placement_.levels[other];
      implied.verdict = Verdict();
      implied.verdict.kind = verdict;
      implied.verdict.summary = kept ? fmt::format("the stronger {} is kept", name(level))
                                     : fmt::format("the weaker {} is broken", name(level));
      implied.follows_from = name(level);
      states_[other] = State::implied;
    }
  }

  void sum_up() {
    for (std::size_t level = 0; level < states_.size(); ++level) {
      const bool kept = kind(level) == VerdictKind::kept;
      const bool broken = kind(level) == VerdictKind::broken;
      if (kept && !has(level, &Placing::is_stronger, VerdictKind::kept)) {
        placement_.strongest.push_back(level);
      }
      if (broken && !has(level, &Placing::is_weaker, VerdictKind::broken)) {
        placement_.refuted.push_back(level);
      }
    }
  }

  const history::History* history_;
  const ModelInfo* model_;
  const CheckOptions* options_;
  const std::stop_token* stop_;
  Placement placement_;
  std::vector<State> states_;
};

}  // namespace

std::span<const LevelOrder> level_orders() {
  return kOrders;
}

bool implies(std::string_view model, std::string_view stronger, std::string_view weaker) {
  return reaches(model, stronger, weaker, kOrders.size());
}

Verdict Placement::verdict() const {
  Verdict verdict;
  verdict.kind = !strongest.empty() ? VerdictKind::kept
                 : !refuted.empty() ? VerdictKind::broken
                                    : VerdictKind::undetermined;
  verdict.summary = summary();
  for (const Level& level : levels) {
    verdict.details.push_back(
        fmt::format("{}: {}, {}", level.name, name_of(level.verdict.kind), level.verdict.summary));
  }
  for (const std::size_t index : refuted) {
    for (Counterexample example : levels[index].verdict.counterexamples) {
      example.title = fmt::format("not {}: {}", levels[index].name, example.title);
      verdict.counterexamples.push_back(std::move(example));
      break;  // one is enough to refute it
    }
  }
  return verdict;
}

std::string Placement::summary() const {
  const auto names = [this](const std::vector<std::size_t>& indices) {
    std::string text;
    for (const std::size_t index : indices) {
      text += fmt::format("{}{}", text.empty() ? "" : ", ", levels[index].name);
    }
    return text;
  };
  std::vector<std::size_t> open;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (levels[level].verdict.kind == VerdictKind::undetermined) open.push_back(level);
  }
  std::string text = strongest.empty() ? "no level is known to be kept"
                                       : "strongest not refuted: " + names(strongest);
  if (!refuted.empty()) text += "; next stronger, refuted: " + names(refuted);
  if (!open.empty()) text += "; undetermined: " + names(open);
  return text;
}

Placement place(const history::History& history,
                const ModelInfo& model,
                const CheckOptions& options,
                const std::stop_token& stop) {
  return Placing(history, model, options, stop).run();
}

}  // namespace sunder::checkers
