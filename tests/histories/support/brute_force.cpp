#include "tests/histories/support/brute_force.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

// The state after the operation took effect; nothing when the state does not allow what it
// returned.
std::optional<std::string> apply(const History& history,
                                 const Operation& operation,
                                 const std::string& state,
                                 bool texts) {
  const auto text = [&](history::Value value) {
    if (!texts) return history.pool().describe(value);
    return value.is_text() ? std::string(history.pool().text_of(value)) : std::string();
  };
  switch (operation.function) {
    case Function::read:
      if (operation.outcome != Outcome::ok || operation.output.is_none()) return state;
      return text(operation.output) == state ? std::optional(state) : std::nullopt;
    case Function::write:
      return text(operation.input);
    case Function::append:
      return state + text(operation.input);
    default:
      break;
  }
  SUNDER_ASSERT(operation.function == Function::cas);
  const auto pair = history.pool().items_of(operation.input);
  const bool matches = text(pair[0]) == state;
  if (operation.outcome != Outcome::fail)
    return matches ? std::optional(text(pair[1])) : std::nullopt;
  const bool found = operation.output.is_none() ? !matches : text(operation.output) == state;
  return found ? std::optional(state) : std::nullopt;
}

class BruteForce {
 public:
  BruteForce(const History& history, bool texts) : history_(&history), texts_(texts) {
    for (const Operation& operation : history.operations()) {
      const bool compared =
          operation.function == Function::cas &&
          (!operation.output.is_none() || history.pool().name(operation.error) == "cas-mismatch");
      if (operation.outcome == Outcome::fail && !compared) continue;
      operations_.push_back(&operation);
    }
    SUNDER_ASSERT(operations_.size() <= 16);
  }

  bool search(std::uint32_t done, const std::string& state) {
    if (!seen_.emplace(done, state).second) return false;
    bool all = true;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const bool must = operations_[i]->outcome != Outcome::info;
      if (must && ((done >> i) & 1U) == 0) all = false;
    }
    if (all) return true;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (((done >> i) & 1U) != 0 || !may_be_next(i, done)) continue;
      const auto next = apply(*history_, *operations_[i], state, texts_);
      if (next && search(done | (1U << i), *next)) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] bool may_be_next(std::size_t index, std::uint32_t done) const {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const bool open = ((done >> i) & 1U) == 0 && i != index;
      if (open && operations_[i]->precedes(*operations_[index])) return false;
    }
    return true;
  }

  const History* history_;
  bool texts_;
  std::vector<const Operation*> operations_;
  std::set<std::pair<std::uint32_t, std::string>> seen_;
};

}  // namespace

bool brute_force_linearizable(const History& history, std::string_view model) {
  const bool texts = model == "kv-append";
  return BruteForce(history, texts).search(0, texts ? "" : "nil");
}

}  // namespace sunder::test
