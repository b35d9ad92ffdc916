// First in, first out: enqueue, dequeue, peek; nil is what an empty queue gives.

#include <memory>

#include "checkers/containers.hpp"
#include "checkers/models/sequence.hpp"

namespace sunder::checkers {
namespace {

using history::Function;

class Queue final : public SequenceModel {
 public:
  explicit Queue(const history::ValuePool& pool)
      : SequenceModel(pool, {Function::enqueue, Function::dequeue}) {}

 protected:
  void insert(Sequence& sequence, std::uint32_t value) const override {
    sequence.insert(sequence.begin(), value);
  }
};

bool knows(Function function) {
  return function == Function::enqueue || function == Function::dequeue ||
         function == Function::peek;
}

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<Queue>(pool);
}

}  // namespace

ModelRow queue_row() {
  return {.name = "queue",
          .summary = "First in, first out: enqueue, dequeue, peek; empty at first.",
          .knows = knows,
          .make = make,
          .closed_form = check_queue};
}

}  // namespace sunder::checkers
