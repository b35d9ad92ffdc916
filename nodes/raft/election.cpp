// Elections: time-outs, pre-vote, votes, check-quorum, and the changes of role.

#include <utility>

#include "harness/base/assert.hpp"
#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {

bool Core::leader_is_recent() const noexcept {
  if (role_ == Role::leader) return true;
  return leader_ != kNobody && elapsed_ < options_.election_ticks;
}

bool Core::is_up_to_date(const VoteRequest& request) const noexcept {
  const Position last = log_.last();
  if (request.last_term != last.term) return request.last_term > last.term;
  return request.last_index >= last.index;
}

// Sticky leaders (§4.2.3): whoever hears a leader ignores candidates, whose term would depose it.
bool Core::accepts_term(const Message& message) const noexcept {
  const auto* vote = std::get_if<VoteRequest>(&message.body);
  if (vote == nullptr || vote->transfer) return true;
  return !leader_is_recent() || (!vote->pre && message.term <= hard_state_.term);
}

void Core::draw_timeout() {
  timeout_ =
      options_.election_ticks + static_cast<unsigned>(random_.below(options_.election_ticks));
}

void Core::tick_follower() {
  ++elapsed_;
  if (elapsed_ < timeout_) return;
  if (may_campaign()) return pre_campaign();
  // A node without a vote only notices that nobody leads it any more.
  elapsed_ = 0;
  if (leader_ != kNobody) become_follower(hard_state_.term, kNobody);
}

void Core::tick_leader() {
  ++elapsed_;
  if (elapsed_ >= options_.election_ticks) {
    elapsed_ = 0;
    // stale_read must bite in a minority: its leader stays.
    const bool leads_on = goes_by_wall_clock() ? has_leased_quorum() : has_active_quorum();
    if (!leads_on && options_.sabotage != Sabotage::stale_read) {
      return become_follower(hard_state_.term, kNobody);
    }
  }
  if (transfer_target_ != kNobody && ++transfer_elapsed_ >= options_.election_ticks) {
    transfer_target_ = kNobody;
  }
  tick_catch_up();
  if (++heartbeat_elapsed_ >= options_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    heartbeat();
  }
}

// Whether a quorum answered since the last call.
bool Core::has_active_quorum() {
  std::size_t active = is_voter() ? 1 : 0;
  for (auto& [id, peer] : peers_) {
    const bool heard = std::exchange(peer.active, false);
    if (heard && configuration().contains(id)) ++active;
  }
  return active >= quorum();
}

void Core::pre_campaign() {
  role_ = Role::pre_candidate;
  leader_ = kNobody;
  elapsed_ = 0;
  draw_timeout();
  votes_.clear();
  if (is_voter()) votes_.insert(options_.id);
  if (votes_.size() >= quorum()) return campaign(false);
  request_votes({.pre = true});
}

void Core::campaign(bool transfer) {
  SUNDER_ASSERT(role_ != Role::leader);
  role_ = Role::candidate;
  leader_ = kNobody;
  hard_state_ = {.term = hard_state_.term + 1, .voted_for = options_.id};
  elapsed_ = 0;
  draw_timeout();
  votes_.clear();
  if (is_voter()) votes_.insert(options_.id);
  tell({.name = "became-candidate", .numbers = {{"term", hard_state_.term}}, .hash = {}});
  tell({.name = "vote-granted",
        .numbers = {{"term", hard_state_.term}, {"for", options_.id}},
        .hash = {}});
  if (votes_.size() >= quorum()) return become_leader();
  request_votes({.pre = false, .transfer = transfer});
}

void Core::request_votes(VoteRequest request) {
  request.last_index = log_.last_index();
  request.last_term = log_.last_term();
  for (const NodeId voter : configuration().voters) {
    // A candidate's vote for itself must be on disk before anybody else's can make it leader.
    if (voter != options_.id) send(voter, request, !request.pre);
  }
}

