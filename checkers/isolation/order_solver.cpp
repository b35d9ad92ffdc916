#include "checkers/isolation/order_solver.hpp"

#include <algorithm>

#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {

OrderSolver::OrderSolver(std::vector<std::uint32_t> order, std::span<const Before> fixed)
    : order_(std::move(order), fixed), first_mention_(order_.positions().size(), kNo) {}

OrderSolver::Literal OrderSolver::literal_of(Before edge) {
  SUNDER_ASSERT(edge.first != edge.second);
  const bool reversed = edge.first > edge.second;
  const Before ends = reversed ? edge.reversed() : edge;
  const std::uint64_t name = (std::uint64_t{ends.first} << 32) | ends.second;
  const auto [found, added] = numbers_.try_emplace(name, static_cast<Variable>(pairs_.size()));
  if (added) {
    pairs_.push_back({.ends = ends});
    watches_.resize(2 * pairs_.size());
  }
  return 2 * found->second + (reversed ? 1 : 0);
}

Before OrderSolver::edge_of(Literal literal) const noexcept {
  const Before ends = pairs_[literal / 2].ends;
  return literal % 2 == 0 ? ends : ends.reversed();
}

bool OrderSolver::is_true(Literal literal) const noexcept {
  return pairs_[literal / 2].value == (literal % 2 == 0 ? 1 : 0);
}

bool OrderSolver::is_false(Literal literal) const noexcept {
  return pairs_[literal / 2].value == (literal % 2 == 0 ? 0 : 1);
}

std::uint32_t OrderSolver::level() const noexcept {
  return static_cast<std::uint32_t>(level_begin_.size());
}

void OrderSolver::require(std::span<const Before> clause) {
  SUNDER_ASSERT(!clause.empty());
  backtrack(0);
  Clause made;
  for (const Before& edge : clause) {
    const Literal literal = literal_of(edge);
    if (std::ranges::find(made.literals, literal) == made.literals.end()) {
      made.literals.push_back(literal);
    }
  }
  made.required = required_++;
  // What is decided for good must not be watched: put it last.
  std::ranges::stable_partition(made.literals, [&](Literal literal) { return !is_false(literal); });
  const std::uint32_t number = add_clause(std::move(made));
  const std::vector<Literal>& literals = clauses_[number].literals;
  const bool unit = literals.size() > 1 && is_false(literals[1]);
  if (unit || is_false(literals[0])) units_.push_back(number);
}

std::uint32_t OrderSolver::add_clause(Clause clause) {
  const auto number = static_cast<std::uint32_t>(clauses_.size());
  if (clause.literals.size() == 1) {
    units_.push_back(number);
  } else {
    watches_[clause.literals[0]].push_back(number);
    watches_[clause.literals[1]].push_back(number);
  }
  bytes_ += sizeof(Clause) + 64 +
            4 * (clause.literals.size() + clause.from.size() + clause.events.size());
  clauses_.push_back(std::move(clause));
  attend(number);
  return number;
}

void OrderSolver::attend(std::uint32_t clause) {
  for (const Literal literal : clauses_[clause].literals) {
    const Before ends = pairs_[literal / 2].ends;
    for (const std::uint32_t event : {ends.first, ends.second}) {
      const auto number = static_cast<std::uint32_t>(mentions_.size());
      mentions_.push_back({.clause = clause, .next = std::exchange(first_mention_[event], number)});
      bytes_ += sizeof(Mention);
    }
  }
  is_doubtful_.resize(clauses_.size(), false);
  is_doubtful_[clause] = true;
  doubtful_.push_back(clause);
}

void OrderSolver::look_again(std::span<const std::uint32_t> moved) {
  for (const std::uint32_t event : moved) {
    for (std::uint32_t i = first_mention_[event]; i != kNo; i = mentions_[i].next) {
      const std::uint32_t clause = mentions_[i].clause;
      if (is_doubtful_[clause]) continue;
      is_doubtful_[clause] = true;
      doubtful_.push_back(clause);
    }
  }
}

void OrderSolver::assign(Literal literal, std::uint32_t reason) {
  Pair& pair = pairs_[literal / 2];
  pair.value = literal % 2 == 0 ? 1 : 0;
  pair.level = level();
  pair.reason = reason;
  trail_.push_back(literal);
}

