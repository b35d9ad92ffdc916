#include "checkers/read_sources.hpp"

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
}

ReadSources::Sources ReadSources::of(const Operation& read) const {
  Sources sources;
  const auto found = by_value_.find(read.output);
  if (found == by_value_.end()) return sources;
  for (const std::uint32_t i : found->second) {
    const bool begun = !read.precedes(history_->operations()[i]);
    (begun ? sources.begun : sources.later).push_back(i);
  }
  return sources;
}

}  // namespace sunder::checkers
