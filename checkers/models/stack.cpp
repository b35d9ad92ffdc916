// Last in, first out: push, pop, peek; nil is what an empty stack gives.

#include <memory>

#include "checkers/containers.hpp"
#include "checkers/models/sequence.hpp"

namespace sunder::checkers {
namespace {

using history::Function;

class Stack final : public SequenceModel {
 public:
  explicit Stack(const history::ValuePool& pool)
      : SequenceModel(pool, {Function::push, Function::pop}) {}

 protected:
  void insert(Sequence& sequence, std::uint32_t value) const override { sequence.push_back(value); }
};

bool knows(Function function) {
  return function == Function::push || function == Function::pop || function == Function::peek;
}

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<Stack>(pool);
}

}  // namespace

ModelRow stack_row() {
  return {.name = "stack",
          .summary = "Last in, first out: push, pop, peek; empty at first.",
          .knows = knows,
          .make = make,
          .closed_form = check_stack};
}

}  // namespace sunder::checkers
