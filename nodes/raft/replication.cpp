// Replication: appends, heartbeats, acknowledgements, back-off, snapshots to followers, commits,
// transfer.

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"
#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {

void Core::append_own(Entry entry) {
  entry.term = hard_state_.term;
  entry.index = log_.last_index() + 1;
  log_.append(std::move(entry));
  tell_batch("appended", log_.last_index(), log_.last_index());
  adopt(log_.at(log_.last_index()), true);
  if (options_.sabotage == Sabotage::ack_before_append) commit_to(log_.last_index());
}

// Appends what is new, after forgetting what contradicts it.
void Core::append_received(std::vector<Entry>& entries) {
  Index first = 0;
  for (Entry& entry : entries) {
    if (entry.index <= log_.base().index) continue;  // in the snapshot already
    if (const auto term = log_.term_at(entry.index)) {
      if (*term == entry.term) continue;
      truncate_from(entry.index);
    }
    if (first == 0) first = entry.index;
    log_.append(std::move(entry));
  }
  if (first == 0) return;
  tell_batch("appended", first, log_.last_index());
  for (Index index = first; index <= log_.last_index(); ++index) adopt(log_.at(index), false);
}

void Core::truncate_from(Index from) {
  SUNDER_ASSERT(from > commit_ || sabotaged());
  SUNDER_ASSERT(role_ != Role::leader);
  tell({.name = "truncated", .numbers = {{"from", from}}, .hash = {}});
  log_.truncate_from(from);
  forget_configurations_from(from);
  commit_ = std::min(commit_, from - 1);
  durable_ = std::min(durable_, from - 1);
  for (Write& write : writes_) write.last = std::min(write.last, from - 1);
  if (from > handed_over_) return;
  handed_over_ = from - 1;
  effects_.truncate_from = std::min(from, effects_.truncate_from.value_or(from));
}

// §3.6.2: an entry of this term that a quorum has on disk is committed, and all before it with it.
void Core::advance_commit() {
  std::vector<Index> matches;
  if (is_voter()) matches.push_back(durable_);
  for (const auto& [id, peer] : peers_) {
    if (configuration().contains(id)) matches.push_back(peer.match);
  }
  std::sort(matches.begin(), matches.end(), std::greater<>());
  Index index = matches[quorum() - 1];
  if (options_.sabotage == Sabotage::ack_before_quorum) index = durable_;
  if (options_.sabotage == Sabotage::wait_for_all) index = matches.back();
  if (index <= commit_) return;
  const bool own_term = log_.term_at(index) == hard_state_.term;
  if (own_term || options_.sabotage == Sabotage::commit_old_term) commit_to(index);
}

void Core::commit_to(Index index) {
  if (index <= commit_) return;
  SUNDER_ASSERT(index <= log_.last_index());
  tell_batch("committed", commit_ + 1, index);
  configurations_committed(std::exchange(commit_, index));
}

void Core::replicate() {
  for (auto& [id, peer] : peers_) replicate_to(id, peer);
}

// Sends what the flow allows: one probe, or new entries until the pipeline is full.
void Core::replicate_to(NodeId id, Peer& peer) {
  const Index limit = released();
  for (;;) {
    if (peer.flow == Flow::snapshotting) return;
    if (peer.flow == Flow::probing && peer.probe_sent) return;
    if (peer.flow == Flow::pipelining &&
        (peer.next > limit || peer.inflight.size() >= options_.inflight_max)) {
      return;
    }
    const Index previous = peer.next - 1;
    const auto previous_term = log_.term_at(previous);
    if (!previous_term) return send_snapshot(id, peer);
    AppendRequest request{.previous_index = previous,
                          .previous_term = *previous_term,
                          .commit = commit_,
                          .round = round_,
                          .stamp = wall_,
                          .entries = log_.slice(peer.next,
                                                limit,
                                                {.entries = options_.message_entries_max,
                                                 .bytes = options_.message_bytes_max})};
    const Index last = previous + request.entries.size();
    send(id, std::move(request), false);
    if (peer.flow == Flow::probing) {
      peer.probe_sent = true;
      return;
    }
    peer.next = last + 1;
    peer.inflight.push_back(last);
  }
}

