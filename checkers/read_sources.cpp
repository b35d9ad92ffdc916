#include "checkers/read_sources.hpp"

#include <algorithm>

namespace sunder::checkers {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

ReadSources::ReadSources(const History& history, const KeyOperations& key) : history_(&history) {
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    const bool known = operation.outcome == Outcome::ok && !operation.output.is_none();
    if (operation.function == Function::read && known) reads_.push_back(i);
    if (operation.function != Function::write || operation.outcome == Outcome::fail) continue;
    writes_.push_back(i);
    by_value_[operation.input].push_back(i);
  }
  const auto begin = [&](std::uint32_t i) { return history.operations()[i].invoke; };
  for (auto& [value, writes] : by_value_) {
    if (!std::ranges::is_sorted(writes, {}, begin)) std::ranges::stable_sort(writes, {}, begin);
  }
}

ReadSources::Sources ReadSources::of(const Operation& read) const {
  const auto found = by_value_.find(read.output);
  if (found == by_value_.end()) return {};
  const std::span<const std::uint32_t> writes = found->second;
  const auto later = std::ranges::partition_point(
      writes, [&](std::uint32_t i) { return !read.precedes(history_->operations()[i]); });
  const auto begun = static_cast<std::size_t>(later - writes.begin());
  return {.begun = writes.first(begun), .later = writes.subspan(begun)};
}

}  // namespace sunder::checkers
