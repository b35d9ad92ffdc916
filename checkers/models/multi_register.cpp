// Several registers that one operation reads and writes at one instant: a strictly serializable
// store of small transactions, judged by the search.
//
// An operation is a list of reads and writes in order, [["r" x 1] ["w" y 2]]. A read sees what the
// same operation wrote before. nil is an absent register, and all are absent at first: one that
// nobody wrote reads as nil or, as where the store made it, as 0. A read without a value may have
// read anything.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "checkers/models/model.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;
using history::ValuePool;

// kImpossible: it contradicts itself.
enum Kind : std::uint32_t { kObserve, kChange, kImpossible };

// Numbers of values.
constexpr std::uint32_t kAbsent = 0;
constexpr std::uint32_t kZero = 1;

struct Assignment {
  std::uint32_t reg = 0;
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const Assignment&, const Assignment&) noexcept = default;
};

// What an operation needs to find, and what it leaves; one of a register in each, sorted.
struct Program {
  std::vector<Assignment> needs;
  std::vector<Assignment> writes;
  friend auto operator<=>(const Program&, const Program&) = default;
};

enum class Access : std::uint8_t { read, write, other };

Access access_of(const ValuePool& pool, Value step) {
  if (!step.is_list()) return Access::other;
  const auto items = pool.items_of(step);
  if (items.size() < 2 || items.size() > 3 || !items[0].is_text()) return Access::other;
  const std::string_view name = pool.text_of(items[0]);
  if (name == "r" || name == "read") return Access::read;
  if ((name == "w" || name == "write") && items.size() == 3) return Access::write;
  return Access::other;
}

// The list of steps that tells most: with what was read, if it is known.
Value steps_of(const Operation& operation) {
  return operation.outcome == Outcome::ok && operation.output.is_list() ? operation.output
                                                                        : operation.input;
}

void assign(std::vector<Assignment>& assignments, Assignment assignment) {
  const auto found = std::ranges::lower_bound(assignments, assignment.reg, {}, &Assignment::reg);
  if (found != assignments.end() && found->reg == assignment.reg) {
    found->value = assignment.value;
  } else {
    assignments.insert(found, assignment);
  }
}

const Assignment* find(const std::vector<Assignment>& assignments, std::uint32_t reg) {
  const auto found = std::ranges::lower_bound(assignments, reg, {}, &Assignment::reg);
  return found != assignments.end() && found->reg == reg ? &*found : nullptr;
}

// The contents of all registers, by number: rows of one array, found again by a hash that changes
// with each register alone (Zobrist).
class States {
 public:
  States() : hashes_(1, 0), table_(64, kNoState) { table_[0] = 0; }

  // Room for that many registers.
  void widen(std::size_t registers) {
    if (registers <= width_) return;
    std::vector<std::uint32_t> wider(hashes_.size() * registers, 0);
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
      std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(i * width_),
                  width_,
                  wider.begin() + static_cast<std::ptrdiff_t>(i * registers));
    }
    rows_ = std::move(wider);
    width_ = registers;
    scratch_.resize(width_);
  }

  [[nodiscard]] std::uint32_t at(State state, std::uint32_t reg) const {
    return reg < width_ ? rows_[state * width_ + reg] : 0;
  }

  [[nodiscard]] State after(State state, const std::vector<Assignment>& writes) {
    std::copy_n(
        rows_.begin() + static_cast<std::ptrdiff_t>(state * width_), width_, scratch_.begin());
    std::uint64_t hash = hashes_[state];
    for (const Assignment& write : writes) {
      hash ^= part(write.reg, scratch_[write.reg]) ^ part(write.reg, write.value);
      scratch_[write.reg] = write.value;
    }
    std::size_t place = hash & (table_.size() - 1);
    while (table_[place] != kNoState) {
      const State known = table_[place];
      if (hashes_[known] == hash && is_scratch(known)) return known;
      place = (place + 1) & (table_.size() - 1);
    }
    const auto added = static_cast<State>(hashes_.size());
    table_[place] = added;
    hashes_.push_back(hash);
    rows_.insert(rows_.end(), scratch_.begin(), scratch_.end());
    if (2 * hashes_.size() > table_.size()) grow();
    return added;
  }

  [[nodiscard]] std::size_t memory() const noexcept {
    return (rows_.capacity() + table_.capacity()) * sizeof(std::uint32_t) +
           hashes_.capacity() * sizeof(std::uint64_t);
  }

 private:
  // Value 0 is no part: wider rows keep their hashes.
  [[nodiscard]] static std::uint64_t part(std::uint32_t reg, std::uint32_t value) noexcept {
    if (value == 0) return 0;
    std::uint64_t h = (std::uint64_t{reg} << 32U | value) * 0x9e3779b97f4a7c15ULL;
    h = (h ^ h >> 30U) * 0xbf58476d1ce4e5b9ULL;
    return h ^ h >> 27U;
  }

  [[nodiscard]] bool is_scratch(State state) const {
    return std::equal(scratch_.begin(),
                      scratch_.end(),
                      rows_.begin() + static_cast<std::ptrdiff_t>(state * width_));
  }

  void grow() {
    table_.assign(table_.size() * 2, kNoState);
    for (State state = 0; state < hashes_.size(); ++state) {
      std::size_t place = hashes_[state] & (table_.size() - 1);
      while (table_[place] != kNoState) place = (place + 1) & (table_.size() - 1);
      table_[place] = state;
    }
  }

  std::size_t width_ = 0;
  std::vector<std::uint32_t> rows_;    // by state and register
  std::vector<std::uint64_t> hashes_;  // by state
  std::vector<State> table_;
  std::vector<std::uint32_t> scratch_;
};

