// A sum that starts at 0. Counters: add, increment (by 1 unless told otherwise), read; an addition
// may tell the new sum. Fetch-and-add: fetch-add tells the old sum; read.
//
// nil is 0: a counter that nobody has touched is absent in many stores.

#include <memory>
#include <unordered_map>

#include "checkers/counting.hpp"
#include "checkers/models/model.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

// kMove: an addition that told what it found (second).
enum Kind : std::uint32_t { kAdd, kSee, kMove };

class Counter final : public Model {
 public:
  State initial() override { return number_of(0); }

  std::optional<Call> encode(const Operation& operation) override {
    const std::optional<Addition> addition = addition_of(operation);
    if (!addition) {
      const std::optional<std::int64_t> seen = sum_seen(operation);
      return seen ? std::optional(Call{kSee, number_of(*seen), 0}) : std::nullopt;
    }
    if (addition->found && addition->delta == 0) return Call{kSee, number_of(*addition->found), 0};
    if (addition->found)
      return Call{kMove, number_of(addition->delta), number_of(*addition->found)};
    if (addition->delta == 0) return std::nullopt;
    return Call{kAdd, number_of(addition->delta), 0};
  }

  State step(State state, Call call) override {
    if (call.kind == kSee) return state == call.first ? state : kNoState;
    if (call.kind == kMove && state != call.second) return kNoState;
    return number_of(plus(values_[state], values_[call.first]));
  }

  bool observes(Call call) const noexcept override { return call.kind == kSee; }

  bool is_idempotent(Call call) const noexcept override { return call.kind != kAdd; }

  std::string describe(State state) const override { return std::to_string(values_[state]); }

  std::size_t memory() const noexcept override { return values_.capacity() * 56; }

 private:
  std::uint32_t number_of(std::int64_t value) {
    const auto [found, added] =
        numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
    if (added) values_.push_back(value);
    return found->second;
  }

  std::vector<std::int64_t> values_;  // by number
  std::unordered_map<std::int64_t, std::uint32_t> numbers_;
};

bool counter_knows(Function function) {
  return function == Function::add || function == Function::increment || function == Function::read;
}

bool fetch_add_knows(Function function) {
  return function == Function::fetch_add || function == Function::read;
}

// Sums are integers of 64 bits (nil is 0): of others nothing is known.
bool is_sum(history::Value value) {
  return value.is_none() || value.is_nil() || value.is_integer();
}

bool accepts(const history::ValuePool& /*pool*/, const Operation& operation) {
  if (operation.outcome == history::Outcome::fail) return true;
  const bool answers =
      operation.function == Function::read || operation.function == Function::fetch_add;
  if (answers && operation.outcome == history::Outcome::ok && !is_sum(operation.output)) {
    return false;
  }
  return operation.function == Function::read || is_sum(operation.input);
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& /*none*/) {
  return std::make_unique<Counter>();
}

}  // namespace

ModelRow counter_row() {
  return {.name = "counter",
          .summary = "A sum that starts at 0: add, increment, read.",
          .knows = counter_knows,
          .make = make,
          .closed_form = check_counter,
          .accepts = accepts};
}

ModelRow fetch_add_row() {
  return {.name = "fetch-add",
          .summary = "A sum that starts at 0, whose additions tell what they found; read.",
          .knows = fetch_add_knows,
          .make = make,
          .closed_form = check_fetch_add,
          .strength = 0,
          .accepts = accepts};
}

}  // namespace sunder::checkers
