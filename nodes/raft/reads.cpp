// Reads through the leader without the log (dissertation §6.4): a read index, confirmed by a round
// of heartbeats.
//
// A read is answered from the state machine at the commit index of its arrival, once a quorum has
// answered a message sent after its arrival: nobody else was leader at that moment. Rounds are
// numbered; every append carries the latest and its answer returns it. One round is under way at a
// time, further reads wait for the next: that is the batching.

#include <algorithm>
#include <functional>
#include <vector>

#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {

void Core::handle(Read input) {
  wall_ = input.wall;
  if (role_ != Role::leader || reads_.size() >= options_.pending_reads_max) {
    const bool leads = role_ == Role::leader;
    effects_.rejections.push_back(
        {.id = input.id,
         .reason = leads ? RejectionReason::overloaded : RejectionReason::not_leader,
         .read = true,
         .definite = true,
         .leader = leader_});
    return;
  }
  if (options_.sabotage == Sabotage::stale_read) {
    effects_.reads.push_back({.id = input.id, .index = applied_});
    return;
  }
  PendingRead read{.id = input.id, .round = round_ + 1, .index = {}, .wall = wall_};
  if (has_committed_own_term()) read.index = commit_;
  reads_.push_back(read);
}

// Until then a new leader does not know which entries of older terms are committed.
bool Core::has_committed_own_term() const noexcept {
  return commit_ >= term_start_ || options_.sabotage == Sabotage::commit_old_term;
}

void Core::start_round() {
  ++round_;
  for (auto& [id, peer] : peers_) heartbeat_to(id, peer);
  confirm_reads();  // alone, a node is its own quorum
}

void Core::confirm_reads() {
  std::vector<std::uint64_t> rounds;
  if (is_voter()) rounds.push_back(round_);
  for (const auto& [id, peer] : peers_) {
    if (configuration().contains(id)) rounds.push_back(peer.round);
  }
  std::sort(rounds.begin(), rounds.end(), std::greater<>());
  confirmed_round_ = std::max(confirmed_round_, rounds[quorum() - 1]);
}

void Core::release_reads() {
  if (goes_by_wall_clock()) return release_leased_reads();
  while (!reads_.empty()) {
    PendingRead& read = reads_.front();
    if (!read.index && has_committed_own_term()) read.index = commit_;
    if (!read.index || read.round > confirmed_round_ || *read.index > applied_) return;
    effects_.reads.push_back({.id = read.id, .index = *read.index});
    reads_.pop_front();
  }
}

}  // namespace sunder::nodes::raft
