#include "checkers/frontier.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "checkers/search_moves.hpp"

namespace sunder::checkers {
namespace {

void sort_unique(std::vector<State>& states) {
  std::ranges::sort(states);
  const auto same = std::ranges::unique(states);
  states.erase(same.begin(), same.end());
}

std::vector<State> states_of(const ConfigurationSet& set) {
  std::vector<State> states;
  states.reserve(set.size());
  for (std::size_t i = 0; i < set.size(); ++i) states.push_back(state_of(set[i]));
  sort_unique(states);
  return states;
}

// How far a walk goes: operations that return behind `horizon` are not looked ahead for, and events
// behind `end` are not walked to.
struct Reach {
  std::size_t horizon = std::numeric_limits<std::size_t>::max();
  std::size_t end = std::numeric_limits<std::size_t>::max();
};

// One walk over the events with at most `width` configurations; 0: with all.
class Pass {
 public:
  Pass(Model& model,
       const SearchProblem& problem,
       const Timeline& timeline,
       const SearchLimits& limits,
       std::size_t width,
       Reach reach = {})
      : model_(&model),
        problem_(&problem),
        timeline_(&timeline),
        width_(width),
        end_(reach.end),
        budget_(limits),
        window_(timeline),
        moves_(model, problem, timeline, window_, used_),
        frontier_(used_, timeline.mutator_words(), timeline.observer_words()),
        next_(frontier_),
        visited_(frontier_),
        now_(kConfiguration_head + timeline.mutator_words() + timeline.observer_words(), 0) {
    moves_.set_horizon(reach.horizon);
  }

  // Where a violation ended the walk.
  [[nodiscard]] std::size_t place() const noexcept { return window_.position(); }

  // Whether the beam dropped configurations: a violation is then no more than a suspicion.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  [[nodiscard]] SearchResult run() {
    for (const State state : problem_->initial) {
      set_state(now_, state);
      frontier_.insert(now_);
    }
    remember_quiescence(std::numeric_limits<std::int64_t>::min());
    for (const Timeline::Event& event : timeline_->events()) {
      if (window_.position() > end_) break;
      const Timeline::Entry& entry = timeline_->entry(event.operation);
      if (event.completion) {
        if (!complete(event.operation)) return finish(event.operation);
        window_.forward();
        ++result_.returns;
        if (window_.is_quiescent()) remember_quiescence(event.stamp);
      } else {
        window_.forward();
        if (entry.observes && !entry.optional) begin_observer(event.operation);
      }
    }
    result_.kind = SearchResult::Kind::linearizable;
    result_.configurations = budget_.configurations();
    return std::move(result_);
  }

 private:
  static constexpr std::size_t kVisitedPerKept = 16;

  void remember_quiescence(std::int64_t stamp) {
    result_.quiescent = stamp;
    result_.quiescent_states = states_of(frontier_);
  }

  // Different configurations stay different: which observers are taken follows from what was the
  // same before.
  void begin_observer(std::uint32_t operation) {
    for (std::size_t i = 0; i < frontier_.size(); ++i) {
      moves_.settle(frontier_.mutable_at(i), operation);
    }
  }

  // False: nothing explains the return of this operation, or a limit was reached.
  bool complete(std::uint32_t operation) {
    const std::uint32_t bit = timeline_->entry(operation).bit;
    next_.clear();
    visited_.clear();
    for (std::size_t i = 0; i < frontier_.size(); ++i) {
      has_bit(frontier_[i], bit) ? keep(frontier_[i], bit) : visit(frontier_[i]);
    }
    for (std::size_t i = 0; i < visited_.size(); ++i) {
      if (width_ != 0 && (next_.size() >= width_ || visited_.size() >= width_ * kVisitedPerKept)) {
        truncated_ = true;
        break;
      }
      if (!budget_.spend([&] { return memory(); })) return false;
      std::ranges::copy(visited_[i], now_.begin());
      moves_.others(now_, Window::kEnd, [&](Configuration after) {
        has_bit(after, bit) ? keep(after, bit) : visit(after);
      });
    }
    if (next_.size() == 0) return false;
    drop_dominated();
    return true;
  }

