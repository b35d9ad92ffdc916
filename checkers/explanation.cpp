#include "checkers/explanation.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

constexpr std::size_t kTriesMax = 150;
constexpr std::size_t kConfigurationsPerTry = 2000;
constexpr std::size_t kStatesNamed = 4;

// The operations between the last quiescent moment and the failure, those in question first to
// last.
class Minimiser {
 public:
  Minimiser(Model& model,
            const SearchProblem& problem,
            const SearchResult& result,
            const SearchLimits& limits)
      : model_(&model), problem_(&problem), initial_(result.quiescent_states), limits_(limits) {
    limits_.configurations = kConfigurationsPerTry;
    limits_.strategy = SearchStrategy::depth_first;
    const std::int64_t end = problem.operations[result.failed].complete;
    for (std::uint32_t i = 0; i < problem.operations.size(); ++i) {
      const SearchOperation& operation = problem.operations[i];
      if (operation.invoke > end) break;
      const bool earlier = !operation.optional && operation.complete <= result.quiescent;
      if (!earlier) strict_.push_back(i);
    }
    failed_ = static_cast<std::uint32_t>(result.failed);
  }

  // Indices into the problem's operations, sorted. The failed operation is among them.
  [[nodiscard]] std::vector<std::uint32_t> run() {
    if (!contradicts(strict_)) return strict_;
    for (std::size_t chunk = std::max<std::size_t>(strict_.size() / 2, 1);; chunk /= 2) {
      remove_chunks(chunk);
      if (chunk == 1 || tries_ >= kTriesMax) break;
    }
    return strict_;
  }

 private:
  void remove_chunks(std::size_t chunk) {
    for (std::size_t begin = 0; begin < strict_.size() && tries_ < kTriesMax;) {
      std::vector<std::uint32_t> rest;
      const std::size_t end = std::min(begin + chunk, strict_.size());
      for (std::size_t i = 0; i < strict_.size(); ++i) {
        const bool removed = i >= begin && i < end && strict_[i] != failed_;
        if (!removed) rest.push_back(strict_[i]);
      }
      if (rest.size() < strict_.size() && contradicts(rest)) {
        strict_ = std::move(rest);
      } else {
        begin = end;
      }
    }
  }

  bool contradicts(const std::vector<std::uint32_t>& strict) {
    ++tries_;
    SearchProblem weaker;
    weaker.initial = initial_;
    std::size_t next = 0;
    for (const std::uint32_t i : window()) {
      while (next < strict.size() && strict[next] < i) ++next;
      const SearchOperation& operation = problem_->operations[i];
      if (next < strict.size() && strict[next] == i) {
        weaker.operations.push_back(operation);
      } else if (!model_->observes(operation.call)) {
        weaken(operation, weaker);
      }
    }
    std::ranges::sort(weaker.free_calls);
    const auto same = std::ranges::unique(weaker.free_calls);
    weaker.free_calls.erase(same.begin(), same.end());
    return search(*model_, weaker, limits_).kind == SearchResult::Kind::violation;
  }

  // What must not be repeated for ever may happen once, at any time or never.
  void weaken(SearchOperation operation, SearchProblem& weaker) const {
    if (model_->is_idempotent(operation.call)) {
      weaker.free_calls.push_back(operation.call);
      return;
    }
    operation.optional = true;
    weaker.operations.push_back(operation);
    weaker.operations.back().invoke = std::numeric_limits<std::int64_t>::min();
  }

  [[nodiscard]] const std::vector<std::uint32_t>& window() {
    if (window_.empty()) window_ = strict_;
    return window_;
  }

  Model* model_;
  const SearchProblem* problem_;
  std::vector<State> initial_;
  SearchLimits limits_;
  std::vector<std::uint32_t> strict_;
  std::vector<std::uint32_t> window_;  // strict_ as it was at first
  std::uint32_t failed_ = 0;
  std::size_t tries_ = 0;
};

std::string list_states(const Model& model, const std::vector<State>& states) {
  std::vector<std::string> names;
  for (const State state : states) names.push_back(model.describe(state));
  // By what they say: numbers of states depend on the way the search took.
  std::ranges::sort(names);
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

std::string sentence(const history::History& history,
                     const Model& model,
                     const SearchProblem& problem,
                     const SearchResult& result) {
  const SearchOperation& failed = problem.operations[result.failed];
  const history::Operation& operation = history.operations()[failed.source];
  std::string why = statement(history, operation);
  if (!result.possible.empty() && result.possible.size() <= kStatesNamed) {
    return fmt::format(
        "{}, but only {} was possible then", why, list_states(model, result.possible));
  }
  return fmt::format("{}, but no order of the operations before its end allows that", why);
}

// The operations that ended before the window and say what it starts with: the last mutator, and
// the last observer when it ended later.
std::vector<std::uint32_t> makers_of_start(Model& model,
                                           const SearchProblem& problem,
                                           const SearchResult& result) {
  std::optional<std::uint32_t> mutator;
  std::optional<std::uint32_t> observer;
  const auto end_of = [&](std::uint32_t index) { return problem.operations[index].complete; };
  for (std::uint32_t i = 0; i < problem.operations.size(); ++i) {
    const SearchOperation& operation = problem.operations[i];
    if (operation.optional || operation.complete > result.quiescent) continue;
    std::optional<std::uint32_t>& last = model.observes(operation.call) ? observer : mutator;
    if (!last || operation.complete > end_of(*last)) last = i;
  }
  std::vector<std::uint32_t> makers;
  if (mutator) makers.push_back(*mutator);
  if (observer && (!mutator || end_of(*observer) > end_of(*mutator))) makers.push_back(*observer);
  return makers;
}

}  // namespace

Counterexample explain(const history::History& history,
                       Model& model,
                       const SearchProblem& problem,
                       const SearchResult& result,
                       const SearchLimits& limits) {
  const std::vector<std::uint32_t> core = Minimiser(model, problem, result, limits).run();
  Counterexample example;
  example.title = "not linearizable";
  example.why = sentence(history, model, problem, result);
  example.first_error = problem.operations[result.failed].source;
  for (const std::uint32_t index : core) {
    Counterexample::Item item;
    item.operation = problem.operations[index].source;
    item.core = true;
    if (index == result.failed) item.note = "cannot be explained";
    example.items.push_back(std::move(item));
  }
  const std::vector<std::uint32_t> makers = makers_of_start(model, problem, result);
  for (const std::uint32_t maker : makers) {
    Counterexample::Item item;
    item.operation = problem.operations[maker].source;
    item.core = true;
    item.note = "stood before";
    example.items.push_back(std::move(item));
  }
  if (!makers.empty()) {
    const SearchOperation& last = problem.operations[makers.back()];
    const history::Operation& before = history.operations()[last.source];
    example.why += fmt::format(": {} had {} {}",
                               phrase(history, before),
                               model.observes(last.call) ? "ended" : "been acknowledged",
                               lead(before, history.operations()[example.first_error]));
  }
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
  return example;
}

}  // namespace sunder::checkers
