// One element of a set, in or out, whose operations tell what they found (CHECKERS: Abdulla et al.,
// PLDI 2025; Emmi & Enea, POPL 2018).
//
// One walk over the operations in order of time. It turns the element only when an operation ends
// that would otherwise be left unexplained, and then with the pending add (or remove) that ends
// first: those of one kind differ in nothing else. Whoever merely saw the element is explained as
// soon as it is so. Additions and removals of unknown outcome never end, so they are used last.
// O(n log c) after sorting, c the operations that overlap.
//
// An acknowledged add or remove that does not tell what it found goes to the search.

#include <array>
#include <limits>

#include <fmt/format.h>

#include "checkers/objects.hpp"
#include "checkers/phrase.hpp"
#include "checkers/sweep.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::kNever;
using history::Operation;
using history::Outcome;

// What an operation needs: to see the element out or in, or to turn it.
enum class Need : std::uint8_t { nothing, see_out, see_in, turn_out, turn_in, unclear };

constexpr bool is_turn(Need need) noexcept {
  return need == Need::turn_out || need == Need::turn_in;
}

Need need_of(const Operation& operation) noexcept {
  if (operation.outcome == Outcome::fail) return Need::nothing;
  const std::optional<bool> told = truth_of(operation);
  if (operation.function == Function::contains) {
    if (!told) return Need::nothing;
    return *told ? Need::see_in : Need::see_out;
  }
  const bool adds = operation.function == Function::add;
  if (operation.outcome == Outcome::info) return adds ? Need::turn_in : Need::turn_out;
  if (!told) return Need::unclear;
  if (*told) return adds ? Need::turn_in : Need::turn_out;
  return adds ? Need::see_in : Need::see_out;
}

struct Item {
  std::int64_t start = 0;
  std::int64_t end = kNever;
  std::uint32_t operation = 0;
  Need need = Need::nothing;
};

constexpr std::uint32_t kAll_explained = kNo_operation;

class Walk {
 public:
  // A turn of the element, and the item whose end forced it: positions.
  struct Turn {
    std::uint32_t by;
    std::uint32_t forced_by;
  };

  Walk(const std::vector<Item>& items, bool in)
      : items_(&items), in_(in), sure_in_(in), explained_(items.size()) {}

  // The position of the item whose end cannot be explained.
  [[nodiscard]] std::uint32_t run() {
    sweep(
        *items_,
        [&](std::uint32_t position) { return invoke(position); },
        [&](std::uint32_t position) { return complete(position); });
    return failed_;
  }

  [[nodiscard]] const std::vector<Turn>& turns() const noexcept { return turns_; }

  // The last moment at which nothing was pending that could have turned the element or was not
  // explained, and how the element was then.
  [[nodiscard]] std::int64_t sure() const noexcept { return sure_; }

  [[nodiscard]] bool sure_in() const noexcept { return sure_in_; }

  [[nodiscard]] std::size_t sure_turns() const noexcept { return sure_turns_; }

 private:
  bool invoke(std::uint32_t position) {
    const Item& item = (*items_)[position];
    if (is_turn(item.need)) {
      turners_[item.need == Need::turn_in ? 1 : 0].push(item.end, position);
    } else if (item.need == (in_ ? Need::see_in : Need::see_out)) {
      explained_[position] = true;
    } else {
      watchers_.push_back(position);
    }
    return true;
  }

  bool complete(std::uint32_t position) {
    const Item& item = (*items_)[position];
    // An addition to what is in has to wait for a removal first.
    const bool twice = is_turn(item.need) && in_ == (item.need == Need::turn_in);
    for (int turns = twice ? 2 : 1; turns > 0 && !explained_[position]; --turns) {
      if (!turn(position)) return false;
    }
    if (watchers_.empty() && turners_[0].empty() && turners_[1].empty()) {
      sure_ = item.end;
      sure_in_ = in_;
      sure_turns_ = turns_.size();
    }
    return true;
  }

  bool turn(std::uint32_t forced_by) {
    EarliestEnd& pending = turners_[in_ ? 0 : 1];
    if (pending.empty()) {
      failed_ = forced_by;
      return false;
    }
    turns_.push_back({pending.pop(), forced_by});
    explained_[turns_.back().by] = true;
    // All who wait are waiting for this.
    for (const std::uint32_t watcher : watchers_) explained_[watcher] = true;
    watchers_.clear();
    in_ = !in_;
    return true;
  }

  const std::vector<Item>* items_;
  bool in_;
  std::int64_t sure_ = std::numeric_limits<std::int64_t>::min();
  bool sure_in_;
  std::size_t sure_turns_ = 0;
  std::vector<bool> explained_;
  std::array<EarliestEnd, 2> turners_;   // pending removals and additions, not used
  std::vector<std::uint32_t> watchers_;  // pending: saw the element the other way
  std::vector<Turn> turns_;
  std::uint32_t failed_ = kAll_explained;
};

class Explanation {
 public:
  Explanation(const history::History& history, const std::vector<Item>& items)
      : history_(&history), items_(&items) {}