class MultiRegister final : public Model {
 public:
  explicit MultiRegister(const ValuePool& pool) : pool_(&pool) {
    const std::uint32_t absent = value_number(Value::nil());
    const std::uint32_t zero = value_number(Value::integer(0));
    SUNDER_ASSERT(absent == kAbsent);
    SUNDER_ASSERT(zero == kZero);
  }

  State initial() override { return 0; }

  std::optional<Call> encode(const Operation& operation) override {
    const Value steps = steps_of(operation);
    if (operation.outcome == Outcome::fail || !steps.is_list()) return std::nullopt;
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    Program program;
    for (const Value step : pool_->items_of(steps)) {
      if (!run(step, told, program)) return Call{kImpossible, 0, 0};
    }
    if (program.needs.empty() && program.writes.empty()) return std::nullopt;
    const std::uint32_t kind = program.writes.empty() ? kObserve : kChange;
    const auto [found, added] =
        numbers_.try_emplace(std::move(program), static_cast<std::uint32_t>(programs_.size()));
    if (added) programs_.push_back(&found->first);
    return Call{kind, found->second, 0};
  }

  State step(State state, Call call) override {
    if (call.kind == kImpossible) return kNoState;
    const Program& program = *programs_[call.first];
    for (const Assignment& need : program.needs) {
      const std::uint32_t value = states_.at(state, need.reg);
      if (value != need.value && !(value == kAbsent && need.value == kZero)) return kNoState;
    }
    if (program.writes.empty()) return state;
    states_.widen(names_.size());
    return states_.after(state, program.writes);
  }

  bool observes(Call call) const noexcept override { return call.kind != kChange; }

  bool is_idempotent(Call) const noexcept override { return true; }

  void simplify(std::vector<SearchOperation>& operations) override {
    forget_unobserved(operations);
    bound_observed(operations);
  }

