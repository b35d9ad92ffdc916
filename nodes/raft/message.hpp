// What Raft nodes keep and tell each other: entries, hard state, snapshots and messages, as plain
// structs.
//
// The shell encodes them for the wire and the disk; nothing here knows how. Every message carries
// its sender's current term, pre-votes included (their candidate asks about term + 1 without having
// taken it, dissertation §9.6).

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sunder::nodes::raft {

using NodeId = std::uint32_t;  // 1 … N; kNobody is none
using Term = std::uint64_t;    // 0: before the first election
using Index = std::uint64_t;   // 1 is the first entry; 0 is before it

constexpr NodeId kNobody = 0;

// Who votes. A change of members is an entry that holds the new one (dissertation, chapter 4).
struct Configuration {
  std::vector<NodeId> voters;  // sorted, unique; empty: not known yet, as of a node that is to join

  [[nodiscard]] bool contains(NodeId id) const noexcept;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// "n1,n2,n5" and back; nothing for a text that is not of that form.
[[nodiscard]] std::string to_text(const Configuration& configuration);
[[nodiscard]] std::optional<Configuration> parse_configuration(std::string_view text);

enum class EntryKind : std::uint8_t { noop, command, configuration };

struct Entry {
  Term term = 0;
  Index index = 0;
  EntryKind kind = EntryKind::command;
  std::string data = {};  // opaque; empty for a no-op; to_text(Configuration) for a configuration
  // Chain hash over every entry up to and including this one. Each node computes its own from what
  // its log holds: equal (index, term) on two nodes must mean equal hash. Neither sent nor stored:
  // the core fills it in wherever an entry enters (a message, recovery).
  std::uint64_t hash = 0;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// The chain hash after `entry`, given the one before it (0 before the first entry).
[[nodiscard]] std::uint64_t chain_hash(std::uint64_t previous, const Entry& entry) noexcept;

// What must be on disk before a vote or an acknowledgement leaves the node.
struct HardState {
  Term term = 0;
  NodeId voted_for = kNobody;

  friend bool operator==(const HardState&, const HardState&) = default;
};

// The state machine's state after the entry at (index, term), whose chain hash is `hash`, and the
// configuration in force there.
struct Snapshot {
  Index index = 0;  // 0: there is none
  Term term = 0;
  std::uint64_t hash = 0;
  std::shared_ptr<const std::string>
      data;  // never null when index > 0; shared with messages that carry it
  Configuration configuration = {};
};

struct VoteRequest {
  bool pre = false;       // a question about term + 1: nobody votes
  bool transfer = false;  // the leader asked for it: stickiness does not hold it up
  Index last_index = 0;
  Term last_term = 0;
};

struct VoteReply {
  bool pre = false;
  bool granted = false;
};

// Entries, and with none of them the heartbeat. previous_index 0 matches every log.
struct AppendRequest {
  Index previous_index = 0;
  Term previous_term = 0;
  Index commit = 0;
  std::uint64_t round = 0;  // the leader's confirmation round; the reply returns it (§6.4)
  std::int64_t stamp = 0;   // the leader's realtime clock; the reply returns it (lease.cpp)
  std::vector<Entry> entries = {};
};

// Answers AppendRequest and SnapshotRequest.
struct AppendReply {
  bool success = false;
  Index match = 0;     // success: the follower's log equals the leader's up to here, durably
  Index rejected = 0;  // failure: the previous_index that did not match
  Index conflict_index =
      0;  // failure: the follower's first entry of conflict_term, or its last index + 1
  Term conflict_term = 0;  // failure: the term of its entry at previous_index; 0: it has none
  std::uint64_t round = 0;
  std::int64_t stamp = 0;
};

// The whole snapshot in one message: the state of a run is a few hundred kilobytes. The shell
// refuses to send more than its frame limit.
struct SnapshotRequest {
  Snapshot snapshot;
  std::uint64_t round = 0;
};

// Leadership transfer (§3.10): campaign at once.
struct TimeoutNow {};

using Body =
    std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply, SnapshotRequest, TimeoutNow>;

struct Message {
  NodeId from = kNobody;
  NodeId to = kNobody;
  Term term = 0;
  Body body;
};

// One line for traces: "1->2 append t2 prev=3/1 entries=4..5 commit=3".
[[nodiscard]] std::string describe(const Message& message);
[[nodiscard]] std::string_view name_of(EntryKind kind) noexcept;

}  // namespace sunder::nodes::raft