  [[nodiscard]] Counterexample of(const Walk& walk, std::uint32_t failed) {
    collect_window(walk, failed);
    std::vector<std::uint32_t> core = window_;
    if (core.size() > kWindow_max) {
      core = last_turns(walk, failed);
    } else {
      const auto contradicts = [&](const std::vector<std::uint32_t>& strict) {
        return contradict(strict, walk.sure_in());
      };
      core = smallest(std::move(core), contradicts, kTries_max);
    }
    std::vector<std::uint32_t> members{at(failed).operation};
    for (const std::uint32_t position : core) members.push_back(at(position).operation);
    const std::uint32_t before = walk.sure_turns() == 0
                                     ? kNo_operation
                                     : at(walk.turns()[walk.sure_turns() - 1].by).operation;
    members.push_back(before);
    return tell(failed, before, std::move(members));
  }

 private:
  static constexpr std::size_t kWindow_max = 4000;
  static constexpr int kTries_max = 400;

  [[nodiscard]] const Item& at(std::uint32_t position) const { return (*items_)[position]; }

  // What ran between the last sure moment and the failure.
  void collect_window(const Walk& walk, std::uint32_t failed) {
    for (std::uint32_t i = 0; i < items_->size() && at(i).start <= at(failed).end; ++i) {
      if (at(i).end > walk.sure()) window_.push_back(i);
    }
  }

  // Whether these contradict each other when all else may have happened at any time, or never.
  [[nodiscard]] bool contradict(const std::vector<std::uint32_t>& strict, bool in) const {
    std::vector<Item> items;
    for (const std::uint32_t position : window_) {
      const bool weak = !std::ranges::binary_search(strict, position);
      if (weak && !is_turn(at(position).need)) continue;
      items.push_back(at(position));
      if (!weak) continue;
      items.back().start = std::numeric_limits<std::int64_t>::min();
      items.back().end = kNever;
    }
    std::ranges::stable_sort(items, {}, &Item::start);
    return Walk(items, in).run() != kAll_explained;
  }

  [[nodiscard]] static std::vector<std::uint32_t> last_turns(const Walk& walk,
                                                             std::uint32_t failed) {
    constexpr std::size_t kShown = 2;
    std::vector<std::uint32_t> shown{failed};
    const std::vector<Walk::Turn>& turns = walk.turns();
    for (std::size_t i = turns.size() - std::min(turns.size(), kShown); i < turns.size(); ++i) {
      shown.insert(shown.end(), {turns[i].by, turns[i].forced_by});
    }
    return shown;
  }

  [[nodiscard]] Counterexample tell(std::uint32_t failed,
                                    std::uint32_t before,
                                    std::vector<std::uint32_t> members) const {
    const Operation& operation = history_->operations()[at(failed).operation];
    const Need need = at(failed).need;
    const bool wants_in = need == Need::see_in || need == Need::turn_out;
    Counterexample example = story(need == Need::see_out   ? "lost element"
                                   : need == Need::see_in  ? "element from nowhere"
                                   : need == Need::turn_in ? "added twice"
                                                           : "removed twice",
                                   std::move(members));
    example.first_error = at(failed).operation;
    example.why = fmt::format("{}, but no {} can have put it {} by then",
                              statement(*history_, operation),
                              wants_in ? "add" : "remove",
                              wants_in ? "in" : "out");
    if (before != kNo_operation) {
      const Operation& last = history_->operations()[before];
      const bool over = last.precedes(operation);
      example.why += fmt::format(": it was so after {}{}{}",
                                 phrase(*history_, last),
                                 over ? ", which had ended " : "",
                                 over ? lead(last, operation) : "");
    }
    for (Counterexample::Item& item : example.items) {
      if (item.operation == example.first_error) item.note = "cannot be explained";
      if (item.operation == before) item.note = "stood before";
    }
    return example;
  }

  const history::History* history_;
  const std::vector<Item>* items_;
  std::vector<std::uint32_t> window_;
};

}  // namespace

std::optional<bool> truth_of(const Operation& operation) noexcept {
  if (operation.outcome != Outcome::ok) return std::nullopt;
  const history::ValueKind kind = operation.output.kind();
  const bool tells = kind == history::ValueKind::boolean || kind == history::ValueKind::integer;
  const std::int64_t raw = operation.output.raw();
  if (!tells || raw < 0 || raw > 1) return std::nullopt;
  return raw == 1;
}

std::optional<ClosedForm> check_element(const history::History& history,
                                        std::span<const std::uint32_t> operations,
                                        const Parameters& /*none*/) {
  std::vector<Item> items;
  items.reserve(operations.size());
  for (const std::uint32_t index : operations) {
    const Operation& operation = history.operations()[index];
    const Need need = need_of(operation);
    if (need == Need::unclear) return std::nullopt;
    if (need == Need::nothing) continue;
    items.push_back({operation.invoke, operation.complete, index, need});
  }
  Walk walk(items, false);
  const std::uint32_t failed = walk.run();
  if (failed == kAll_explained) return ClosedForm();
  return violation(Explanation(history, items).of(walk, failed));
}

}  // namespace sunder::checkers