// A round of messages that confirms the leadership; a probe that was lost is repeated at the end of
// the step.
void Core::heartbeat() {
  released_ = log_.last_index();
  for (auto& [id, peer] : peers_) {
    if (peer.flow == Flow::pipelining && !log_.term_at(peer.next - 1)) {
      peer.flow = Flow::probing;  // compacted away under a full pipeline: it needs the snapshot
      peer.inflight.clear();
    }
    if (peer.leaving) peer.leaving_ticks += options_.heartbeat_ticks;
    if (peer.flow == Flow::probing) peer.probe_sent = false;
    if (peer.flow != Flow::snapshotting) continue;
    peer.snapshot_ticks += options_.heartbeat_ticks;
    if (peer.snapshot_ticks < 2 * options_.election_ticks) continue;
    peer.flow = Flow::probing;  // the snapshot was lost: find out what the follower needs
    peer.probe_sent = false;
  }
  start_round();
  continue_transfer();
}

// An append without entries. Where nothing is known to match, previous_index 0 always does.
void Core::heartbeat_to(NodeId id, Peer& peer) {
  AppendRequest request{.commit = commit_, .round = round_, .stamp = wall_, .entries = {}};
  const auto term = log_.term_at(peer.next - 1);
  if (peer.flow == Flow::pipelining && term) {
    request.previous_index = peer.next - 1;
    request.previous_term = *term;
  }
  send(id, std::move(request), false);
}

void Core::send_snapshot(NodeId id, Peer& peer) {
  SUNDER_ASSERT(snapshot_.data != nullptr);
  peer.flow = Flow::snapshotting;
  peer.snapshot_ticks = 0;
  peer.inflight.clear();
  send(id, SnapshotRequest{.snapshot = snapshot_, .round = round_}, false);
}

void Core::receive(NodeId from, Term /*term*/, AppendRequest& request) {
  SUNDER_ASSERT(role_ != Role::leader || sabotaged());
  if (role_ != Role::follower || leader_ != from) become_follower(hard_state_.term, from);
  elapsed_ = 0;
  const bool in_snapshot = request.previous_index < log_.base().index;
  if (!in_snapshot && log_.term_at(request.previous_index) != request.previous_term) {
    return reject_append(from, request);
  }
  const Index match = request.previous_index + request.entries.size();
  append_received(request.entries);
  commit_to(std::min(request.commit, match));
  const AppendReply reply{
      .success = true, .match = match, .round = request.round, .stamp = request.stamp};
  send(from, reply, true);
}

void Core::reject_append(NodeId from, const AppendRequest& request) {
  AppendReply reply{
      .rejected = request.previous_index, .round = request.round, .stamp = request.stamp};
  const auto term = log_.term_at(request.previous_index);
  reply.conflict_index = log_.last_index() + 1;
  if (term && request.previous_index > log_.base().index) {
    reply.conflict_term = *term;
    reply.conflict_index = log_.first_of_term_at(request.previous_index);
  }
  send(from, reply, true);
}

void Core::receive(NodeId from, Term /*term*/, AppendReply& reply) {
  const auto found = peers_.find(from);
  if (role_ != Role::leader || found == peers_.end()) return;
  Peer& peer = found->second;
  peer.active = true;
  peer.round = std::max(peer.round, reply.round);
  peer.stamp = std::max(peer.stamp, reply.stamp);
  confirm_reads();
  if (reply.success) {
    matched(from, peer, reply.match);
  } else {
    back_off(peer, reply);
  }
}

