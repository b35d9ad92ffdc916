// Core: the Raft protocol as a pure function of its inputs: `Effects step(Input)`.
//
// After Ongaro's dissertation: elections with pre-vote (§9.6), check-quorum and sticky leaders
// (§4.2.3), replication in bounded batches and a bounded pipeline (§10.2), the commit rule of
// §3.6.2 with a no-op at the start of a term, ReadIndex reads (§6.4), snapshots (§5), leadership
// transfer (§3.10). No clock, files or sockets: time is the number of Tick inputs, randomness the
// seed given at construction; the same inputs give the same effects.
//
// How a shell runs it. For every Effects, in the order they were returned:
//   1. send messages with after_persist == false: the leader writes while its followers do;
//   2. if has_writes(): write hard_state, snapshot, truncate_from and entries as one atomic batch
//   and
//      sync; several Effects may share one sync;
//   3. once everything up to `sequence` is synced, in this batch or an earlier one: send the other
//      messages;
//   4. if install_snapshot: the state machine loads *snapshot; then apply `apply` in order (events:
//      applied_events());
//   5. answer `reads` from the state machine, report `rejections`, emit `events` (the core holds
//   them
//      back until what they tell of is on disk: the observer relies on it);
//   6. if has_writes(): give Persisted{sequence} to step().
// Entries come to `apply` only when they are on this node's disk, so the state machine never is
// ahead of the log.
//
// Threading: one owner. Errors: none; a broken invariant is an assertion (not so under a sabotage,
// which breaks them).

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/random.hpp"
#include "nodes/raft/event.hpp"
#include "nodes/raft/log.hpp"
#include "nodes/raft/message.hpp"

