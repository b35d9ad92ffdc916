// The log in memory: a base position and the entries after it.

#include "nodes/raft/log.hpp"

#include <utility>

#include "harness/base/assert.hpp"

namespace sunder::nodes::raft {

Term Log::last_term() const noexcept {
  return last().term;
}

Position Log::last() const noexcept {
  if (entries_.empty()) return base_;
  const Entry& entry = entries_.back();
  return {.index = entry.index, .term = entry.term, .hash = entry.hash};
}

const Entry& Log::at(Index index) const {
  SUNDER_ASSERT(index > base_.index);
  SUNDER_ASSERT(index <= last_index());
  return entries_[index - base_.index - 1];
}

std::optional<Term> Log::term_at(Index index) const noexcept {
  const auto position = position_at(index);
  if (!position) return std::nullopt;
  return position->term;
}

std::optional<Position> Log::position_at(Index index) const noexcept {
  if (index == base_.index) return base_;
  if (index < base_.index || index > last_index()) return std::nullopt;
  const Entry& entry = entries_[index - base_.index - 1];
  return Position{.index = entry.index, .term = entry.term, .hash = entry.hash};
}

Index Log::first_of_term_at(Index index) const {
  const Term term = at(index).term;
  while (index > base_.index + 1 && at(index - 1).term == term) --index;
  return index;
}

Index Log::last_at_or_below_term(Term term, Index limit) const {
  Index index = limit < last_index() ? limit : last_index();
  while (index > base_.index && at(index).term > term) --index;
  return index < base_.index ? base_.index : index;
}

std::vector<Entry> Log::slice(Index from, Index through, Limits limits) const {
  SUNDER_ASSERT(from > base_.index);
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  for (Index index = from; index <= through && index <= last_index(); ++index) {
    const Entry& entry = at(index);
    bytes += entry.data.size();
    if (!entries.empty() && (entries.size() >= limits.entries || bytes > limits.bytes)) break;
    entries.push_back(entry);
  }
  return entries;
}

void Log::append(Entry entry) {
  SUNDER_ASSERT(entry.index == last_index() + 1);
  SUNDER_ASSERT(entry.kind != EntryKind::noop || entry.data.empty());
  entry.hash = chain_hash(last().hash, entry);
  entries_.push_back(std::move(entry));
}

void Log::truncate_from(Index from) {
  SUNDER_ASSERT(from > base_.index);
  while (last_index() >= from) entries_.pop_back();
}

void Log::compact_to(Position position) {
  SUNDER_ASSERT(position.index >= base_.index);
  SUNDER_ASSERT(position.index <= last_index());
  while (!entries_.empty() && entries_.front().index <= position.index) entries_.pop_front();
  base_ = position;
}

void Log::reset(Position position) {
  entries_.clear();
  base_ = position;
}

}  // namespace sunder::nodes::raft
