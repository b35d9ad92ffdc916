#include "harness/run/leader.hpp"

#include <charconv>

namespace sunder::run {

void LeaderTracker::note(const history::NodeEvent& event) {
  const bool gained = event.event == "became-leader";
  const bool lost = event.event == "became-follower" || event.event == "became-candidate" ||
                    event.event == "started";
  if (!gained && !lost) return;
  Claim& claim = claims_[event.node];
  claim.term = std::max(claim.term, event.number("term"));
  claim.leads = gained;
}

std::optional<std::size_t> LeaderTracker::leader() const {
  const std::string* best = nullptr;
  std::int64_t best_term = -1;
  for (const auto& [node, claim] : claims_) {
    if (claim.leads && claim.term > best_term) {
      best = &node;
      best_term = claim.term;
    }
  }
  if (best == nullptr || best->size() < 2) return std::nullopt;
  std::size_t number = 0;
  std::from_chars(best->data() + 1, best->data() + best->size(), number);
  if (number == 0) return std::nullopt;
  return number - 1;
}

}  // namespace sunder::run
