// Log: a node's entries in memory, from just after its snapshot to the last, with their chain
// hashes.
//
// The log begins where the snapshot ends: base() is the snapshot's position. Positions below it are
// unknown.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "nodes/raft/message.hpp"

namespace sunder::nodes::raft {

struct Position {
  Index index = 0;
  Term term = 0;
  std::uint64_t hash = 0;
};

class Log {
 public:
  explicit Log(Position base) noexcept : base_(base) {}

  // Where the log begins: the last index that is not in it any more.
  [[nodiscard]] const Position& base() const noexcept { return base_; }

  [[nodiscard]] Index last_index() const noexcept { return base_.index + entries_.size(); }

  [[nodiscard]] Term last_term() const noexcept;
  [[nodiscard]] Position last() const noexcept;
  // Precondition: base < index <= last.
  [[nodiscard]] const Entry& at(Index index) const;
  // Nothing for an index below the base or after the last.
  [[nodiscard]] std::optional<Term> term_at(Index index) const noexcept;
  [[nodiscard]] std::optional<Position> position_at(Index index) const noexcept;
  // The first index, above the base, whose entry has the term of the entry at `index`.
  [[nodiscard]] Index first_of_term_at(Index index) const;
  // The last index with this term or an older one, at or below `limit`; the base's index if none in
  // the log has.
  [[nodiscard]] Index last_at_or_below_term(Term term, Index limit) const;

  // Entries from … through, cut at the limits but at least one when there is one. Precondition:
  // from > base.
  struct Limits {
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::vector<Entry> slice(Index from, Index through, Limits limits) const;

  // Appends with the next index (asserted) and fills in the chain hash.
  void append(Entry entry);
  // Forgets entries from `from` on. Precondition: from > base.
  void truncate_from(Index from);
  // Forgets entries up to `position`, which the log holds.
  void compact_to(Position position);
  // Forgets everything; the log begins after `position`.
  void reset(Position position);

 private:
  Position base_;
  std::deque<Entry> entries_;
};

}  // namespace sunder::nodes::raft