  // A condition is that a register holds a value.
  Conditions conditions(std::span<const Call> calls) override {
    conditions_.clear();
    Conditions all;
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      if (calls[i].kind == kImpossible) continue;
      for (const Assignment& need : programs_[calls[i].first]->needs) {
        const auto [found, added] = conditions_.try_emplace(need, all.count);
        if (added) ++all.count;
        all.needed.push_back({i, found->second});
      }
    }
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      if (calls[i].kind == kImpossible) continue;
      for (const Assignment& write : programs_[calls[i].first]->writes) {
        const auto found = conditions_.find(write);
        if (found != conditions_.end()) all.brought.push_back({i, found->second});
      }
    }
    return all;
  }

  void end_conditions(State before,
                      Call call,
                      State /*after*/,
                      std::vector<Condition>& ended) override {
    for (const Assignment& write : programs_[call.first]->writes) {
      const Assignment old{write.reg, states_.at(before, write.reg)};
      if (old.value == write.value) continue;
      const auto found = conditions_.find(old);
      if (found != conditions_.end()) ended.push_back(found->second);
      if (old.value != kAbsent || write.value == kZero) continue;
      const auto zero = conditions_.find({write.reg, kZero});
      if (zero != conditions_.end()) ended.push_back(zero->second);
    }
  }

  std::string describe(State state) const override {
    std::string text;
    for (std::uint32_t reg = 0; reg < names_.size(); ++reg) {
      const std::uint32_t value = states_.at(state, reg);
      if (value == kAbsent) continue;
      text += fmt::format(
          "{}{}={}", text.empty() ? "" : " ", name_of(reg), pool_->describe(values_[value]));
    }
    return text.empty() ? "nothing written" : "(" + text + ")";
  }

  std::size_t memory() const noexcept override {
    return states_.memory() + (programs_.size() + values_.size() + names_.size()) * 128;
  }

 private:
  struct AssignmentHash {
    std::size_t operator()(const Assignment& assignment) const noexcept {
      return (std::uint64_t{assignment.reg} << 32U | assignment.value) * 0x9e3779b97f4a7c15ULL >>
             7U;
    }
  };

  using Assignments = std::unordered_set<Assignment, AssignmentHash>;

  [[nodiscard]] std::string name_of(std::uint32_t reg) const {
    const Value name = names_[reg];
    return name.is_text() ? std::string(pool_->text_of(name)) : pool_->describe(name);
  }

  // False: the step contradicts those before it.
  bool run(Value step, bool told, Program& program) {
    const auto items = pool_->items_of(step);
    const std::uint32_t reg = register_number(items[1]);
    if (access_of(*pool_, step) == Access::write) {
      assign(program.writes, {reg, value_number(items[2])});
      return true;
    }
    if (!told || items.size() < 3 || items[2].is_none()) return true;
    const std::uint32_t value = value_number(items[2]);
    if (const Assignment* written = find(program.writes, reg)) return written->value == value;
    if (const Assignment* needed = find(program.needs, reg)) return needed->value == value;
    assign(program.needs, {reg, value});
    return true;
  }

  std::uint32_t register_number(Value name) {
    const auto [found, added] =
        registers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.push_back(name);
    return found->second;
  }

  std::uint32_t value_number(Value value) {
    const auto [found, added] =
        value_numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
    if (added) values_.push_back(value);
    return found->second;
  }

  [[nodiscard]] const Program& program_of(const SearchOperation& operation) const {
    return *programs_[operation.call.first];
  }

  // Optional operations none of whose writes anybody needs: they need not have happened.
  void forget_unobserved(std::vector<SearchOperation>& operations) const {
    Assignments needed;
    for (const SearchOperation& operation : operations) {
      if (operation.call.kind == kImpossible) continue;
      for (const Assignment& need : program_of(operation).needs) needed.insert(need);
    }
    std::erase_if(operations, [&](const SearchOperation& operation) {
      return operation.optional &&
             std::ranges::none_of(program_of(operation).writes,
                                  [&](const Assignment& write) { return needed.contains(write); });
    });
  }

  // An optional operation that alone writes what was read happened before that read ended.
  void bound_observed(std::vector<SearchOperation>& operations) const {
    std::unordered_map<Assignment, int, AssignmentHash> writers;
    std::unordered_map<Assignment, std::int64_t, AssignmentHash> first_end;
    for (const SearchOperation& operation : operations) {
      if (operation.call.kind == kImpossible) continue;
      for (const Assignment& write : program_of(operation).writes) ++writers[write];
      if (operation.optional) continue;
      for (const Assignment& need : program_of(operation).needs) {
        const auto [found, added] = first_end.try_emplace(need, operation.complete);
        if (!added) found->second = std::min(found->second, operation.complete);
      }
    }
    for (SearchOperation& operation : operations) {
      if (!operation.optional) continue;
      for (const Assignment& write : program_of(operation).writes) {
        const auto end = first_end.find(write);
        // These were there at first; a read that ended before is for the search to refuse.
        const bool initial = write.value == kAbsent || write.value == kZero;
        const bool alone = !initial && writers[write] == 1 && end != first_end.end();
        if (!alone || end->second < operation.invoke) continue;
        operation.complete = std::min(operation.complete, end->second);
        operation.optional = false;
      }
    }
  }

  const ValuePool* pool_;
  std::vector<Value> names_;  // by register
  std::unordered_map<Value, std::uint32_t, history::ValueHash> registers_;
  std::vector<Value> values_;  // by number
  std::unordered_map<Value, std::uint32_t, history::ValueHash> value_numbers_;
  std::map<Program, std::uint32_t> numbers_;
  std::vector<const Program*> programs_;  // by number; nodes of a map stay
  std::unordered_map<Assignment, Condition, AssignmentHash> conditions_;  // somebody needs
  States states_;
};

