// A model: what an ideal system would answer, for the linearizability search.
//
// One instance judges one object (one key) in one thread. Operations are encoded once into small
// calls, and states are interned: equal states have equal numbers, so the search compares and
// hashes integers and never looks at a value.

#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/closed_form.hpp"
#include "checkers/key_split.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

using State = std::uint32_t;
// What step() returns for a call that the state does not allow.
constexpr State kNoState = std::numeric_limits<State>::max();

// An operation as its model sees it; equal calls are interchangeable.
struct Call {
  std::uint32_t kind = 0;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend constexpr auto operator<=>(const Call&, const Call&) noexcept = default;
};

// Something that a call needs to find, by number (outlook.hpp).
using Condition = std::uint32_t;

// Which calls need which conditions, and which bring one about that does not hold.
struct Conditions {
  struct Pair {
    std::uint32_t call = 0;  // index into the calls that were asked about
    Condition condition = 0;
    friend constexpr auto operator<=>(const Pair&, const Pair&) noexcept = default;
  };

  std::uint32_t count = 0;
  std::vector<Pair> needed;
  std::vector<Pair> brought;
};

// One operation of one key for the search. An optional one (unknown outcome) takes effect at any
// time after its invocation, or never; the others between `invoke` and `complete`.
struct SearchOperation {
  std::int64_t invoke = 0;
  std::int64_t complete = history::kNever;
  Call call;
  std::uint32_t source = 0;  // index into History::operations()
  bool optional = false;
};

class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  [[nodiscard]] virtual State initial() = 0;
  // Nothing: the operation says nothing and changes nothing (a read without a result, a definite
  // failure).
  [[nodiscard]] virtual std::optional<Call> encode(const history::Operation& operation) = 0;
  // The state after the call, or kNoState when the state does not allow it. Deterministic.
  [[nodiscard]] virtual State step(State state, Call call) = 0;
  // Whether the call never changes a state, whatever it is.
  [[nodiscard]] virtual bool observes(Call call) const noexcept = 0;

  // Whether doing it again changes nothing more: any number of such calls reaches finitely many
  // states.
  [[nodiscard]] virtual bool is_idempotent(Call call) const noexcept = 0;

  // Drops optional operations that cannot matter and bounds those that were observed. Must not
  // change the answer.
  virtual void simplify(std::vector<SearchOperation>& operations) { (void)operations; }

  // Look-ahead, for models that have some. The conditions of these calls; until it is asked again,
  // only these calls and free ones are stepped, and end_conditions() uses the numbers given here. A
  // call that needs a condition must not be allowed
  // where it does not hold, and only calls that bring it about may make it hold again.
  [[nodiscard]] virtual Conditions conditions(std::span<const Call> calls) {
    (void)calls;
    return {};
  }

  // Whether states that nothing of what was last given to conditions() can tell apart may be one
  // (the default): faster; a reader wants them apart.
  virtual void merge_states(bool merge) { (void)merge; }

  // Adds the conditions that held in `before` and not in `after`, the state that `call` makes of
  // it. Some may be left out.
  virtual void end_conditions(State before, Call call, State after, std::vector<Condition>& ended) {
    (void)before, (void)call, (void)after, (void)ended;
  }

  // A state as a reader writes it.
  [[nodiscard]] virtual std::string describe(State state) const = 0;
  // Bytes held.
  [[nodiscard]] virtual std::size_t memory() const noexcept = 0;
};

struct ModelRow {
  std::string_view name;
  std::string_view summary;
  // Whether the model can say something about this function.
  bool (*knows)(history::Function function) = nullptr;
  std::unique_ptr<Model> (*make)(const history::ValuePool& pool,
                                 const Parameters& parameters) = nullptr;
  ClosedFormTest closed_form = nullptr;  // tried first; null: there is none
  // Which part of its key's object an operation is about, when the parts know nothing of each
  // other (an element of a set): each is judged alone. Null: objects have no parts.
  history::Value (*part)(const history::Operation& operation) = nullptr;
  std::span<const ParameterInfo> parameters = {};
  int strength = 1;                                            // ModelInfo::strength
  bool (*decides)(const history::History& history) = nullptr;  // ModelInfo::decides
  // Whether an operation looks like the model's, beyond its function: "auto" asks. Null: yes.
  bool (*suits)(const history::Operation& operation) = nullptr;
  // Whether the model can say something about this operation of a function that it knows; null:
  // always.
  bool (*accepts)(const history::ValuePool& pool, const history::Operation& operation) = nullptr;
  // Splits a history where only the operations tell which parts know nothing of each other; null:
  // by key and `part`.
  std::vector<KeyOperations> (*split)(const history::History& history) = nullptr;
};

// All models that the search decides, sorted by name; null: no such model.
[[nodiscard]] std::span<const ModelRow> search_models();
[[nodiscard]] const ModelRow* find_search_model(std::string_view name);

// Whether a failed cas says that it compared and found another value.
[[nodiscard]] bool has_compared(const history::ValuePool& pool,
                                const history::Operation& operation) noexcept;

}  // namespace sunder::checkers
