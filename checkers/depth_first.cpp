#include "checkers/depth_first.hpp"

#include <algorithm>
#include <utility>

#include "checkers/search_moves.hpp"

namespace sunder::checkers {
namespace {

class DepthFirst {
 public:
  DepthFirst(Model& model,
             const SearchProblem& problem,
             const Timeline& timeline,
             const SearchLimits& limits)
      : model_(&model),
        problem_(&problem),
        timeline_(&timeline),
        budget_(limits),
        window_(timeline),
        moves_(model, problem, timeline, window_, used_),
        memo_(used_, timeline.mutator_words(), timeline.observer_words()),
        stride_(kConfiguration_head + timeline.mutator_words() + timeline.observer_words()),
        now_(stride_, 0) {}

  [[nodiscard]] SearchResult run() {
    for (std::size_t i = problem_->initial.size(); i-- > 0;) {
      std::ranges::fill(now_, 0);
      set_state(now_, problem_->initial[i]);
      push(now_, Turn::visit);
    }
    SearchResult result;
    result.kind = SearchResult::Kind::violation;
    while (!turns_.empty()) {
      const Turn turn = pop();
      if (turn == Turn::visit ? visit() : branch()) {
        result.kind = SearchResult::Kind::linearizable;
        break;
      }
      if (!budget_.spend([&] { return memory(); })) {
        result.kind = SearchResult::Kind::undetermined;
        result.reason = budget_.reason();
        break;
      }
    }
    result.configurations = budget_.configurations();
    return result;
  }

 private:
  enum class Turn : std::uint8_t { visit, branch };

  void push(ConstConfiguration configuration, Turn turn) {
    stack_.insert(stack_.end(), configuration.begin(), configuration.end());
    turns_.push_back(turn);
  }

  // The last one pushed becomes the present configuration.
  Turn pop() {
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(stride_);
    std::ranges::copy(begin, stack_.end(), now_.begin());
    stack_.erase(begin, stack_.end());
    const Turn turn = turns_.back();
    turns_.pop_back();
    window_.move_to(place_of(now_));
    return turn;
  }

  // Follows the present configuration as far as it goes; true: to the end.
  bool visit() {
    while (advance()) {
      set_place(now_, window_.position());
      if (!memo_.insert(now_)) return false;
      const std::uint32_t returning = timeline_->events()[window_.position()].operation;
      if (timeline_->entry(returning).observes) return branch();
      push(now_, Turn::branch);
      // Reads the copy: the present one is overwritten.
      const ConstConfiguration before = std::span(stack_).last(stride_);
      if (!moves_.take(before, returning, now_)) return false;
      if (!budget_.spend([&] { return memory(); })) return false;
    }
    return budget_.reason().empty() && window_.position() == timeline_->events().size();
  }

  // Passes events up to the next return that is still to be explained; false at the end.
  bool advance() {
    const auto events = timeline_->events();
    while (window_.position() < events.size()) {
      const Timeline::Event& event = events[window_.position()];
      const Timeline::Entry& entry = timeline_->entry(event.operation);
      if (event.completion) {
        if (!has_bit(now_, entry.bit)) return true;
        clear_bit(now_, entry.bit);
      }
      window_.forward();
      if (!event.completion && entry.observes && !entry.optional) {
        moves_.settle(now_, event.operation);
      }
    }
    return false;
  }

  // Pushes what else can happen before the return; the best is to be popped first.
  bool branch() {
    const std::uint32_t returning = timeline_->events()[window_.position()].operation;
    const std::uint32_t bit = timeline_->entry(returning).bit;
    const bool observes = timeline_->entry(returning).observes;
    const std::uint32_t without = observes ? Window::kEnd : returning;
    after_.clear();
    moves_.others(now_, without, [&](ConstConfiguration after) {
      after_.insert(after_.end(), after.begin(), after.end());
    });
    for (const bool taken : {false, true}) {
      for (std::size_t end = after_.size(); end > 0; end -= stride_) {
        const auto after = std::span(after_).subspan(end - stride_, stride_);
        if (has_bit(after, bit) == taken) push(after, Turn::visit);
      }
    }
    return false;
  }

  [[nodiscard]] std::size_t memory() const noexcept {
    return memo_.memory() + used_.memory() + moves_.memory() + model_->memory() +
           timeline_->memory() + stack_.capacity() * sizeof(std::uint64_t) + turns_.capacity();
  }

  Model* model_;
  const SearchProblem* problem_;
  const Timeline* timeline_;
  SearchBudget budget_;
  UsedCounts used_;
  Window window_;
  SearchMoves moves_;
  ConfigurationSet memo_;  // all that were met at a return
  std::size_t stride_;
  std::vector<std::uint64_t> now_;    // the present configuration
  std::vector<std::uint64_t> after_;  // what branch() found
  std::vector<std::uint64_t> stack_;  // configurations to come back to
  std::vector<Turn> turns_;           // what to do with each
};

}  // namespace

SearchResult search_depth_first(Model& model,
                                const SearchProblem& problem,
                                const Timeline& timeline,
                                const SearchLimits& limits) {
  return DepthFirst(model, problem, timeline, limits).run();
}

}  // namespace sunder::checkers
