// A register that starts absent (nil): read, write, compare-and-set.

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "checkers/models/model.hpp"
#include "checkers/zones.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

enum Kind : std::uint32_t { kRead, kWrite, kCas, kNotEqual };

// Stands for every value that nobody observed: which one it is cannot matter.
constexpr State kUnobserved = 1;

class Register final : public Model {
 public:
  explicit Register(const history::ValuePool& pool) : pool_(&pool) {
    (void)intern(Value::nil());
    values_.push_back(Value());  // kUnobserved
  }

  State initial() override { return 0; }

  std::optional<Call> encode(const Operation& operation) override {
    switch (operation.function) {
      case Function::read:
        if (operation.outcome != Outcome::ok || operation.output.is_none()) return std::nullopt;
        return Call{kRead, intern(operation.output), 0};
      case Function::write:
        if (operation.outcome == Outcome::fail) return std::nullopt;
        return Call{kWrite, intern(operation.input), 0};
      case Function::cas:
        return encode_cas(operation);
      default:
        return std::nullopt;
    }
  }

  State step(State state, Call call) override {
    switch (call.kind) {
      case kRead:
        return state == call.first ? state : kNoState;
      case kWrite:
        return call.first;
      case kCas:
        return state == call.first ? call.second : kNoState;
      default:
        return state != call.first ? state : kNoState;
    }
  }

  bool observes(Call call) const noexcept override {
    return call.kind == kRead || call.kind == kNotEqual;
  }

  bool is_idempotent(Call) const noexcept override { return true; }

  void simplify(std::vector<SearchOperation>& operations) override {
    forget_unobserved(operations);
    bound_observed(operations);
  }

  // A condition is that the register holds a value.
  Conditions conditions(std::span<const Call> calls) override {
    Conditions all;
    all.count = static_cast<std::uint32_t>(values_.size());
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      const Call call = calls[i];
      if (call.kind == kRead || call.kind == kCas) all.needed.push_back({i, call.first});
      if (call.kind == kWrite || call.kind == kCas) all.brought.push_back({i, produced(call)});
    }
    return all;
  }

  void end_conditions(State before,
                      Call /*any*/,
                      State after,
                      std::vector<Condition>& ended) override {
    if (before != after) ended.push_back(before);
  }

  std::string describe(State state) const override {
    return state == kUnobserved ? "another value" : pool_->describe(values_[state]);
  }

  std::size_t memory() const noexcept override { return values_.capacity() * 64; }

 private:
  State intern(Value value) {
    const auto [found, added] = ids_.try_emplace(value, static_cast<State>(values_.size()));
    if (added) values_.push_back(value);
    return found->second;
  }

  std::optional<Call> encode_cas(const Operation& operation) {
    if (!operation.input.is_list()) return std::nullopt;
    const auto pair = pool_->items_of(operation.input);
    if (pair.size() != 2) return std::nullopt;
    if (operation.outcome != Outcome::fail) return Call{kCas, intern(pair[0]), intern(pair[1])};
    if (!operation.output.is_none()) return Call{kRead, intern(operation.output), 0};
    if (has_compared(*pool_, operation)) return Call{kNotEqual, intern(pair[0]), 0};
    return std::nullopt;
  }

  static State produced(Call call) noexcept {
    return call.kind == kWrite ? call.first : call.second;
  }

  // Optional writes of values that nobody read or compared with: without a failed comparison they
  // cannot matter; with one they may have made it fail, whatever their value was.
  static void forget_unobserved(std::vector<SearchOperation>& operations) {
    std::unordered_set<State> observed;
    bool compares = false;
    for (const SearchOperation& operation : operations) {
      if (operation.call.kind != kWrite) observed.insert(operation.call.first);
      compares = compares || operation.call.kind == kNotEqual;
    }
    const auto forgettable = [&](const SearchOperation& operation) {
      return operation.optional && !observed.contains(produced(operation.call));
    };
    if (!compares) {
      std::erase_if(operations, forgettable);
      return;
    }
    for (SearchOperation& operation : operations) {
      if (!forgettable(operation)) continue;
      (operation.call.kind == kWrite ? operation.call.first : operation.call.second) = kUnobserved;
    }
  }

  // An optional operation that alone produces a value which was read has happened before that read
  // ended.
  static void bound_observed(std::vector<SearchOperation>& operations) {
    std::unordered_map<State, int> producers{{0, 1}};
    std::unordered_map<State, std::int64_t> first_read_end;
    for (const SearchOperation& operation : operations) {
      const Call call = operation.call;
      if (call.kind == kWrite || call.kind == kCas) ++producers[produced(call)];
      if (call.kind != kRead && (call.kind != kCas || operation.optional)) continue;
      const auto [found, added] = first_read_end.try_emplace(call.first, operation.complete);
      if (!added) found->second = std::min(found->second, operation.complete);
    }
    for (SearchOperation& operation : operations) {
      if (!operation.optional) continue;
      const State value = produced(operation.call);
      const auto end = first_read_end.find(value);
      if (value == kUnobserved || end == first_read_end.end() || producers[value] != 1) continue;
      // A read that ended before the write began is for the search to refuse.
      if (end->second < operation.invoke) continue;
      operation.optional = false;
      operation.complete = end->second;
    }
  }

  const history::ValuePool* pool_;
  std::vector<Value> values_;  // by state
  std::unordered_map<Value, State, history::ValueHash> ids_;
};

bool knows(Function function) {
  return function == Function::read || function == Function::write || function == Function::cas;
}

std::unique_ptr<Model> make_register(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<Register>(pool);
}

}  // namespace

ModelRow register_row() {
  return {.name = "register",
          .summary = "Reads, writes and compare-and-sets of one value per key, absent at first.",
          .knows = knows,
          .make = make_register,
          .closed_form = check_zones};
}

ModelRow cas_register_row() {
  ModelRow row = register_row();
  row.name = "cas-register";
  row.summary = "The same as register, by the name that Jepsen gives it.";
  row.strength = 0;
  return row;
}

}  // namespace sunder::checkers
