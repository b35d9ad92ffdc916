#include "checkers/search_moves.hpp"

#include <algorithm>

namespace sunder::checkers {

SearchMoves::SearchMoves(Model& model,
                         const SearchProblem& problem,
                         const Timeline& timeline,
                         const Window& window,
                         UsedCounts& used)
    : model_(&model),
      problem_(&problem),
      timeline_(&timeline),
      window_(&window),
      used_(&used),
      seen_(timeline.calls().size(), 0),
      after_(kConfiguration_head + timeline.mutator_words() + timeline.observer_words(), 0) {}

void SearchMoves::settle(Configuration configuration) {
  for (std::uint32_t i = window_->first_observer(); i != Window::kEnd; i = window_->after(i)) {
    settle(configuration, i);
  }
}

void SearchMoves::settle(Configuration configuration, std::uint32_t operation) {
  const Timeline::Entry& entry = timeline_->entry(operation);
  if (has_bit(configuration, entry.bit)) return;
  const Call call = timeline_->calls()[entry.call];
  if (model_->step(state_of(configuration), call) != kNoState) set_bit(configuration, entry.bit);
}

bool SearchMoves::take(ConstConfiguration configuration,
                       std::uint32_t operation,
                       Configuration after) {
  const Timeline::Entry& entry = timeline_->entry(operation);
  const State next = model_->step(state_of(configuration), timeline_->calls()[entry.call]);
  if (next == kNoState) return false;
  std::ranges::copy(configuration, after.begin());
  set_state(after, next);
  set_bit(after, entry.bit);
  settle(after);
  return !is_hopeless(state_of(configuration), timeline_->calls()[entry.call], after);
}

bool SearchMoves::is_hopeless(State before, Call call, ConstConfiguration after) {
  if (timeline_->outlook().is_empty()) return false;
  ended_.clear();
  model_->end_conditions(before, call, state_of(after), ended_);
  return std::ranges::any_of(ended_,
                             [&](Condition condition) { return is_missed(condition, after); });
}

bool SearchMoves::is_taken(const Outlook::Stay& stay, ConstConfiguration after) const {
  return stay.begin < window_->position() && has_bit(after, timeline_->entry(stay.operation).bit);
}

bool SearchMoves::is_missed(Condition condition, ConstConfiguration after) const {
  constexpr std::size_t kLooked_at = 64;  // candidates; behind them all is presumed well
  const Outlook& outlook = timeline_->outlook();
  const auto position = static_cast<std::uint32_t>(window_->position());
  // Who needs it first: the hardest to please.
  const auto needing = outlook.needing(condition);
  auto first = std::ranges::lower_bound(needing, position, {}, &Outlook::Stay::end);
  while (first != needing.end() && is_taken(*first, after)) ++first;
  if (first == needing.end() || first->end > horizon_) return false;
  const auto beginning = [&](std::span<const Outlook::Stay> all) {
    return std::ranges::lower_bound(all, first->end, {}, &Outlook::Stay::begin) - all.begin();
  };
  std::size_t looked_at = 0;
  const auto bringing = outlook.bringing(condition);
  for (auto i = beginning(bringing); i-- > 0;) {
    const Outlook::Stay& stay = bringing[static_cast<std::size_t>(i)];
    if (stay.rank < position) break;  // all of the rest have returned
    const bool left =
        stay.end >= position && stay.operation != first->operation && !is_taken(stay, after);
    if (left || ++looked_at == kLooked_at) return false;
  }
  const auto perhaps = outlook.perhaps_bringing(condition);
  for (auto i = beginning(perhaps); i-- > 0;) {
    const Outlook::Stay& stay = perhaps[static_cast<std::size_t>(i)];
    const std::uint32_t call = timeline_->entry(stay.operation).call;
    if (used_->count(used_of(after), call) <= stay.rank || ++looked_at == kLooked_at) return false;
  }
  return true;
}

void SearchMoves::arrive(ConstConfiguration configuration, State state) {
  std::ranges::copy(configuration, after_.begin());
  set_state(after_, state);
  settle(after_);
}

void SearchBudget::look(std::size_t memory) {
  if (limits_->stop.stop_requested()) {
    reason_ = "stopped";
  } else if (std::chrono::steady_clock::now() > limits_->deadline) {
    reason_ = "the time budget was used up";
  } else if (memory > limits_->memory) {
    reason_ = "the memory budget was used up";
  }
}

}  // namespace sunder::checkers