  void visit(ConstConfiguration configuration) { visited_.insert(configuration); }

  void keep(ConstConfiguration configuration, std::uint32_t bit) {
    kept_.assign(configuration.begin(), configuration.end());
    clear_bit(kept_, bit);
    next_.insert(kept_);
  }

  // Those that used fewer unknown operations come first, and refuse what they dominate.
  void drop_dominated() {
    order_.resize(next_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    bool any_used = false;
    for (const std::uint32_t i : order_) any_used = any_used || used_of(next_[i]) != 0;
    if (!any_used && timeline_->observer_words() == 0) {
      std::swap(frontier_, next_);
      return;
    }
    const auto taken = [&](std::uint32_t i) { return observers_taken(next_[i]); };
    std::ranges::stable_sort(order_, [&](std::uint32_t a, std::uint32_t b) {
      const std::size_t used_a = used_.total(used_of(next_[a]));
      const std::size_t used_b = used_.total(used_of(next_[b]));
      return used_a != used_b ? used_a < used_b : taken(a) > taken(b);
    });
    frontier_.clear();
    for (const std::uint32_t i : order_) frontier_.insert(next_[i]);
  }

  [[nodiscard]] std::size_t observers_taken(ConstConfiguration configuration) const {
    std::size_t count = 0;
    for (const std::uint64_t word :
         configuration.subspan(kConfiguration_head + timeline_->mutator_words())) {
      count += static_cast<std::size_t>(std::popcount(word));
    }
    return count;
  }

  [[nodiscard]] std::size_t memory() const noexcept {
    return frontier_.memory() + next_.memory() + visited_.memory() + used_.memory() +
           moves_.memory() + model_->memory() + timeline_->memory();
  }

  SearchResult finish(std::uint32_t operation) {
    result_.configurations = budget_.configurations();
    if (!budget_.reason().empty()) {
      result_.kind = SearchResult::Kind::undetermined;
      result_.reason = budget_.reason();
      return std::move(result_);
    }
    result_.kind = SearchResult::Kind::violation;
    result_.failed = operation;
    result_.possible = states_of(visited_);
    return std::move(result_);
  }

  Model* model_;
  const SearchProblem* problem_;
  const Timeline* timeline_;
  std::size_t width_;
  std::size_t end_;
  bool truncated_ = false;
  SearchBudget budget_;
  UsedCounts used_;
  Window window_;
  SearchMoves moves_;
  ConfigurationSet frontier_;
  ConfigurationSet next_;     // the frontier behind the return
  ConfigurationSet visited_;  // on the way to it
  std::vector<std::uint64_t> now_;
  std::vector<std::uint64_t> kept_;
  std::vector<std::uint32_t> order_;
  SearchResult result_;
};

// Finds the return at which a violation shows. A walk that looks ahead dies before it, at a return
// that can be explained: of several walks with nearer and nearer horizons the last dies there.
class Pinpoint {
 public:
  Pinpoint(Model& model,
           const SearchProblem& problem,
           const Timeline& timeline,
           const SearchLimits& limits)
      : model_(&model), problem_(&problem), timeline_(&timeline), limits_(&limits) {}

  // `found` died at `place`. When the limits do not suffice, the evidence names a later return.
  [[nodiscard]] SearchResult run(SearchResult found, std::size_t place) {
    found_ = std::move(found);
    std::size_t fine = place;  // what returns before it can be explained
    std::size_t step = 1;
    std::size_t bad = timeline_->events().size() - 1;
    while (fine < bad) {
      const std::size_t probe = std::min(fine + step - 1, bad);
      if (probe == bad) break;
      const std::optional<bool> dies = dies_by(probe);
      if (!dies) return vague(bad);
      if (*dies) {
        bad = probe;
        break;
      }
      fine = probe + 1;
      step *= 2;
    }
    while (fine < bad) {
      const std::size_t middle = fine + (bad - fine) / 2;
      const std::optional<bool> dies = dies_by(middle);
      if (!dies) return vague(bad);
      (*dies ? bad : fine) = *dies ? middle : middle + 1;
    }
    SearchResult result = last_walk(bad);
    if (result.kind != SearchResult::Kind::violation) return vague(bad);
    result.configurations += found_.configurations;
    return result;
  }

