// What can happen next in a configuration of the search, and what that has cost so far.
//
// Threading: one search's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "checkers/configuration.hpp"
#include "checkers/search_window.hpp"

namespace sunder::checkers {

// The moves between two events. Of equal pending operations only the one that ends first may move,
// and an unknown one only when no equal one is pending: any order that takes another first stays
// right when the two change places.
class SearchMoves {
 public:
  SearchMoves(Model& model,
              const SearchProblem& problem,
              const Timeline& timeline,
              const Window& window,
              UsedCounts& used);

  // Takes every pending observer that the state allows: that never hurts.
  void settle(Configuration configuration);
  // The same for one that has just begun.
  void settle(Configuration configuration, std::uint32_t operation);

  // `after` becomes the configuration after that pending mutator; false: the state does not allow
  // it.
  [[nodiscard]] bool take(ConstConfiguration configuration,
                          std::uint32_t operation,
                          Configuration after);

  // Calls visit(after) for what every pending mutator but one (Window::kEnd: but none), every
  // unknown operation and every free call lead to.
  template <typename Visit>
  void others(ConstConfiguration configuration, std::uint32_t without, Visit&& visit);

  // Nobody whose return comes behind that place is looked ahead for.
  void set_horizon(std::size_t place) { horizon_ = place; }

  [[nodiscard]] std::size_t memory() const noexcept {
    return seen_.capacity() * sizeof(std::uint32_t);
  }

 private:
  void arrive(ConstConfiguration configuration, State state);
  // Whether the step to that configuration ended what somebody still needs and nobody brings back.
  [[nodiscard]] bool is_hopeless(State before, Call call, ConstConfiguration after);
  [[nodiscard]] bool is_missed(Condition condition, ConstConfiguration after) const;
  [[nodiscard]] bool is_taken(const Outlook::Stay& stay, ConstConfiguration after) const;

  Model* model_;
  const SearchProblem* problem_;
  const Timeline* timeline_;
  const Window* window_;
  UsedCounts* used_;
  std::vector<std::uint32_t> seen_;  // by call: the round that met an equal pending operation
  std::uint32_t round_ = 0;
  std::vector<std::uint64_t> after_;
  std::size_t horizon_ = std::numeric_limits<std::size_t>::max();
  std::vector<Condition> ended_;
};

// What a search may spend.
class SearchBudget {
 public:
  explicit SearchBudget(const SearchLimits& limits) : limits_(&limits) {}

  // One more configuration; false: something is used up, and reason() says what. `memory` tells the
  // bytes held.
  template <typename Memory>
  [[nodiscard]] bool spend(Memory&& memory) {
    ++configurations_;
    if (limits_->configurations != 0 && configurations_ > limits_->configurations) {
      reason_ = "the limit of configurations was reached";
    } else if ((configurations_ & 255U) == 0) {
      look(memory());
    }
    return reason_.empty();
  }

  [[nodiscard]] std::size_t configurations() const noexcept { return configurations_; }

  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  void look(std::size_t memory);

  const SearchLimits* limits_;
  std::size_t configurations_ = 0;
  std::string reason_;
};

template <typename Visit>
void SearchMoves::others(ConstConfiguration configuration, std::uint32_t without, Visit&& visit) {
  ++round_;
  const State state = state_of(configuration);
  for (std::uint32_t i = window_->first_mutator(); i != Window::kEnd; i = window_->after(i)) {
    const Timeline::Entry& entry = timeline_->entry(i);
    if (has_bit(configuration, entry.bit) || seen_[entry.call] == round_) continue;
    seen_[entry.call] = round_;
    if (i == without) continue;
    const State next = model_->step(state, timeline_->calls()[entry.call]);
    if (next == kNoState) continue;
    arrive(configuration, next);
    set_bit(after_, entry.bit);
    if (is_hopeless(state, timeline_->calls()[entry.call], after_)) continue;
    visit(Configuration(after_));
  }
  for (const std::uint32_t call : window_->unknown()) {
    if (seen_[call] == round_) continue;
    const State next = model_->step(state, timeline_->calls()[call]);
    if (next == kNoState || next == state) continue;
    if (used_->count(used_of(configuration), call) >= window_->available(call)) continue;
    arrive(configuration, next);
    set_used(after_, used_->plus(used_of(configuration), call));
    if (is_hopeless(state, timeline_->calls()[call], after_)) continue;
    visit(Configuration(after_));
  }
  for (const Call call : problem_->free_calls) {
    const State next = model_->step(state, call);
    if (next == kNoState || next == state) continue;
    arrive(configuration, next);
    visit(Configuration(after_));
  }
}

}  // namespace sunder::checkers
