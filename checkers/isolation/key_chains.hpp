// KeyChains: for each key the chains of transactions (LiveClocks) that wrote it so far, each with
// its latest writer, and the writers that are on no chain.
//
// From any writer the way back to an earlier one takes O(log n) steps (Myers, "An applicative
// random-access stack", IPL 17(5), 1983).
//
// Threading: one owner.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "checkers/isolation/live_clocks.hpp"
#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

class KeyChains {
 public:
  using Count = LiveClocks::Count;

  explicit KeyChains(const Transactions& data) : parts_(data.key_count()), lone_(data.key_count()) {
    writes_.reserve(data.write_key.size());
  }

  // Takes a write of one whom somebody follows.
  void add(std::uint32_t key, std::uint32_t writer, const LiveClocks& clocks) {
    if (clocks.is_lone(writer)) {
      lone_[key].push_back(writer);
    } else {
      add(key, clocks.chain(writer), clocks.place(writer), writer);
    }
  }

  // The latest writer of the key in each chain that a reader had seen, and all that are on no
  // chain, unless that is the one it read from (kNone: nobody), or known to that.
  template <typename Action>
  void for_each_latest(std::uint32_t key,
                       const LiveClocks& clocks,
                       std::uint32_t reader,
                       std::uint32_t writer,
                       const Action& action) const {
    const Count* const known = writer == kNone ? nullptr : clocks.of(writer);
    for_each_latest(key, clocks.of(reader), known, writer, action);
    for (const std::uint32_t other : lone_[key]) {
      if (other == writer || !clocks.precedes(other, reader)) continue;
      if (writer == kNone || !clocks.precedes(other, writer)) action(other);
    }
  }

 private:
  struct Part {
    std::uint32_t chain = 0;
    Count place = 0;               // of the latest write, in its chain
    std::uint32_t writer = 0;      // whose it is
    Count earlier = 0;             // behind the place of the one before it, 0 when there is none
    std::uint32_t latest = kNone;  // and its index in writes_
  };

  struct Write {
    std::uint32_t writer = 0;
    Count place = 0;               // in its chain
    std::uint32_t before = kNone;  // the same chain's write of the key before this one
    std::uint32_t jump = kNone;    // one far before
    std::uint32_t depth = 0;       // how many there are before
  };

  void add(std::uint32_t key, std::uint32_t chain, Count place, std::uint32_t writer) {
    std::vector<Part>& parts = parts_[key];
    auto part = std::ranges::find(parts, chain, &Part::chain);
    if (part == parts.end()) part = parts.insert(parts.end(), {.chain = chain});
    const auto number = static_cast<std::uint32_t>(writes_.size());
    Write write{.writer = writer, .place = place, .before = part->latest};
    if (write.before != kNone) {
      const Write& before = writes_[write.before];
      write.depth = before.depth + 1;
      write.jump = write.before;
      if (before.jump != kNone && writes_[before.jump].jump != kNone &&
          before.depth - writes_[before.jump].depth ==
              writes_[before.jump].depth - writes_[writes_[before.jump].jump].depth) {
        write.jump = writes_[before.jump].jump;
      }
    }
    writes_.push_back(write);
    part->earlier = static_cast<Count>(part->latest == kNone ? 0 : part->place + 1);
    part->latest = number;
    part->place = place;
    part->writer = writer;
  }

  // `known`: the clock of `writer`, null: nothing is known.
  template <typename Action>
  void for_each_latest(std::uint32_t key,
                       const Count* clock,
                       const Count* known,
                       std::uint32_t writer,
                       const Action& action) const {
    for (const Part& part : parts_[key]) {
      const Count least = known == nullptr ? Count{0} : known[part.chain];
      if (part.place < least || part.writer == writer) continue;
      const Count seen = clock[part.chain];
      if (seen <= least) continue;
      if (part.place < seen) {
        action(part.writer);
        continue;
      }
      if (part.earlier <= least) continue;
      std::uint32_t at = part.latest;
      while (at != kNone && writes_[at].place >= seen) {
        const std::uint32_t jump = writes_[at].jump;
        at = jump != kNone && writes_[jump].place >= seen ? jump : writes_[at].before;
      }
      if (at != kNone && writes_[at].place >= least) action(writes_[at].writer);
    }
  }

  std::vector<std::vector<Part>> parts_;          // by key
  std::vector<std::vector<std::uint32_t>> lone_;  // by key: writers
  std::vector<Write> writes_;
};

}  // namespace sunder::checkers::isolation