std::uint32_t OrderSolver::propagate() {
  while (propagated_ < trail_.size()) {
    const Literal literal = trail_[propagated_++];
    std::uint32_t conflict = add_edge(literal);
    if (conflict == kNo) conflict = propagate_clauses(literal ^ 1U);
    if (conflict != kNo) return conflict;
  }
  return kNo;
}

std::uint32_t OrderSolver::propagate_clauses(Literal falsified) {
  std::vector<std::uint32_t>& watching = watches_[falsified];
  std::size_t kept = 0;
  for (std::size_t i = 0; i < watching.size(); ++i) {
    const std::uint32_t number = watching[i];
    std::vector<Literal>& literals = clauses_[number].literals;
    if (literals[0] == falsified) std::swap(literals[0], literals[1]);
    const auto other = std::find_if(
        literals.begin() + 2, literals.end(), [&](Literal literal) { return !is_false(literal); });
    if (!is_true(literals[0]) && other != literals.end()) {
      std::swap(literals[1], *other);
      watches_[literals[1]].push_back(number);
      continue;
    }
    watching[kept++] = number;
    if (is_true(literals[0])) continue;
    if (is_false(literals[0])) {
      while (++i < watching.size()) watching[kept++] = watching[i];
      watching.resize(kept);
      return number;
    }
    assign(literals[0], number);
  }
  watching.resize(kept);
  return kNo;
}

// A cycle becomes a clause: not all of these.
std::uint32_t OrderSolver::add_edge(Literal literal) {
  const Before edge = edge_of(literal);
  const bool held = order_.holds(edge);
  if (order_.add(edge, literal)) {
    if (!held) {
      look_again(order_.moved_back());
      look_again(order_.moved_on());
    }
    return kNo;
  }
  --propagated_;  // it has no edge to take back
  Clause clause;
  clause.literals.push_back(literal ^ 1U);
  for (const std::uint32_t tag : order_.cycle_tags()) clause.literals.push_back(tag ^ 1U);
  const auto events = order_.cycle_events();
  clause.events.assign(events.begin(), events.end());
  // The two latest are watched.
  std::ranges::stable_sort(clause.literals, std::ranges::greater(), [&](Literal other) {
    return pairs_[other / 2].level;
  });
  if (clause.literals.size() > 1) return add_clause(std::move(clause));
  const auto number = static_cast<std::uint32_t>(clauses_.size());
  clauses_.push_back(std::move(clause));
  attend(number);
  return number;
}

// The first unique implication point of the conflict.
bool OrderSolver::learn(std::uint32_t conflict) {
  Clause learned;
  learned.literals.push_back(0);  // the asserting one, filled in below
  std::vector<Variable> seen;
  std::size_t open = 0;
  std::uint32_t clause = conflict;
  std::size_t next = trail_.size();
  // The conflict may lie below the present level: decisions above it do not matter.
  std::uint32_t top = 0;
  for (const Literal literal : clauses_[conflict].literals) {
    top = std::max(top, pairs_[literal / 2].level);
  }
  if (top == 0) {
    contradiction_ = conflict;
    return false;
  }
  backtrack(top);
  next = trail_.size();
  while (true) {
    learned.from.push_back(clause);
    for (const Literal literal : clauses_[clause].literals) {
      Pair& pair = pairs_[literal / 2];
      if (pair.seen) continue;
      pair.seen = true;
      seen.push_back(literal / 2);
      if (pair.level == top) {
        ++open;
      } else {
        // Decisions of level 0 are no part of it, but of its proof.
        if (pair.level > 0) learned.literals.push_back(literal);
        if (pair.level == 0 && pair.reason != kNo) learned.from.push_back(pair.reason);
      }
    }
    do {
      --next;
    } while (!pairs_[trail_[next] / 2].seen);
    if (--open == 0) break;
    clause = pairs_[trail_[next] / 2].reason;
  }
  learned.literals[0] = trail_[next] ^ 1U;
  for (const Variable variable : seen) pairs_[variable].seen = false;
  std::sort(learned.literals.begin() + 1, learned.literals.end(), [&](Literal a, Literal b) {
    return pairs_[a / 2].level > pairs_[b / 2].level;
  });
  const bool unit = learned.literals.size() == 1;
  backtrack(unit ? 0 : pairs_[learned.literals[1] / 2].level);
  const Literal asserting = learned.literals[0];
  const std::uint32_t number = add_clause(std::move(learned));
  if (!unit) assign(asserting, number);
  return true;
}

