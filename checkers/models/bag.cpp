// In any order: enqueue, dequeue, peek; nil is what an empty bag gives (Knossos' unordered-queue).
//
// A removal that does not tell what it took may have taken any value. A state is therefore the set
// of bags that are possible; what an operation tells leaves those out that contradict it.

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/models/model.hpp"
#include "checkers/models/state_table.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

// kTake_any: a removal that did not tell what it took, or whether there was anything.
enum Kind : std::uint32_t { kInsert, kTake, kLook, kFind_empty, kTake_any };

class Bag final : public Model {
 public:
  explicit Bag(const history::ValuePool& pool) : pool_(&pool) { (void)intern({{}}); }

  State initial() override { return 0; }

  std::optional<Call> encode(const Operation& operation) override {
    if (operation.outcome == Outcome::fail) return std::nullopt;
    if (operation.function == Function::enqueue) {
      return Call{kInsert, number_of(operation.input), 0};
    }
    const bool takes = operation.function == Function::dequeue;
    if (operation.outcome == Outcome::info || operation.output.is_none()) {
      is_certain_ = is_certain_ && !takes;
      return takes ? std::optional(Call{kTake_any, 0, 0}) : std::nullopt;
    }
    if (operation.output.is_nil()) return Call{kFind_empty, 0, 0};
    return Call{takes ? kTake : kLook, number_of(operation.output), 0};
  }

  State step(State state, Call call) override {
    Contents next;
    for (const Values& bag : states_[state]) apply(bag, call, next);
    if (next.empty()) return kNoState;
    std::ranges::sort(next);
    const auto same = std::ranges::unique(next);
    next.erase(same.begin(), same.end());
    return intern(std::move(next));
  }

  // Of several bags a look leaves some out.
  bool observes(Call call) const noexcept override {
    return is_certain_ && (call.kind == kLook || call.kind == kFind_empty);
  }

  bool is_idempotent(Call call) const noexcept override {
    return call.kind == kLook || call.kind == kFind_empty;
  }

  // Values that nobody saw need not have been put in, unless somebody surely took one and did not
  // tell which. Unknown removals help only who found it empty.
  void simplify(std::vector<SearchOperation>& operations) override {
    std::vector<bool> seen(values_.size());
    bool found_empty = false;
    for (const SearchOperation& operation : operations) {
      const Call call = operation.call;
      if (call.kind == kTake_any && !operation.optional) return;
      if (call.kind == kTake || call.kind == kLook) seen[call.first] = true;
      found_empty = found_empty || call.kind == kFind_empty;
    }
    std::erase_if(operations, [&](const SearchOperation& operation) {
      const Call call = operation.call;
      if (!operation.optional) return false;
      return call.kind == kTake_any ? !found_empty : call.kind == kInsert && !seen[call.first];
    });
    is_certain_ = is_certain_ || !found_empty;
  }

  std::string describe(State state) const override {
    constexpr std::size_t kBagsShown = 3;
    const Contents& contents = states_[state];
    std::string text;
    for (std::size_t i = 0; i < std::min(kBagsShown, contents.size()); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : " or ", describe_bag(contents[i]));
    }
    return contents.size() > kBagsShown ? text + " or …" : text;
  }

  std::size_t memory() const noexcept override { return states_.memory(); }

 private:
  using Values = std::vector<std::uint32_t>;  // sorted
  using Contents = std::vector<Values>;       // the bags that are possible, sorted, each once

  // Adds what the call makes of that bag; nothing when the bag does not allow it.
  static void apply(const Values& bag, Call call, Contents& next) {
    const auto place = std::ranges::lower_bound(bag, call.first);
    const bool inside = place != bag.end() && *place == call.first;
    const auto offset = place - bag.begin();
    switch (call.kind) {
      case kInsert:
        next.push_back(bag);
        next.back().insert(next.back().begin() + offset, call.first);
        return;
      case kTake:
        if (inside) next.push_back(without(bag, offset));
        return;
      case kLook:
        if (inside) next.push_back(bag);
        return;
      case kFind_empty:
        if (bag.empty()) next.push_back(bag);
        return;
      default:
        break;
    }
    if (bag.empty()) next.push_back(bag);
    for (std::size_t i = 0; i < bag.size(); ++i) {
      const bool first_of_equals = i == 0 || bag[i] != bag[i - 1];
      if (first_of_equals) next.push_back(without(bag, static_cast<std::ptrdiff_t>(i)));
    }
  }

  static Values without(Values bag, std::ptrdiff_t offset) {
    bag.erase(bag.begin() + offset);
    return bag;
  }

  [[nodiscard]] std::string describe_bag(const Values& bag) const {
    constexpr std::size_t kShown = 8;
    if (bag.empty()) return "nothing";
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, bag.size()); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : " ", pool_->describe(values_[bag[i]]));
    }
    return fmt::format("({}{})", text, bag.size() > kShown ? " …" : "");
  }

  State intern(Contents contents) {
    std::size_t bytes = contents.size() * sizeof(Values);
    for (const Values& bag : contents) bytes += bag.size() * sizeof(std::uint32_t);
    return states_.number(std::move(contents), bytes);
  }

  std::uint32_t number_of(Value value) {
    const auto [found, added] =
        numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
    if (added) values_.push_back(value);
    return found->second;
  }

  const history::ValuePool* pool_;
  bool is_certain_ = true;  // every state is one bag
  std::map<Value, std::uint32_t> numbers_;
  std::vector<Value> values_;
  StateTable<Contents> states_;
};

bool knows(Function function) {
  return function == Function::enqueue || function == Function::dequeue ||
         function == Function::peek;
}

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<Bag>(pool);
}

}  // namespace

ModelRow bag_row() {
  return {.name = "bag",
          .summary = "What goes in comes out in any order: enqueue, dequeue, peek; empty at first.",
          .knows = knows,
          .make = make,
          .closed_form = check_bag,
          .strength = 0};
}

}  // namespace sunder::checkers
