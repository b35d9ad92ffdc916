#include "checkers/isolation/isolation.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "checkers/findings.hpp"
#include "checkers/isolation/backward_order.hpp"
#include "checkers/isolation/contradiction.hpp"
#include "checkers/isolation/order_solver.hpp"
#include "checkers/isolation/weak.hpp"
#include "checkers/isolation/witness.hpp"

namespace sunder::checkers::isolation {
namespace {

using history::History;

struct Answer {
  VerdictKind kind = VerdictKind::kept;
  std::string reason = {};               // when undetermined
  std::vector<std::uint32_t> core = {};  // when broken: transactions that contradict each other
  bool core_is_whole = true;             // nothing that the contradiction rests on is missing
  std::string_view route = {};           // how it was found
  std::size_t clauses = 0;
};

// Decides one reading of the history: each read is of one known write.
class Decision {
 public:
  Decision(const Transactions& transactions,
           const History& history,
           const Question& question,
           const SolverLimits& limits)
      : data_(&transactions), history_(&history), question_(&question), limits_(&limits) {}

  [[nodiscard]] Answer decide() const {
    const Rules& rules = question_->rules;
    if (rules.axiom == Axiom::read_uncommitted) return {.route = "single reads"};
    const std::vector<std::uint32_t> order = guess_commit_order(*data_, *history_);
    if (question_->routes.witness) {
      if (is_witness(order)) return {.route = "commit order"};
      if (is_transitive() && order.size() == data_->size() &&
          is_witness(order_backwards(*data_, order))) {
        return {.route = "commit order, from its end"};
      }
    }
    std::vector<ForcedEdge> forced;
    if (question_->routes.polynomial) {
      if (const std::optional<Answer> answer = decide_weak(order, forced)) return *answer;
    }
    return search(order, forced);
  }

 private:
  // Whether what others saw through others counts, so that more than a look at each is needed.
  [[nodiscard]] bool is_transitive() const { return question_->rules.axiom >= Axiom::causal; }

  // Whether the order shows that the level holds.
  [[nodiscard]] bool is_witness(std::span<const std::uint32_t> order) const {
    const Rules& rules = question_->rules;
    if (order.size() < data_->size()) return false;
    if (rules.axiom == Axiom::read_committed || rules.axiom == Axiom::read_atomic) return false;
    const bool in_time = !rules.real_time || respects_real_time(*data_, order, *history_);
    const bool serially = rules.axiom == Axiom::serializable;
    if (serially && !in_time) return false;
    const Witness witness(*data_, order);
    if (in_time && witness.explains_serially()) return true;
    if (serially) return false;
    return witness.explains_by_snapshots(rules.real_time ? history_ : nullptr);
  }

  // Nothing: it takes a search, in which causal consistency forces these edges.
  [[nodiscard]] std::optional<Answer> decide_weak(std::span<const std::uint32_t> order,
                                                  std::vector<ForcedEdge>& forced) const {
    const Rules& rules = question_->rules;
    if (!rules.sessions) return std::nullopt;
    const bool exact = rules.axiom <= Axiom::causal;
    const WeakLevel level = rules.axiom == Axiom::read_committed ? WeakLevel::read_committed
                            : rules.axiom == Axiom::read_atomic  ? WeakLevel::read_atomic
                                                                 : WeakLevel::causal;
    WeakResult result =
        check_weak(*data_, {.level = level, .order = order, .edges = !exact}, *limits_);
    if (!result.undecided.empty()) {
      if (!exact) return std::nullopt;
      return Answer{.kind = VerdictKind::undetermined, .reason = std::move(result.undecided)};
    }
    if (!result.violation) {
      if (exact) return Answer{.route = "forced order"};
      forced = std::move(result.forced);
      return std::nullopt;
    }
    Answer answer{.kind = VerdictKind::broken, .route = "forced order"};
    answer.core = result.violation->transactions;
    for (const ForcedEdge& edge : result.violation->forced) {
      answer.core.push_back(edge.reader);
      add_path(edge.from, edge.reader, level, answer.core);
    }
    tidy(answer.core);
    return answer;
  }

