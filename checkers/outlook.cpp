#include "checkers/outlook.hpp"

#include <algorithm>
#include <numeric>

namespace sunder::checkers {
namespace {

// The conditions of each call, from pairs of the two.
class ByCall {
 public:
  ByCall(std::vector<Conditions::Pair> pairs, std::size_t call_count)
      : pairs_(std::move(pairs)), begins_(call_count + 1, 0) {
    std::ranges::sort(pairs_);
    for (const Conditions::Pair& pair : pairs_) ++begins_[pair.call + 1];
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  }

  [[nodiscard]] std::span<const Conditions::Pair> of(std::uint32_t call) const {
    return std::span(pairs_).subspan(begins_[call], begins_[call + 1] - begins_[call]);
  }

 private:
  std::vector<Conditions::Pair> pairs_;
  std::vector<std::size_t> begins_;
};

}  // namespace

Outlook::Outlook(const Conditions& conditions,
                 std::span<const std::uint32_t> calls,
                 std::span<const Stay> stays,
                 std::size_t call_count) {
  const ByCall needed(conditions.needed, call_count);
  const ByCall brought(conditions.brought, call_count);
  std::vector<Found> needing;
  std::vector<Found> bringing;
  std::vector<Found> perhaps;
  std::vector<std::uint32_t> equals(call_count, 0);
  // Operations come in order of their invocations.
  for (std::uint32_t i = 0; i < stays.size(); ++i) {
    Stay stay = stays[i];
    const bool returns = stay.end != kNever;
    if (!returns) stay.rank = equals[calls[i]]++;
    for (const Conditions::Pair& pair : brought.of(calls[i])) {
      (returns ? bringing : perhaps).push_back({pair.condition, stay});
    }
    if (!returns) continue;
    for (const Conditions::Pair& pair : needed.of(calls[i])) {
      needing.push_back({pair.condition, stay});
    }
  }
  std::ranges::sort(needing, {}, [](const Found& found) { return found.stay.end; });
  needing_ = lists_of(needing, conditions.count);
  bringing_ = lists_of(bringing, conditions.count);
  perhaps_ = lists_of(perhaps, conditions.count);
  for (Condition condition = 0; condition < conditions.count && !bringing.empty(); ++condition) {
    std::uint32_t furthest = 0;
    for (std::size_t i = bringing_.begins[condition]; i < bringing_.begins[condition + 1]; ++i) {
      furthest = std::max(furthest, bringing_.entries[i].end);
      bringing_.entries[i].rank = furthest;
    }
  }
}

Outlook::Lists Outlook::lists_of(std::span<const Found> found, std::size_t conditions) {
  Lists lists;
  if (found.empty()) return lists;
  lists.begins.resize(conditions + 1, 0);
  for (const Found& each : found) ++lists.begins[each.condition + 1];
  std::partial_sum(lists.begins.begin(), lists.begins.end(), lists.begins.begin());
  std::vector<std::uint32_t> next(lists.begins.begin(), lists.begins.end() - 1);
  lists.entries.resize(found.size());
  for (const Found& each : found) lists.entries[next[each.condition]++] = each.stay;
  return lists;
}

}  // namespace sunder::checkers
