// What a Raft node tells about itself on file descriptor 3: elections, appends, commits, applies,
// snapshots.
//
// One event a batch, not one an entry; but a batch is cut at every index divisible by
// kCheckpointInterval, so that all nodes tell the chain hash at the same places however their
// batches fall. The observer (checkers/replicated_log.hpp) reads them. Names and fields:
//
//   recovered           term, vote, first, last, last_term, commit, hash   first event of every
//                       incarnation
//   became-follower     term, leader (0: not known)
//   became-candidate    term
//   became-leader       term, last, last_term, hash     its log before the term's first entry
//   vote-granted        term, for
//   appended            first, last, term, hash         term and chain hash of the entry at `last`
//   truncated           from                            entries from … on are gone
//   committed           index, term, hash, at           `at`: the node's own term as it learned it
//                       through                         only when cut: where the batch ends
//   applied             index, term, hash
//   configuration-changed                               index, previous, commit, own, voters
//                       another configuration is in force: the entry at `index` (0: none), after
//                       the one at `previous`, while the node knew `commit` as committed; own: 1
//                       where it wrote the entry itself, as leader
//   configuration-committed                             index, at, voters
//                    `voters` is a text, "n1,n2,n5"; `recovered` has it, too
//   snapshot-started    index                           told by the shell, before it copies its
//                       state
//   snapshot-taken, snapshot-installed                  index, term, hash

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nodes/raft/message.hpp"

namespace sunder::nodes::raft {

constexpr Index kCheckpointInterval = 64;

struct Event {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::uint64_t>> numbers;
  std::optional<std::uint64_t> hash;  // in JSON: "hash":"<16 hexadecimal digits>" (hash_text)
  std::optional<std::string> voters = {};
};

// 64 bits do not fit a JSON number that everybody reads the same.
[[nodiscard]] std::string hash_text(std::uint64_t hash);

// "applied" events for a batch that the shell has just applied: entries are in order and without
// gaps.
[[nodiscard]] std::vector<Event> applied_events(std::span<const Entry> entries);

// One line for traces: "appended first=2 last=4 term=1".
[[nodiscard]] std::string describe(const Event& event);

}  // namespace sunder::nodes::raft