  // How the reader of a forced edge came to see the transaction, when through others.
  void add_path(std::uint32_t seen,
                std::uint32_t reader,
                WeakLevel level,
                std::vector<std::uint32_t>& core) const {
    if (level != WeakLevel::causal) return;
    const std::vector<std::uint32_t> path = shortest_path(*data_, seen, reader);
    core.insert(core.end(), path.begin(), path.end());
  }

  static void tidy(std::vector<std::uint32_t>& core) {
    std::ranges::sort(core);
    core.erase(std::unique(core.begin(), core.end()), core.end());
  }

  // What must be so at every strong level: what is known, and what follows from causality.
  [[nodiscard]] std::vector<Before> saturated(const Axioms& axioms,
                                              std::span<const ForcedEdge> forced) const {
    std::vector<Before> edges = axioms.fixed();
    if (forced.empty()) return edges;
    for (const ForcedEdge& edge : forced) edges.push_back(axioms.forced_before(edge));
    if (question_->rules.axiom == Axiom::parallel_snapshot) return edges;
    // What follows from causality the other way round is a help, and needs all clocks at once: with
    // many sessions they would take more time than they save.
    constexpr std::size_t kClocks_max = std::size_t{256} << 20;
    if (Clocks::bytes(*data_) > std::min(limits_->memory, kClocks_max)) return edges;
    for (const ForcedEdge& edge : missed_writes(*data_)) {
      edges.push_back(axioms.missed_before(edge));
    }
    return edges;
  }

  // A cycle of what must be so, with all that it follows from.
  void explain_cycle(const Axioms& axioms,
                     std::span<const Before> edges,
                     std::span<const ForcedEdge> forced,
                     Answer& answer) const {
    answer.kind = VerdictKind::broken;
    const std::vector<std::uint32_t> cycle = shortest_cycle(axioms.events(), edges);
    std::vector<std::uint32_t> transactions;
    for (const std::uint32_t event : cycle) {
      if (axioms.transaction_of(event) != kNone) {
        transactions.push_back(axioms.transaction_of(event));
      }
    }
    answer.core = transactions;
    for (std::size_t i = 0; i < transactions.size(); ++i) {
      const std::uint32_t from = transactions[i];
      const std::uint32_t to = transactions[(i + 1) % transactions.size()];
      for (const ForcedEdge& edge : forced) {
        if (edge.from != from || edge.to != to) continue;
        answer.core.push_back(edge.reader);
        add_path(from, edge.reader, WeakLevel::causal, answer.core);
        break;
      }
      // Where the edge is of a missed write: whom the reader had read from, and the way from there.
      for (std::uint32_t read = data_->read_begin[from]; read < data_->read_begin[from + 1];
           ++read) {
        const std::uint32_t writer = data_->writer_of(read);
        if (writer == kNone || data_->find_write(to, data_->read_key[read]) == kNone) continue;
        answer.core.push_back(writer);
        add_path(writer, to, WeakLevel::causal, answer.core);
      }
    }
    tidy(answer.core);
  }

  [[nodiscard]] Answer search(std::span<const std::uint32_t> guess,
                              std::span<const ForcedEdge> forced) const {
    Axioms axioms(*data_, *history_, question_->rules);
    Answer answer{.route = "search"};
    if (axioms.needs_more_than(limits_->memory)) {
      answer.kind = VerdictKind::undetermined;
      answer.reason = "more memory would be needed for the clocks of its sessions";
      return answer;
    }
    const std::vector<Before> fixed = saturated(axioms, forced);
    std::vector<std::uint32_t> order = axioms.order_near(guess, fixed);
    if (order.size() < axioms.events()) {
      explain_cycle(axioms, fixed, forced, answer);
      return answer;
    }
    OrderSolver solver(std::move(order), fixed);
    std::vector<Demand> demands;
    while (true) {
      std::vector<Demand> violated = axioms.violated(solver.order().positions());
      if (violated.empty()) return answer;
      const OrderSolver::Outcome outcome = require(solver, violated, demands);
      answer.clauses = demands.size();
      if (outcome == OrderSolver::Outcome::satisfied) continue;
      conclude(outcome, solver, axioms, demands, answer);
      add_reasons(forced, answer);
      return answer;
    }
  }

