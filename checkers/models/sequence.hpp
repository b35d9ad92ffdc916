// SequenceModel: what the models of queues, stacks and priority queues share: states that are
// sequences of values, of which the last is the next to leave.
//
// A model says where a value goes in; everything else (looking, taking, finding it empty) is the
// same for all three.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkers/models/model.hpp"
#include "checkers/models/state_table.hpp"

namespace sunder::checkers {

class SequenceModel : public Model {
 public:
  // Values as their order in the pool of this model: `texts` of them are shown to readers.
  using Sequence = std::vector<std::uint32_t>;

  struct Words {
    history::Function insert;
    history::Function remove;
  };

  SequenceModel(const history::ValuePool& pool, Words words);

  [[nodiscard]] State initial() final { return 0; }

  [[nodiscard]] std::optional<Call> encode(const history::Operation& operation) final;
  [[nodiscard]] State step(State state, Call call) final;

  [[nodiscard]] bool observes(Call call) const noexcept final;

  [[nodiscard]] bool is_idempotent(Call call) const noexcept final { return observes(call); }

  // Drops unknown insertions of values that nobody saw: without them all others get the same
  // answers, unless somebody took a value and did not tell which.
  void simplify(std::vector<SearchOperation>& operations) final;

  [[nodiscard]] std::string describe(State state) const final;
  [[nodiscard]] std::size_t memory() const noexcept final;

 protected:
  // Puts the value where its turn is; the last leaves first.
  virtual void insert(Sequence& sequence, std::uint32_t value) const = 0;

  [[nodiscard]] history::Value value_of(std::uint32_t number) const { return values_[number]; }

 private:
  State intern(Sequence sequence) {
    const std::size_t bytes = sequence.size() * sizeof(std::uint32_t);
    return states_.number(std::move(sequence), bytes);
  }

  std::uint32_t number_of(history::Value value);

  const history::ValuePool* pool_;
  Words words_;
  std::map<history::Value, std::uint32_t> numbers_;
  std::vector<history::Value> values_;
  StateTable<Sequence> states_;
};

}  // namespace sunder::checkers
