// Changes of members, one voter at a time (Ongaro's dissertation, chapter 4), and configurations as
// text.
//
// A new configuration is in force as soon as its entry is in the log, and rolled back with it when
// the entry is truncated (§4.1). The leader begins no change before the last one is committed, and
// none before it has committed an entry of its own term: without the second rule two changes of
// different terms could have majorities that do not meet. A node that is to join is first brought
// up to date without a vote (§4.2.1). A leader that removed itself leads on, without counting
// itself, until its removal is committed and applied, and then hands over (§4.2.2). Removed nodes
// disturb nobody: they do not campaign once they know, and sticky leaders ignore them until then
// (§4.2.3).

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/base/assert.hpp"
#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {
namespace {

constexpr unsigned kCatchUpElections = 50;  // election time-outs until a new node is given up
constexpr unsigned kFarewellElections = 2;  // as long as a removed node is tried to be told

}  // namespace

bool Configuration::contains(NodeId id) const noexcept {
  return std::binary_search(voters.begin(), voters.end(), id);
}

std::string to_text(const Configuration& configuration) {
  std::string text;
  for (const NodeId voter : configuration.voters) {
    text += (text.empty() ? "n" : ",n") + std::to_string(voter);
  }
  return text;
}

std::optional<Configuration> parse_configuration(std::string_view text) {
  Configuration configuration;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    NodeId id = kNobody;
    if (item.size() < 2 || item.front() != 'n') return std::nullopt;
    const auto [end, error] = std::from_chars(item.data() + 1, item.data() + item.size(), id);
    if (error != std::errc() || end != item.data() + item.size()) return std::nullopt;
    const bool follows = configuration.voters.empty() || configuration.voters.back() < id;
    if (id == kNobody || !follows) return std::nullopt;
    configuration.voters.push_back(id);
  }
  if (configuration.voters.empty()) return std::nullopt;
  return configuration;
}

// Also a node that the latest configuration leaves out, as long as that one is not committed: its
// vote may be needed to commit it (§4.2.2).
bool Core::may_campaign() const noexcept {
  return is_voter() || (!configuration().voters.empty() && configuration_index() > commit_);
}

bool Core::may_change_members() const noexcept {
  // skip_config_commit: two changes at once, and their majorities need not meet.
  if (options_.sabotage == Sabotage::skip_config_commit) return true;
  return commit_ >= term_start_ && commit_ >= configuration_index();
}

// Whether the entry holds a configuration; it is then the latest.
bool Core::remember(const Entry& entry) {
  if (entry.kind != EntryKind::configuration) return false;
  auto configuration = parse_configuration(entry.data);
  SUNDER_ASSERT_MESSAGE(configuration.has_value(), "the shell checks what comes from outside");
  configurations_[entry.index] = std::move(*configuration);
  return true;
}

// The entry has just come into the log.
void Core::adopt(const Entry& entry, bool own) {
  const Index previous = configuration_index();
  if (!remember(entry)) return;
  tell_configuration(previous, own);
  if (role_ == Role::leader) follow_configuration();
}

void Core::forget_configurations_from(Index from) {
  const Index previous = configuration_index();
  configurations_.erase(configurations_.lower_bound(from), configurations_.end());
  SUNDER_ASSERT(!configurations_.empty());
  if (previous != configuration_index()) tell_configuration(previous, false);
}

void Core::tell_configuration(Index previous, bool own) {
  tell({.name = "configuration-changed",
        .numbers = {{"index", configuration_index()},
                    {"previous", previous},
                    {"commit", commit_},
                    {"own", own ? 1 : 0}},
        .hash = {},
        .voters = to_text(configuration())});
}

// A leader replicates to the voters, to the node that it brings up to date, and for a while to the
// removed.
void Core::follow_configuration() {
  for (const NodeId voter : configuration().voters) {
    if (voter == options_.id) continue;
    const auto [peer, fresh] = peers_.try_emplace(voter);
    if (fresh) peer->second.next = log_.last_index() + 1;
    peer->second.leaving = false;
  }
  for (auto& [id, peer] : peers_) {
    const bool joins = catch_up_ && catch_up_->node == id;
    if (configuration().contains(id) || joins || peer.leaving) continue;
    peer.leaving = true;
    peer.leaving_ticks = 0;
  }
}

