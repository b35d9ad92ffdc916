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