void Core::receive(NodeId from, Term term, VoteRequest& request) {
  VoteReply reply{.pre = request.pre};
  // Whoever asks counts it by its own configuration, which may be newer than this node's (§4.1): a
  // node that has none yet may be needed already.
  if (request.pre) {
    reply.granted = term >= hard_state_.term && is_up_to_date(request);
  } else {
    const bool free_to_vote = hard_state_.voted_for == kNobody || hard_state_.voted_for == from;
    reply.granted = free_to_vote && role_ != Role::leader && is_up_to_date(request);
  }
  if (reply.granted && !request.pre) {
    if (role_ == Role::pre_candidate) become_follower(hard_state_.term, kNobody);
    if (hard_state_.voted_for == kNobody) {
      tell({.name = "vote-granted",
            .numbers = {{"term", hard_state_.term}, {"for", from}},
            .hash = {}});
    }
    hard_state_.voted_for = from;
    elapsed_ = 0;
  }
  send(from, reply, true);
}

void Core::receive(NodeId from, Term /*term*/, VoteReply& reply) {
  const Role wanted = reply.pre ? Role::pre_candidate : Role::candidate;
  if (role_ != wanted || !reply.granted || !configuration().contains(from)) return;
  votes_.insert(from);
  if (votes_.size() < quorum()) return;
  if (reply.pre) {
    campaign(false);
  } else {
    become_leader();
  }
}

void Core::receive(NodeId /*from*/, Term /*term*/, TimeoutNow& /*request*/) {
  if (role_ != Role::leader && role_ != Role::candidate && may_campaign()) campaign(true);
}

void Core::become_follower(Term term, NodeId leader) {
  SUNDER_ASSERT(term >= hard_state_.term);
  SUNDER_ASSERT(leader != options_.id);
  const bool news = role_ != Role::follower || term != hard_state_.term || leader != leader_;
  const Role was = std::exchange(role_, Role::follower);
  if (term > hard_state_.term) hard_state_ = {.term = term, .voted_for = kNobody};
  leader_ = leader;
  votes_.clear();
  if (was == Role::leader) reject_pending();
  if (was != Role::follower) {
    elapsed_ = 0;
    draw_timeout();
  }
  if (!news) return;
  tell({.name = "became-follower",
        .numbers = {{"term", hard_state_.term}, {"leader", leader}},
        .hash = {}});
}

void Core::become_leader() {
  SUNDER_ASSERT(role_ == Role::candidate);
  role_ = Role::leader;
  leader_ = options_.id;
  elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  round_ = confirmed_round_ = 0;
  wall_at_check_ = wall_;
  term_start_ = log_.last_index() + 1;
  peers_.clear();
  follow_configuration();
  SUNDER_ASSERT(proposals_.empty());
  SUNDER_ASSERT(reads_.empty());
  const Position last = log_.last();
  tell({.name = "became-leader",
        .numbers = {{"term", hard_state_.term}, {"last", last.index}, {"last_term", last.term}},
        .hash = last.hash});
  if (options_.sabotage != Sabotage::commit_old_term) append_own({.kind = EntryKind::noop});
  released_ = log_.last_index();
}

// The leader is one no more: nobody waits for ever. The entries may still be committed by the next
// one.
void Core::reject_pending() {
  for (const auto& [index, id] : proposals_) {
    effects_.rejections.push_back({.id = id,
                                   .reason = RejectionReason::leadership_lost,
                                   .read = false,
                                   .definite = false,
                                   .leader = leader_});
  }
  for (const PendingRead& read : reads_) {
    effects_.rejections.push_back({.id = read.id,
                                   .reason = RejectionReason::leadership_lost,
                                   .read = true,
                                   .definite = true,
                                   .leader = leader_});
  }
  if (catch_up_) {
    effects_.rejections.push_back({.id = catch_up_->id,
                                   .reason = RejectionReason::leadership_lost,
                                   .read = false,
                                   .definite = true,
                                   .leader = leader_});
  }
  proposals_.clear();
  catch_up_.reset();
  reads_.clear();
  peers_.clear();
  transfer_target_ = kNobody;
}

}  // namespace sunder::nodes::raft