void OrderSolver::backtrack(std::uint32_t to) {
  if (level() <= to) return;
  const std::uint32_t begin = level_begin_[to];
  while (order_.added() > begin) order_.remove_last();
  while (trail_.size() > begin) {
    pairs_[trail_.back() / 2].value = -1;
    trail_.pop_back();
  }
  level_begin_.resize(to);
  propagated_ = std::min<std::size_t>(propagated_, begin);
}

bool OrderSolver::holds(const Clause& clause) const noexcept {
  return std::ranges::any_of(clause.literals,
                             [&](Literal literal) { return order_.holds(edge_of(literal)); });
}

// Of an unsatisfied clause the literal that moves the fewest events.
OrderSolver::Literal OrderSolver::next_decision() {
  for (; !doubtful_.empty(); doubtful_.pop_front()) {
    const std::uint32_t number = doubtful_.front();
    const Clause& clause = clauses_[number];
    if (holds(clause)) {
      is_doubtful_[number] = false;
      continue;
    }
    Literal best = kNo;
    std::uint32_t distance = kNo;
    for (const Literal literal : clause.literals) {
      if (is_false(literal)) continue;
      const Before edge = edge_of(literal);
      const std::uint32_t moved = order_.position(edge.first) - order_.position(edge.second);
      if (moved < distance) {
        best = literal;
        distance = moved;
      }
    }
    SUNDER_ASSERT(best != kNo);
    return best;
  }
  return kNo;
}

// Clauses of one literal hold from level 0 on. False: one cannot.
bool OrderSolver::assign_units() {
  for (const std::uint32_t number : units_) {
    const Literal literal = clauses_[number].literals[0];
    if (is_true(literal)) continue;
    if (is_false(literal)) {
      contradiction_ = number;
      return false;
    }
    assign(literal, number);
  }
  units_.clear();
  return true;
}

OrderSolver::Outcome OrderSolver::solve(const SolverLimits& limits) {
  constexpr std::size_t kStepsPerLook = 64;
  for (std::size_t step = 0;; ++step) {
    if (step % kStepsPerLook == 0) {
      if (limits.stop.stop_requested() || std::chrono::steady_clock::now() >= limits.deadline) {
        return Outcome::out_of_time;
      }
      if (bytes_ > limits.memory) return Outcome::out_of_memory;
    }
    if (!units_.empty()) {
      backtrack(0);
      if (!assign_units()) return Outcome::contradiction;
    }
    const std::uint32_t conflict = propagate();
    if (conflict != kNo) {
      if (!learn(conflict)) return Outcome::contradiction;
      continue;
    }
    const Literal decision = next_decision();
    if (decision == kNo) return Outcome::satisfied;
    level_begin_.push_back(static_cast<std::uint32_t>(trail_.size()));
    assign(decision, kNo);
  }
}

OrderSolver::Core OrderSolver::core() const {
  SUNDER_ASSERT(contradiction_ != kNo);
  Core core;
  std::vector<std::uint32_t> stack{contradiction_};
  std::vector<bool> met(clauses_.size(), false);
  while (!stack.empty()) {
    const std::uint32_t number = stack.back();
    stack.pop_back();
    if (met[number]) continue;
    met[number] = true;
    const Clause& clause = clauses_[number];
    if (clause.required != kNo) core.clauses.push_back(clause.required);
    core.events.insert(core.events.end(), clause.events.begin(), clause.events.end());
    stack.insert(stack.end(), clause.from.begin(), clause.from.end());
    for (const Literal literal : clause.literals) {
      const Pair& pair = pairs_[literal / 2];
      const bool settled = pair.value != -1 && pair.level == 0 && pair.reason != kNo;
      if (settled) stack.push_back(pair.reason);
    }
  }
  std::ranges::sort(core.clauses);
  std::ranges::sort(core.events);
  core.events.erase(std::unique(core.events.begin(), core.events.end()), core.events.end());
  return core;
}

}  // namespace sunder::checkers::isolation