 private:
  [[nodiscard]] Pass walk(Reach reach) const {
    return Pass(*model_, *problem_, *timeline_, *limits_, 0, reach);
  }

  // With the states that a reader can tell apart, as long as there are few of them.
  [[nodiscard]] SearchResult last_walk(std::size_t bad) {
    constexpr std::size_t kAffordable = 100'000;
    SearchLimits few = *limits_;
    if (few.configurations == 0) few.configurations = kAffordable + 2 * bad;
    const Reach reach{.horizon = bad - 1, .end = bad};
    model_->merge_states(false);
    SearchResult result = Pass(*model_, *problem_, *timeline_, few, 0, reach).run();
    if (result.kind == SearchResult::Kind::violation) take_all_states(result, few);
    model_->merge_states(true);
    if (result.kind == SearchResult::Kind::undetermined) {
      found_.configurations += result.configurations;
      result = walk(reach).run();
    }
    return result;
  }

  // A walk that looks ahead has left states behind that what came before the quiescent moment
  // allows: without them, what contradicts them would be missing from the evidence.
  void take_all_states(SearchResult& result, const SearchLimits& few) const {
    constexpr std::size_t kAffordable = 64;
    const auto& events = timeline_->events();
    const auto behind =
        std::ranges::upper_bound(events, result.quiescent, {}, &Timeline::Event::stamp);
    if (behind == events.begin()) return;
    const auto place = static_cast<std::size_t>(behind - events.begin()) - 1;
    const Reach reach{.horizon = place, .end = place};
    const SearchResult before = Pass(*model_, *problem_, *timeline_, few, 0, reach).run();
    result.configurations += before.configurations;
    const bool all = before.kind == SearchResult::Kind::linearizable &&
                     before.quiescent == result.quiescent &&
                     before.quiescent_states.size() <= kAffordable;
    if (all) result.quiescent_states = before.quiescent_states;
  }

  // Whether what returns up to that place has no explanation; nothing: a limit was reached.
  [[nodiscard]] std::optional<bool> dies_by(std::size_t place) {
    Pass pass = walk({.horizon = place, .end = place});
    const SearchResult result = pass.run();
    found_.configurations += result.configurations;
    if (result.kind == SearchResult::Kind::undetermined) return std::nullopt;
    return result.kind == SearchResult::Kind::violation;
  }

  [[nodiscard]] SearchResult vague(std::size_t bad) {
    while (!timeline_->events()[bad].completion) --bad;
    found_.failed = timeline_->events()[bad].operation;
    found_.possible.clear();
    return std::move(found_);
  }

  Model* model_;
  const SearchProblem* problem_;
  const Timeline* timeline_;
  const SearchLimits* limits_;
  SearchResult found_;
};

}  // namespace

SearchResult search_frontier(Model& model,
                             const SearchProblem& problem,
                             const Timeline& timeline,
                             const SearchLimits& limits,
                             std::size_t beam) {
  const auto pinpoint = [&](SearchResult found, std::size_t place) {
    if (found.kind != SearchResult::Kind::violation || timeline.outlook().is_empty()) return found;
    return Pinpoint(model, problem, timeline, limits).run(std::move(found), place);
  };
  if (beam != 0) {
    Pass pass(model, problem, timeline, limits, beam);
    SearchResult result = pass.run();
    if (result.kind != SearchResult::Kind::violation || !pass.truncated()) {
      return pinpoint(std::move(result), pass.place());
    }
  }
  Pass pass(model, problem, timeline, limits, 0);
  SearchResult result = pass.run();
  return pinpoint(std::move(result), pass.place());
}

}  // namespace sunder::checkers
