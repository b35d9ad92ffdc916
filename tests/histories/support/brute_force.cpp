#include "tests/histories/support/brute_force.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"
#include "tests/histories/support/object_oracle.hpp"
#include "tests/histories/support/register_oracle.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

std::optional<std::string> apply_cell(const History& history,
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

std::optional<std::string> apply_register(const History& history,
                                          const Operation& operation,
                                          const std::string& state) {
  return apply_cell(history, operation, state, false);
}

std::optional<std::string> apply_text(const History& history,
                                      const Operation& operation,
                                      const std::string& state) {
  return apply_cell(history, operation, state, true);
}

// A container's state is its values in the order of their insertion, each followed by a comma.
struct Entry {
  std::size_t begin = 0;
  std::size_t length = 0;
};

// Which entry leaves next: the first, the last, or the greatest integer.
std::optional<Entry> next_to_leave(const std::string& state, Function remove) {
  std::optional<Entry> best;
  for (std::size_t begin = 0; begin < state.size();) {
    const std::size_t length = state.find(',', begin) + 1 - begin;
    const bool better = !best || remove == Function::pop ||
                        (remove == Function::poll &&
                         std::stoll(state.substr(begin)) > std::stoll(state.substr(best->begin)));
    if (better) best = Entry{begin, length};
    begin += length;
  }
  return best;
}

template <Function remove>
std::optional<std::string> apply_container(const History& history,
                                           const Operation& operation,
                                           const std::string& state) {
  if (operation.function != remove && operation.function != Function::peek) {
    return state + history.pool().describe(operation.input) + ",";
  }
  const std::optional<Entry> next = next_to_leave(state, remove);
  const bool told = operation.outcome == Outcome::ok && !operation.output.is_none();
  if (told) {
    const std::string found = next ? state.substr(next->begin, next->length - 1) : "nil";
    if (found != history.pool().describe(operation.output)) return std::nullopt;
  }
  if (operation.function == Function::peek || !next) return state;
  std::string rest = state;
  return rest.erase(next->begin, next->length);
}

// Any entry may be the next to leave a bag: who does not tell took each of them in turn.
std::vector<std::string> apply_bag(const History& history,
                                   const Operation& operation,
                                   const std::string& state) {
  if (operation.function == Function::enqueue) {
    return {state + history.pool().describe(operation.input) + ","};
  }
  const bool told = operation.outcome == Outcome::ok && !operation.output.is_none();
  const std::string wanted = told ? history.pool().describe(operation.output) : std::string();
  if (state.empty())
    return told && wanted != "nil" ? std::vector<std::string>() : std::vector{state};
  std::vector<std::string> next;
  if (!told && operation.function == Function::peek) next.push_back(state);
  for (std::size_t begin = 0; begin < state.size();) {
    const std::size_t length = state.find(',', begin) + 1 - begin;
    const bool is_it = !told || state.substr(begin, length - 1) == wanted;
    std::string rest = state;
    if (operation.function == Function::dequeue) rest.erase(begin, length);
    if (is_it) next.push_back(rest);
    begin += length;
  }
  return next;
}

// What an operation may have made of a state: nothing, or several.
using ApplyAny = std::vector<std::string> (*)(const History& history,
                                              const Operation& operation,
                                              const std::string& state);

template <Apply apply>
std::vector<std::string> only(const History& history,
                              const Operation& operation,
                              const std::string& state) {
  const auto next = apply(history, operation, state);
  return next ? std::vector{*next} : std::vector<std::string>();
}

struct Oracle {
  std::string_view model;
  ApplyAny apply;
  std::string_view initial;
};

constexpr std::array kOracles{
    Oracle{"bag", apply_bag, ""},
    Oracle{"cas-register", only<apply_register>, "nil"},
    Oracle{"counter", only<apply_sum>, "0"},
    Oracle{"fenced-lease", only<apply_lock>, ""},
    Oracle{"fetch-add", only<apply_sum>, "0"},
    Oracle{"kv-append", only<apply_text>, ""},
    Oracle{"multi-register", only<apply_registers>, ""},
    Oracle{"mutex", only<apply_lock>, ""},
    Oracle{"priority-queue", only<apply_container<Function::poll>>, ""},
    Oracle{"queue", only<apply_container<Function::dequeue>>, ""},
    Oracle{"reentrant-mutex", only<apply_reentrant_mutex>, ""},
    Oracle{"register", only<apply_register>, "nil"},
    Oracle{"rw-lock", only<apply_lock>, ""},
    Oracle{"semaphore", only<apply_semaphore>, ""},
    Oracle{"set", only<apply_set>, ""},
    Oracle{"stack", only<apply_container<Function::pop>>, ""},
};

class BruteForce {
 public:
  BruteForce(const History& history, ApplyAny apply) : history_(&history), apply_(apply) {
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
      for (const std::string& next : apply_(*history_, *operations_[i], state)) {
        if (search(done | (1U << i), next)) return true;
      }
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
  ApplyAny apply_;
  std::vector<const Operation*> operations_;
  std::set<std::pair<std::uint32_t, std::string>> seen_;
};

}  // namespace

bool brute_force_linearizable(const History& history, std::string_view model) {
  const auto oracle = std::ranges::find(kOracles, model, &Oracle::model);
  SUNDER_ASSERT(oracle != kOracles.end());
  return BruteForce(history, oracle->apply).search(0, std::string(oracle->initial));
}

}  // namespace sunder::test