  // What the forced edges between transactions of the core follow from belongs to it, too.
  void add_reasons(std::span<const ForcedEdge> forced, Answer& answer) const {
    if (answer.kind != VerdictKind::broken || forced.empty()) return;
    constexpr std::size_t kCoreMax = 100;
    const std::vector<std::uint32_t> core = answer.core;
    const auto inside = [&](std::uint32_t i) { return std::ranges::binary_search(core, i); };
    for (const ForcedEdge& edge : forced) {
      if (!inside(edge.from) || !inside(edge.to)) continue;
      answer.core.push_back(edge.reader);
      add_path(edge.from, edge.reader, WeakLevel::causal, answer.core);
    }
    answer.core_is_whole = core.size() <= kCoreMax;
    for (const std::uint32_t reader : core) {
      if (!answer.core_is_whole) break;
      for (std::uint32_t read = data_->read_begin[reader]; read < data_->read_begin[reader + 1];
           ++read) {
        const std::uint32_t writer = data_->writer_of(read);
        if (writer == kNone) continue;
        for (const std::uint32_t other : core) {
          if (data_->find_write(other, data_->read_key[read]) == kNone) continue;
          answer.core.push_back(writer);
          add_path(writer, other, WeakLevel::causal, answer.core);
        }
      }
    }
    tidy(answer.core);
  }

  [[nodiscard]] OrderSolver::Outcome require(OrderSolver& solver,
                                             std::vector<Demand>& violated,
                                             std::vector<Demand>& demands) const {
    for (Demand& demand : violated) {
      if (demand.options.empty()) {  // the initial value, although another was seen: no way out
        demands = {std::move(demand)};
        return OrderSolver::Outcome::contradiction;
      }
      solver.require(demand.options);
      demands.push_back(std::move(demand));
    }
    return solver.solve(*limits_);
  }

  void conclude(OrderSolver::Outcome outcome,
                const OrderSolver& solver,
                const Axioms& axioms,
                const std::vector<Demand>& demands,
                Answer& answer) const {
    if (outcome != OrderSolver::Outcome::contradiction) {
      answer.kind = VerdictKind::undetermined;
      answer.reason = outcome == OrderSolver::Outcome::out_of_time
                          ? "its time was over"
                          : "it would have taken too much memory";
      return;
    }
    answer.kind = VerdictKind::broken;
    const auto add_demand = [&](const Demand& demand) {
      for (const std::uint32_t i : {demand.reader, demand.read_from, demand.other}) {
        if (i != kNone) answer.core.push_back(i);
      }
    };
    if (demands.size() == 1 && demands.front().options.empty()) {
      add_demand(demands.front());
      if (question_->rules.axiom != Axiom::read_committed) {
        const std::vector<std::uint32_t> path =
            shortest_path(*data_, demands.front().other, demands.front().reader);
        answer.core.insert(answer.core.end(), path.begin(), path.end());
      }
    } else {
      const OrderSolver::Core core = solver.core();
      for (const std::uint32_t number : core.clauses) add_demand(demands[number]);
      for (const std::uint32_t event : core.events) {
        const std::uint32_t transaction = axioms.transaction_of(event);
        if (transaction != kNone) answer.core.push_back(transaction);
      }
    }
    tidy(answer.core);
  }

  const Transactions* data_;
  const History* history_;
  const Question* question_;
  const SolverLimits* limits_;
};

// From which level on a wrong read matters.
bool matters(ReadFault fault, Axiom axiom) noexcept {
  switch (fault) {
    case ReadFault::thin_air:
    case ReadFault::not_own_write:
    case ReadFault::future:
      return true;
    case ReadFault::aborted:
    case ReadFault::intermediate:
      return axiom >= Axiom::read_committed;
    case ReadFault::non_repeatable:
      break;
  }
  return axiom >= Axiom::read_atomic;
}

// Goes through the readings of reads whose value several transactions wrote.
class Readings {
 public:
  explicit Readings(Transactions& transactions)
      : data_(&transactions), choice_(transactions.ambiguous.size(), 0) {}