void Core::matched(NodeId id, Peer& peer, Index match) {
  SUNDER_ASSERT(match <= log_.last_index() || sabotaged());
  match = std::min(match, log_.last_index());
  if (peer.flow == Flow::snapshotting && match > peer.match) {
    peer.flow = Flow::probing;
    peer.probe_sent = false;
    peer.next = match + 1;
  } else if (peer.flow == Flow::probing && match + 1 >= peer.next) {
    peer.flow = Flow::pipelining;
  }
  while (!peer.inflight.empty() && peer.inflight.front() <= match) peer.inflight.pop_front();
  peer.match = std::max(peer.match, match);
  peer.next = std::max(peer.next, peer.match + 1);
  advance_commit();
  if (catch_up_ && id == catch_up_->node) continue_catch_up(peer);
  if (id == transfer_target_) continue_transfer();
}

// Skips the follower's whole conflicting term at once (§3.4's optimisation).
void Core::back_off(Peer& peer, const AppendReply& reply) {
  if (reply.rejected <= peer.match) return;  // an old answer
  if (peer.flow == Flow::snapshotting) return;
  if (peer.flow == Flow::probing && reply.rejected != peer.next - 1) return;
  Index next = reply.conflict_index;
  if (reply.conflict_term != 0) {
    const Index ours = log_.last_at_or_below_term(reply.conflict_term, reply.rejected - 1);
    if (log_.term_at(ours) == reply.conflict_term) next = ours + 1;
  }
  peer.next = std::max(peer.match + 1, std::min(next, reply.rejected));
  peer.flow = Flow::probing;
  peer.probe_sent = false;
  peer.inflight.clear();
}

void Core::receive(NodeId from, Term /*term*/, SnapshotRequest& request) {
  SUNDER_ASSERT(role_ != Role::leader || sabotaged());
  if (role_ != Role::follower || leader_ != from) become_follower(hard_state_.term, from);
  elapsed_ = 0;
  const Snapshot& snapshot = request.snapshot;
  if (snapshot.index > commit_) {
    if (log_.term_at(snapshot.index) == snapshot.term) {
      commit_to(snapshot.index);  // the log has all of it: nothing to load
    } else {
      install(snapshot);
    }
  }
  send(from, AppendReply{.success = true, .match = commit_, .round = request.round}, true);
}

void Core::install(const Snapshot& snapshot) {
  SUNDER_ASSERT(snapshot.data != nullptr);
  snapshot_ = snapshot;
  log_.reset({.index = snapshot.index, .term = snapshot.term, .hash = snapshot.hash});
  const Index previous = configuration_index();
  const bool news = snapshot.configuration != configuration();
  configurations_.clear();
  configurations_[snapshot.index] = snapshot.configuration;
  commit_ = applied_ = handed_over_ = snapshot.index;
  durable_ = 0;  // nothing of the new log is on disk before this write is
  for (Write& write : writes_) write.last = 0;
  effects_.snapshot = snapshot;
  effects_.install_snapshot = true;
  effects_.truncate_from.reset();
  tell({.name = "snapshot-installed",
        .numbers = {{"index", snapshot.index}, {"term", snapshot.term}},
        .hash = snapshot.hash});
  if (news) tell_configuration(previous, false);
}

void Core::handle(TransferLeadership input) {
  if (role_ != Role::leader || input.target == options_.id) return;
  const NodeId target = input.target == kNobody ? best_follower() : input.target;
  if (!peers_.contains(target) || !configuration().contains(target)) return;
  transfer_target_ = target;
  transfer_elapsed_ = 0;
  continue_transfer();
}

// The voter, other than this node, whose log is the longest.
NodeId Core::best_follower() const {
  NodeId best = kNobody;
  for (const auto& [id, peer] : peers_) {
    if (!configuration().contains(id)) continue;
    if (best == kNobody || peer.match > peers_.at(best).match) best = id;
  }
  return best;
}

// The target may campaign once it has the whole log; repeated at heartbeats in case the message was
// lost.
void Core::continue_transfer() {
  if (transfer_target_ == kNobody) return;
  if (!configuration().contains(transfer_target_)) {
    transfer_target_ = kNobody;
    return;
  }
  if (peers_.at(transfer_target_).match < log_.last_index()) return;
  send(transfer_target_, TimeoutNow{}, false);
}

}  // namespace sunder::nodes::raft
