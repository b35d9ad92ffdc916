// The greatest integer first: insert, poll, peek; nil is what an empty one gives.

#include <algorithm>
#include <memory>

#include "checkers/containers.hpp"
#include "checkers/models/sequence.hpp"

namespace sunder::checkers {
namespace {

using history::Function;

class PriorityQueue final : public SequenceModel {
 public:
  explicit PriorityQueue(const history::ValuePool& pool)
      : SequenceModel(pool, {Function::insert, Function::poll}) {}

 protected:
  void insert(Sequence& sequence, std::uint32_t value) const override {
    const auto greater = std::ranges::find_if(
        sequence, [&](std::uint32_t other) { return value_of(other) > value_of(value); });
    sequence.insert(greater, value);
  }
};

bool knows(Function function) {
  return function == Function::insert || function == Function::poll || function == Function::peek;
}

// What is not an integer of 64 bits has no place in the order.
bool accepts(const history::ValuePool& /*pool*/, const history::Operation& operation) {
  if (operation.outcome == history::Outcome::fail) return true;
  const history::Value value =
      operation.function == Function::insert ? operation.input : operation.output;
  return value.is_integer() || value.is_none() || value.is_nil();
}

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<PriorityQueue>(pool);
}

}  // namespace

ModelRow priority_queue_row() {
  return {.name = "priority-queue",
          .summary = "The greatest integer first: insert, poll, peek; empty at first.",
          .knows = knows,
          .make = make,
          .closed_form = check_priority_queue,
          .accepts = accepts};
}

}  // namespace sunder::checkers
