#include "checkers/search.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkers/depth_first.hpp"
#include "checkers/frontier.hpp"
#include "checkers/search_window.hpp"

namespace sunder::checkers {
namespace {

constexpr std::size_t kBeam = 2048;
// What the depth-first strategy may visit before the frontier takes over: so much, and so much more
// for each event.
constexpr std::size_t kDepth_first_base = 50'000;
constexpr std::size_t kDepth_first_per_event = 32;

SearchResult search_automatically(Model& model,
                                  const SearchProblem& problem,
                                  const Timeline& timeline,
                                  const SearchLimits& limits) {
  SearchLimits share = limits;
  share.memory = limits.memory / 2;
  share.configurations = kDepth_first_base + kDepth_first_per_event * timeline.events().size();
  if (limits.configurations != 0) {
    share.configurations = std::min(share.configurations, limits.configurations);
  }
  const SearchResult first = search_depth_first(model, problem, timeline, share);
  if (first.kind == SearchResult::Kind::linearizable) return first;
  // A violation that the depth-first strategy proved has few configurations in all.
  const bool proved = first.kind == SearchResult::Kind::violation;
  SearchResult result = search_frontier(model, problem, timeline, limits, proved ? 0 : kBeam);
  result.configurations += first.configurations;
  return result;
}

SearchResult search_by(Model& model,
                       const SearchProblem& problem,
                       const Timeline& timeline,
                       const SearchLimits& limits) {
  switch (limits.strategy) {
    case SearchStrategy::depth_first:
      return search_depth_first(model, problem, timeline, limits);
    case SearchStrategy::frontier:
      return search_frontier(model, problem, timeline, limits, 0);
    case SearchStrategy::automatic:
      break;
  }
  return search_automatically(model, problem, timeline, limits);
}

}  // namespace

SearchResult search(Model& model, const SearchProblem& problem, const SearchLimits& limits) {
  const Timeline timeline(model, problem);
  SearchResult result = search_by(model, problem, timeline, limits);
  if (result.kind == SearchResult::Kind::undetermined) {
    result.reason = fmt::format("{} after {} configurations, {} of {} returns explained",
                                result.reason,
                                result.configurations,
                                result.returns,
                                timeline.returns());
  }
  return result;
}

}  // namespace sunder::checkers