  // Takes the next one that avoids a contradiction. False: there is none.
  [[nodiscard]] bool advance(const Answer& answer) {
    std::size_t i = 0;
    // Reads that it does not rest on may be of whatever they like: it stays.
    const auto matters = [&](std::size_t index) {
      return !answer.core_is_whole ||
             std::ranges::binary_search(answer.core, data_->ambiguous[index].reader);
    };
    for (; i < choice_.size() && !matters(i); ++i) choose(i, 0);
    for (; i < choice_.size(); ++i) {
      choose(i, (choice_[i] + 1) % data_->ambiguous[i].count());
      if (choice_[i] != 0) return true;
    }
    return false;
  }

  void restart() {
    for (std::size_t i = 0; i < choice_.size(); ++i) choose(i, 0);
  }

 private:
  void choose(std::size_t index, std::uint32_t choice) {
    choice_[index] = choice;
    const AmbiguousRead& read = data_->ambiguous[index];
    const std::uint32_t write = data_->candidate(read, choice);
    data_->read_write[read.read] = write;
    data_->read_from[read.read] = data_->write_transaction[write];
  }

  Transactions* data_;
  std::vector<std::uint32_t> choice_;
};

Answer decide_all(Transactions& transactions,
                  const History& history,
                  const Question& question,
                  const SolverLimits& limits) {
  const Decision decision(transactions, history, question, limits);
  Readings readings(transactions);
  Answer first = decision.decide();
  if (first.kind != VerdictKind::broken) return first;
  for (Answer answer = first; readings.advance(answer);) {
    if (limits.stop.stop_requested() || std::chrono::steady_clock::now() >= limits.deadline) {
      return {.kind = VerdictKind::undetermined,
              .reason = "its time was over before every reading of repeated values was tried"};
    }
    answer = decision.decide();
    if (answer.kind != VerdictKind::broken) return answer;
  }
  readings.restart();  // which the first answer is about
  return first;
}

}  // namespace

Verdict check_isolation(const History& history,
                        const Question& question,
                        const CheckOptions& options,
                        std::stop_token stop) {
  Verdict verdict;
  if (history.empty()) {
    verdict.summary = "nothing observed: the history is empty";
    return verdict;
  }
  std::string foreign;
  std::optional<Transactions> transactions = read_transactions(history, question.dialect, foreign);
  if (!transactions) {
    verdict.summary = fmt::format("not a transaction of reads and writes: {}", foreign);
    return verdict;
  }
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  verdict.measurements = {{"transactions", count(transactions->size()), ""},
                          {"sessions", count(transactions->sessions), ""},
                          {"keys", count(transactions->key_count()), ""}};
  const Contradiction contradiction(*transactions, history, question.rules, question.level);
  constexpr std::size_t kExamplesMax = 5;
  for (const BadRead& bad : transactions->bad_reads) {
    if (!matters(bad.fault, question.rules.axiom)) continue;
    verdict.kind = VerdictKind::broken;
    verdict.counterexamples.push_back(contradiction.of_read(bad));
    if (verdict.counterexamples.size() == kExamplesMax) break;
  }
  if (!verdict.counterexamples.empty()) {
    verdict.summary = verdict.counterexamples.front().why;
    return verdict;
  }
  if (transactions->acknowledged == 0) {
    verdict.summary = "nothing observed: no transaction is known to have committed";
    return verdict;
  }
  SolverLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + options.time_budget;
  limits.memory = options.memory_budget;
  limits.stop = std::move(stop);
  const Answer answer = decide_all(*transactions, history, question, limits);
  verdict.kind = answer.kind;
  verdict.measurements.push_back({"clauses", count(answer.clauses), ""});
  if (answer.kind == VerdictKind::kept) {
    verdict.summary = fmt::format("{} of {} on {} satisfy {} ({})",
                                  counted(transactions->size(), "transaction"),
                                  counted(transactions->sessions, "session"),
                                  counted(transactions->key_count(), "key"),
                                  question.level,
                                  answer.route);
  } else if (answer.kind == VerdictKind::undetermined) {
    verdict.summary = fmt::format("{} could not be decided: {}", question.level, answer.reason);
  } else {
    verdict.counterexamples.push_back(contradiction.of_transactions(answer.core));
    verdict.summary = verdict.counterexamples.front().why;
  }
  return verdict;
}

}  // namespace sunder::checkers::isolation
