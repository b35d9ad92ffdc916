// A register that starts absent (nil): read, write, compare-and-set.

#include "checkers/models/register.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "checkers/zones.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

// A state is the number of the value.
class Register final : public RegisterModel {
 public:
  using RegisterModel::RegisterModel;

  State step(State state, Call call) override {
    switch (call.kind) {
      case kWrite:
        return call.first;
      case kCas:
        return state == call.first ? call.second : kNoState;
      case kNotEqual:
        return state != call.first ? state : kNoState;
      default:
        return state == call.first ? state : kNoState;
    }
  }

  bool is_idempotent(Call) const noexcept override { return true; }

  // A condition is that the register holds a value.
  Conditions conditions(std::span<const Call> calls) override {
    Conditions all;
    all.count = value_count();
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      const Call call = calls[i];
      if (call.kind != kWrite && call.kind != kNotEqual) all.needed.push_back({i, call.first});
      if (!observes(call)) all.brought.push_back({i, produced(call)});
    }
    return all;
  }

  void end_conditions(State before,
                      Call /*any*/,
                      State after,
                      std::vector<Condition>& ended) override {
    if (before != after) ended.push_back(before);
  }

  std::string describe(State state) const override { return describe_value(state); }

  std::size_t memory() const noexcept override { return value_memory(); }
};

bool knows(Function function) {
  return function == Function::read || function == Function::write || function == Function::cas;
}

std::unique_ptr<Model> make_register(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<Register>(pool);
}

}  // namespace

RegisterModel::RegisterModel(const history::ValuePool& pool) : pool_(&pool) {
  (void)number_of(Value::nil());
  values_.push_back(Value());  // kUnobserved
}

std::optional<Call> RegisterModel::encode(const Operation& operation) {
  switch (operation.function) {
    case Function::read:
      if (operation.outcome != Outcome::ok || operation.output.is_none()) return std::nullopt;
      return Call{kRead, number_of(operation.output), 0};
    case Function::write:
      if (operation.outcome == Outcome::fail) return std::nullopt;
      return Call{kWrite, number_of(operation.input), 0};
    case Function::cas:
      return encode_cas(operation);
    default:
      return std::nullopt;
  }
}

std::optional<Call> RegisterModel::encode_cas(const Operation& operation) {
  if (!operation.input.is_list()) return std::nullopt;
  const auto pair = pool_->items_of(operation.input);
  if (pair.size() != 2) return std::nullopt;
  if (operation.outcome != Outcome::fail) return Call{kCas, number_of(pair[0]), number_of(pair[1])};
  if (!operation.output.is_none()) return Call{kFound, number_of(operation.output), 0};
  if (has_compared(*pool_, operation)) return Call{kNotEqual, number_of(pair[0]), 0};
  return std::nullopt;
}

std::uint32_t RegisterModel::number_of(Value value) {
  const auto [found, added] = numbers_.try_emplace(value, value_count());
  if (added) values_.push_back(value);
  return found->second;
}

std::string RegisterModel::describe_value(std::uint32_t value) const {
  return value == kUnobserved ? "another value" : pool_->describe(values_[value]);
}

void RegisterModel::simplify(std::vector<SearchOperation>& operations) {
  forget_unobserved(operations);
  bound_observed(operations);
}

// Optional writes of values that nobody read or compared with: without a failed comparison they
// cannot matter; with one they may have made it fail, whatever their value was.
void RegisterModel::forget_unobserved(std::vector<SearchOperation>& operations) {
  std::unordered_set<std::uint32_t> observed;
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
void RegisterModel::bound_observed(std::vector<SearchOperation>& operations) const {
  std::unordered_map<std::uint32_t, int> producers{{kAbsent, 1}};
  std::unordered_map<std::uint32_t, std::int64_t> first_read_end;
  for (const SearchOperation& operation : operations) {
    const Call call = operation.call;
    if (!observes(call)) ++producers[produced(call)];
    const bool finds = call.kind != kWrite && call.kind != kNotEqual;
    if (!finds || operation.optional) continue;
    const auto [found, added] = first_read_end.try_emplace(call.first, operation.complete);
    if (!added) found->second = std::min(found->second, operation.complete);
  }
  for (SearchOperation& operation : operations) {
    if (!operation.optional) continue;
    const std::uint32_t value = produced(operation.call);
    const auto end = first_read_end.find(value);
    if (value == kUnobserved || end == first_read_end.end() || producers[value] != 1) continue;
    // A read that ended before the write began is for the search to refuse.
    if (end->second < operation.invoke) continue;
    operation.optional = false;
    operation.complete = end->second;
  }
}

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