void Core::handle(ChangeMember input) {
  const bool is_member = configuration().contains(input.node);
  if (role_ != Role::leader) return reject_change(input.id, RejectionReason::not_leader);
  if (transfer_target_ != kNobody) return reject_change(input.id, RejectionReason::transferring);
  if (input.add == is_member) return reject_change(input.id, RejectionReason::no_change);
  if (catch_up_ || !may_change_members()) {
    return reject_change(input.id, RejectionReason::change_under_way);
  }
  if (!input.add && configuration().voters.size() == 1) {
    return reject_change(input.id, RejectionReason::last_voter);
  }
  if (!input.add) return append_configuration(input.id, input.node, false);
  catch_up_ = CatchUp{.id = input.id, .node = input.node, .target = log_.last_index()};
  const auto [peer, fresh] = peers_.try_emplace(input.node);
  if (fresh) peer->second.next = log_.last_index() + 1;
  peer->second.leaving = false;
  continue_catch_up(peer->second);
}

void Core::reject_change(std::uint64_t id, RejectionReason reason) {
  effects_.rejections.push_back(
      {.id = id, .reason = reason, .read = false, .definite = true, .leader = leader_});
}

void Core::append_configuration(std::uint64_t id, NodeId node, bool add) {
  Configuration next = configuration();
  if (add) {
    next.voters.insert(std::lower_bound(next.voters.begin(), next.voters.end(), node), node);
  } else {
    std::erase(next.voters, node);
  }
  proposals_.emplace(log_.last_index() + 1, id);
  append_own({.kind = EntryKind::configuration, .data = to_text(next)});
}

void Core::tick_catch_up() {
  if (!catch_up_) return;
  ++catch_up_->round_ticks;
  if (++catch_up_->ticks < kCatchUpElections * options_.election_ticks) {
    return continue_catch_up(peers_.at(catch_up_->node));
  }
  reject_change(catch_up_->id, RejectionReason::too_slow);
  peers_.erase(catch_up_->node);
  catch_up_.reset();
}

// A round that took less than an election time-out shows that the rest will not take longer.
void Core::continue_catch_up(const Peer& peer) {
  SUNDER_ASSERT(catch_up_.has_value());
  CatchUp& catch_up = *catch_up_;
  if (!catch_up.done && peer.match >= catch_up.target) {
    catch_up.done = catch_up.round_ticks < options_.election_ticks;
    catch_up.target = log_.last_index();
    catch_up.round_ticks = 0;
  }
  if (!catch_up.done || !may_change_members()) return;
  const CatchUp finished = *std::exchange(catch_up_, std::nullopt);
  append_configuration(finished.id, finished.node, true);
}

// What lies between `before` and the commit index has just been committed.
void Core::configurations_committed(Index before) {
  for (auto at = configurations_.upper_bound(before);
       at != configurations_.end() && at->first <= commit_;
       ++at) {
    tell({.name = "configuration-committed",
          .numbers = {{"index", at->first}, {"at", hard_state_.term}},
          .hash = {},
          .voters = to_text(at->second)});
  }
}

// Tells the removed that their removal is committed, then nothing more. One that cannot be told
// finds out that nobody answers it.
void Core::say_farewell() {
  if (commit_ < configuration_index()) return;
  for (auto at = peers_.begin(); at != peers_.end();) {
    Peer& peer = at->second;
    const bool knows = peer.match >= configuration_index();
    const bool gone =
        peer.leaving && peer.leaving_ticks > kFarewellElections * options_.election_ticks;
    if (peer.leaving && knows) heartbeat_to(at->first, peer);
    at = peer.leaving && (knows || gone) ? peers_.erase(at) : std::next(at);
  }
}

// This leader is no voter any more, and everybody needs to know: its last messages carry the
// commit, and its successor need not wait for a time-out (§3.10).
void Core::step_down() {
  heartbeat();
  const NodeId successor = best_follower();
  if (successor != kNobody && peers_.at(successor).match >= configuration_index()) {
    send(successor, TimeoutNow{}, false);
  }
  become_follower(hard_state_.term, kNobody);
}

}  // namespace sunder::nodes::raft