bool knows(Function function) {
  return function == Function::txn;
}

// Reads and writes only.
bool accepts(const ValuePool& pool, const Operation& operation) {
  const Value steps = steps_of(operation);
  if (steps.is_none() || steps.is_nil()) return true;
  if (!steps.is_list()) return false;
  return std::ranges::none_of(pool.items_of(steps),
                              [&](Value step) { return access_of(pool, step) == Access::other; });
}

// Sets of numbers that are put together (union–find with path halving).
class Groups {
 public:
  std::uint32_t add() {
    parents_.push_back(static_cast<std::uint32_t>(parents_.size()));
    return parents_.back();
  }

  std::uint32_t leader(std::uint32_t number) {
    while (parents_[number] != number) {
      parents_[number] = parents_[parents_[number]];
      number = parents_[number];
    }
    return number;
  }

  void join(std::uint32_t a, std::uint32_t b) { parents_[leader(a)] = leader(b); }

 private:
  std::vector<std::uint32_t> parents_;
};

// Registers that no chain of operations connects know nothing of each other.
std::vector<KeyOperations> split(const history::History& history) {
  std::vector<KeyOperations> parts;
  for (KeyOperations& key : split_by_key(history)) {
    Groups groups;
    std::unordered_map<Value, std::uint32_t, history::ValueHash> numbers;
    std::vector<std::optional<std::uint32_t>> first(key.operations.size());
    for (std::size_t i = 0; i < key.operations.size(); ++i) {
      const Value steps = steps_of(history.operations()[key.operations[i]]);
      if (!steps.is_list()) continue;
      for (const Value step : history.pool().items_of(steps)) {
        const auto [found, added] = numbers.try_emplace(history.pool().items_of(step)[1], 0);
        if (added) found->second = groups.add();
        if (first[i]) groups.join(*first[i], found->second);
        first[i] = found->second;
      }
    }
    std::unordered_map<std::uint32_t, std::size_t> part_of;  // by leader
    for (std::size_t i = 0; i < key.operations.size(); ++i) {
      if (!first[i]) continue;
      const auto [found, added] = part_of.try_emplace(groups.leader(*first[i]), parts.size());
      if (added) parts.push_back({key.key, {}});
      parts[found->second].operations.push_back(key.operations[i]);
    }
    if (part_of.empty()) parts.push_back(std::move(key));
  }
  return parts;
}

// The search takes time by how many operations overlap. Where one process seems to do two things at
// once, there are no time stamps, and sessions say what only other models know.
bool decides(const history::History& history) {
  constexpr std::size_t kIn_flight_max = 64;
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ends;
  std::unordered_map<std::int64_t, std::int64_t> ended;  // by process
  for (const Operation& operation : history.operations()) {
    if (operation.complete == history::kNever) continue;
    const auto [last, first] = ended.try_emplace(operation.process, operation.complete);
    if (!first && last->second >= operation.invoke) return false;
    last->second = operation.complete;
    while (!ends.empty() && ends.top() < operation.invoke) ends.pop();
    ends.push(operation.complete);
    if (ends.size() > kIn_flight_max) return false;
  }
  return true;
}

std::unique_ptr<Model> make(const ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<MultiRegister>(pool);
}

}  // namespace

ModelRow multi_register_row() {
  return {
      .name = "multi-register",
      .summary = "Registers that one operation reads and writes together, absent or 0 at first.",
      .knows = knows,
      .make = make,
      .strength = 0,
      .decides = decides,
      .accepts = accepts,
      .split = split};
}

}  // namespace sunder::checkers