namespace sunder::nodes::raft {

// Deliberate bugs, one at a time, off by default. What each breaks is said where it is: grep for
// its name.
enum class Sabotage : std::uint8_t {
  none,
  ack_before_quorum,  // the leader takes its own durable append for a commit
  ack_before_append,  // the leader commits and answers first; log and followers get the entry at
                      // the next heartbeat
  stale_read,   // reads without a confirmation round, and no check-quorum: a deposed leader answers
                // old values
  vote_twice,   // term and vote are kept in memory only
  ignore_term,  // a follower accepts AppendEntries of older terms
  commit_old_term,      // counts replicas of entries of older terms (dissertation, figure 3.7), no
                        // no-op
  lease_by_wall_clock,  // reads and check-quorum go by time stamps of the realtime clock
                        // (lease.cpp)
  wait_for_all,         // the leader commits only what every voter has: one that is away stops all
  skip_config_commit,   // the leader begins the next change of members before the last is committed
};

// "ack-before-quorum" ↔ Sabotage::ack_before_quorum; nothing for a name that is not one of the
// core's.
[[nodiscard]] std::optional<Sabotage> sabotage_named(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(Sabotage sabotage) noexcept;

struct Options {
  NodeId id = kNobody;
  // Before the first entry that holds one. The same on all nodes; may be empty on one that is to
  // join.
  Configuration configuration;
  std::uint64_t seed = 0;        // of the election time-outs; the id is mixed in
  unsigned election_ticks = 10;  // a time-out is drawn from [election_ticks, 2 × election_ticks)
  unsigned heartbeat_ticks = 2;  // below election_ticks
  std::size_t message_entries_max = 256;
  std::size_t message_bytes_max = std::size_t{1} << 20;  // of entries' data; one entry always fits
  std::size_t inflight_max = 32;           // append messages under way to one follower
  std::size_t uncommitted_max = 10'000;    // proposals beyond are rejected as `overloaded`
  std::size_t pending_reads_max = 10'000;  // reads beyond are rejected as `overloaded`
  Sabotage sabotage = Sabotage::none;
};

// What was on disk. A new node has the defaults.
struct Recovered {
  HardState hard_state;
  Snapshot snapshot;
  std::vector<Entry> entries;  // from snapshot.index + 1, without gaps; hashes are computed anew
  Index applied = 0;  // what the durable state machine holds already; snapshot.index if it keeps
                      // nothing of its own
};

// `wall` is what the node's realtime clock shows, in nanoseconds. Raft itself needs no such clock.
struct Tick {
  std::int64_t wall = 0;
};

struct Receive {
  Message message;
  std::int64_t wall = 0;
};

// The caller's ids are its own; the core only returns them.
struct Propose {
  std::uint64_t id = 0;
  std::string data;
};

struct Read {
  std::uint64_t id = 0;
  std::int64_t wall = 0;
};

// Everything up to this Effects::sequence is on disk.
struct Persisted {
  std::uint64_t sequence = 0;
};

// The state machine's state as of applied entry `index`; the core asks for it to be persisted and
// shortens the log. Ignored unless snapshot.index < index <= applied.
struct SnapshotTaken {
  Index index = 0;
  std::string data;
};

// Ignored by a node that is not the leader. kNobody: the most up-to-date follower.
struct TransferLeadership {
  NodeId target = kNobody;
};

// Adds or removes one voter (chapter 4's single-server change). A new one is first brought up to
// date without a vote. Answered like a proposal, once the new configuration is committed.
struct ChangeMember {
  std::uint64_t id = 0;
  NodeId node = kNobody;
  bool add = true;
};

using Input = std::variant<Tick,
                           Receive,
                           Propose,
                           Read,
                           Persisted,
                           SnapshotTaken,
                           TransferLeadership,
                           ChangeMember>;

struct OutgoingMessage {
  Message message;
  bool after_persist = false;
};

struct Committed {
  Entry entry;
  std::optional<std::uint64_t>
      proposal;  // set where this node proposed it and still waits: answer it
};

// Answer it after applying this Effects' entries: the state machine is then at `index` or later.
struct ReadReady {
  std::uint64_t id = 0;
  Index index = 0;
};

enum class RejectionReason : std::uint8_t {
  not_leader,
  leadership_lost,
  transferring,
  overloaded,
  // Of a ChangeMember.
  change_under_way,  // the last change is not committed yet, or the leader's term has just begun
  no_change,         // it is a voter already, or is none
  last_voter,        // nobody would be left
  too_slow,          // the new node could not be brought up to date
};

// "not-leader", "leadership-lost", …
[[nodiscard]] std::string_view name_of(RejectionReason reason) noexcept;

struct Rejection {
  std::uint64_t id = 0;
  RejectionReason reason = RejectionReason::not_leader;
  bool read = false;        // of a Read, not of a Propose
  bool definite = false;    // it has not happened and never will; a read is always definite
  NodeId leader = kNobody;  // who to ask instead, if known
};

struct Effects {
  std::uint64_t sequence = 0;  // of the latest writes asked for, in this Effects or before
  std::optional<HardState> hard_state;
  std::optional<Snapshot> snapshot;  // store it and drop log entries up to its index
  bool install_snapshot =
      false;  // it came from the leader: drop the whole log, load it into the state machine
  std::optional<Index> truncate_from;  // before `entries`: drop log entries from here on
  std::vector<Entry> entries;          // append (or overwrite)
  std::vector<OutgoingMessage> messages;
  std::vector<Committed> apply;
  std::vector<ReadReady> reads;
  std::vector<Rejection> rejections;
  std::vector<Event> events;

  [[nodiscard]] bool has_writes() const noexcept {
    return hard_state.has_value() || snapshot.has_value() || truncate_from.has_value() ||
           !entries.empty();
  }
};

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

[[nodiscard]] std::string_view name_of(Role role) noexcept;

class Core {
 public:
  // Precondition: recovered.entries are contiguous.
  Core(Options options, const Recovered& recovered);

  // Once, before the first step: the `recovered` event.
  [[nodiscard]] Effects start();
  [[nodiscard]] Effects step(Input input);
  // Several inputs at once, in order, as one step: proposals share a message and a disk write,
  // reads share a round.
  [[nodiscard]] Effects step_all(std::vector<Input> inputs);

  [[nodiscard]] NodeId id() const noexcept { return options_.id; }

  [[nodiscard]] Role role() const noexcept { return role_; }

  [[nodiscard]] Term term() const noexcept { return hard_state_.term; }

  [[nodiscard]] NodeId voted_for() const noexcept { return hard_state_.voted_for; }

  // Who leads the current term, as far as this node knows.
  [[nodiscard]] NodeId leader() const noexcept { return leader_; }

  [[nodiscard]] Index commit_index() const noexcept { return commit_; }

  [[nodiscard]] Index applied_index() const noexcept { return applied_; }

  [[nodiscard]] Index durable_index() const noexcept { return durable_; }

  [[nodiscard]] const Log& log() const noexcept { return log_; }

  [[nodiscard]] const Snapshot& snapshot() const noexcept { return snapshot_; }

  // The latest in the log, committed or not: the one in force (§4.1).
  [[nodiscard]] const Configuration& configuration() const noexcept {
    return configurations_.rbegin()->second;
  }

  [[nodiscard]] Index configuration_index() const noexcept {
    return configurations_.rbegin()->first;
  }

  // A leader: the latest change is not committed, or a node is being brought up to date.
  [[nodiscard]] bool is_changing_members() const noexcept {
    return catch_up_.has_value() || configuration_index() > commit_;
  }

  [[nodiscard]] bool is_voter() const noexcept { return configuration().contains(options_.id); }

  // A leader's view of a follower, for INFO: the last index known to be there.
  [[nodiscard]] Index match_of(NodeId peer) const;

 private:
  // Probing: one append at a time until one matches. Pipelining: many under way. Snapshotting: one
  // under way.
  enum class Flow : std::uint8_t { probing, pipelining, snapshotting };

  // What a leader knows of one follower.
  struct Peer {
    Index match = 0;
    Index next = 1;
    Flow flow = Flow::probing;
    bool probe_sent = false;      // probing: an append waits for its answer
    bool active = false;          // heard from since the last check-quorum
    unsigned snapshot_ticks = 0;  // snapshotting: since it was sent
    std::uint64_t round = 0;      // the latest confirmation round it answered
    std::int64_t stamp = 0;       // the latest time stamp that it returned
    std::deque<Index> inflight;   // pipelining: last index of each append under way
    bool leaving = false;  // was removed: is told of the removal's commit, and then nothing more
    unsigned leaving_ticks = 0;
  };

  // A node that is brought up to date before it may vote (§4.2.1), in rounds: each ends when it has
  // what the log had at the round's beginning.
  struct CatchUp {
    std::uint64_t id = 0;  // of the ChangeMember
    NodeId node = kNobody;
    Index target = 0;
    unsigned round_ticks = 0;
    unsigned ticks = 0;
    bool done = false;  // up to date once: the change waits for its turn only
  };

  struct PendingRead {
    std::uint64_t id = 0;
    std::uint64_t round = 0;     // confirmed when a quorum answered this round or a later one
    std::optional<Index> index;  // not known before an entry of this term is committed
    std::int64_t wall = 0;       // when it came, by the realtime clock
  };

  struct Write {
    std::uint64_t sequence = 0;
    Index last = 0;  // durable once it is synced
  };

  struct HeldEvents {
    std::uint64_t sequence = 0;
    std::vector<Event> events;
  };

  // Dispatch (core.cpp).
  void handle(Tick input);
  void handle(Receive input);
  void handle(Propose input);
  void handle(Read input);
  void handle(Persisted input);
  void handle(SnapshotTaken input);
  void handle(TransferLeadership input);
  void handle(ChangeMember input);
  void receive(NodeId from, Term term, VoteRequest& request);
  void receive(NodeId from, Term term, VoteReply& reply);
  void receive(NodeId from, Term term, AppendRequest& request);
  void receive(NodeId from, Term term, AppendReply& reply);
  void receive(NodeId from, Term term, SnapshotRequest& request);
  void receive(NodeId from, Term term, TimeoutNow& request);
  void reply_to_older_term(const Message& message);
  void dispatch(Input& input);
  [[nodiscard]] Effects finish();
  [[nodiscard]] Index released() const noexcept;
  void hand_over_writes();
  void release_applies();
  void release_events();
  void send(NodeId to, Body body, bool after_persist);

  // Elections (election.cpp).
  [[nodiscard]] bool leader_is_recent() const noexcept;
  [[nodiscard]] bool is_up_to_date(const VoteRequest& request) const noexcept;
  [[nodiscard]] bool accepts_term(const Message& message) const noexcept;
  void draw_timeout();
  void pre_campaign();
  void campaign(bool transfer);
  void request_votes(VoteRequest request);
  void become_follower(Term term, NodeId leader);
  void become_leader();
  void tick_follower();
  void tick_leader();
  [[nodiscard]] bool has_active_quorum();

  // Replication (replication.cpp).
  void append_own(Entry entry);
  void append_received(std::vector<Entry>& entries);
  void truncate_from(Index from);
  void advance_commit();
  void commit_to(Index index);
  void replicate();
  void replicate_to(NodeId id, Peer& peer);
  void heartbeat();
  void heartbeat_to(NodeId id, Peer& peer);
  void send_snapshot(NodeId id, Peer& peer);
  void reject_append(NodeId from, const AppendRequest& request);
  void matched(NodeId id, Peer& peer, Index match);
  void back_off(Peer& peer, const AppendReply& reply);
  void install(const Snapshot& snapshot);
  void continue_transfer();
  [[nodiscard]] NodeId best_follower() const;

  // Reads (reads.cpp).
  [[nodiscard]] bool has_committed_own_term() const noexcept;
  void start_round();
  void confirm_reads();
  void release_reads();

  // Leases (lease.cpp).
  [[nodiscard]] bool goes_by_wall_clock() const noexcept {
    return options_.sabotage == Sabotage::lease_by_wall_clock;
  }

  [[nodiscard]] std::int64_t leased_until() const;
  [[nodiscard]] bool has_leased_quorum();
  void release_leased_reads();

  [[nodiscard]] std::size_t quorum() const noexcept;

  // Members (configuration.cpp).
  [[nodiscard]] bool may_campaign() const noexcept;
  [[nodiscard]] bool may_change_members() const noexcept;
  [[nodiscard]] bool remember(const Entry& entry);
  void adopt(const Entry& entry, bool own);
  void forget_configurations_from(Index from);
  void tell_configuration(Index previous, bool own);
  void follow_configuration();
  void append_configuration(std::uint64_t id, NodeId node, bool add);
  void tick_catch_up();
  void continue_catch_up(const Peer& peer);
  void reject_change(std::uint64_t id, RejectionReason reason);
  void configurations_committed(Index before);
  void say_farewell();
  void step_down();

  [[nodiscard]] bool sabotaged() const noexcept { return options_.sabotage != Sabotage::none; }

  void tell(Event event);
  void tell_batch(std::string_view name, Index first, Index last);
  void reject_pending();

  Options options_;
  base::Random random_;
  HardState hard_state_;
  Snapshot snapshot_;
  Log log_;
  // By the index of the entry that holds it; the first is the one at the snapshot, or at 0.
  std::map<Index, Configuration> configurations_;
  Role role_ = Role::follower;
  NodeId leader_ = kNobody;
  Index commit_ = 0;
  Index applied_ = 0;  // handed to the state machine
  bool started_ = false;

  // Durability.
  HardState written_;      // the hard state last asked to be persisted
  Index handed_over_ = 0;  // entries up to here were asked to be persisted
  Index durable_ = 0;      // entries up to here are on disk
  std::uint64_t sequence_ = 0;
  std::uint64_t persisted_ = 0;         // the highest sequence given by Persisted
  std::deque<HeldEvents> held_events_;  // told once what they tell of is on disk
  std::deque<Write> writes_;            // asked for, not yet Persisted
  Index released_ = 0;  // ack_before_append only: what the leader lets out to disk and followers

  // Elections.
  unsigned elapsed_ =
      0;  // follower: ticks since the leader was heard; leader: since the last check-quorum
  unsigned timeout_ = 0;
  std::set<NodeId> votes_;

  // Leader.
  std::map<NodeId, Peer> peers_;
  unsigned heartbeat_elapsed_ = 0;
  Index term_start_ = 0;  // index of this term's first entry
  std::map<Index, std::uint64_t> proposals_;
  std::optional<CatchUp> catch_up_;
  NodeId transfer_target_ = kNobody;
  unsigned transfer_elapsed_ = 0;
  std::uint64_t round_ = 0;            // the latest round begun
  std::uint64_t confirmed_round_ = 0;  // the latest that a quorum answered
  std::deque<PendingRead> reads_;
  std::int64_t wall_ = 0;           // the realtime clock as of the last input that told
  std::int64_t wall_at_check_ = 0;  // as of the last check-quorum

  Effects effects_;  // what the current step has gathered
};

}  // namespace sunder::nodes::raft
