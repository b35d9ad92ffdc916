// The core's frame: construction, dispatch of inputs, and what leaves at the end of a step.

#include "nodes/raft/core.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "harness/base/assert.hpp"

namespace sunder::nodes::raft {
namespace {

constexpr std::array<std::pair<Sabotage, std::string_view>, 10> kSabotageNames{{
    {Sabotage::none, "none"},
    {Sabotage::ack_before_quorum, "ack-before-quorum"},
    {Sabotage::ack_before_append, "ack-before-append"},
    {Sabotage::stale_read, "stale-read"},
    {Sabotage::vote_twice, "vote-twice"},
    {Sabotage::ignore_term, "ignore-term"},
    {Sabotage::commit_old_term, "commit-old-term"},
    {Sabotage::lease_by_wall_clock, "lease-by-wall-clock"},
    {Sabotage::wait_for_all, "wait-for-all"},
    {Sabotage::skip_config_commit, "skip-config-commit"},
}};

Position position_of(const Snapshot& snapshot) {
  return {.index = snapshot.index, .term = snapshot.term, .hash = snapshot.hash};
}

}  // namespace

std::optional<Sabotage> sabotage_named(std::string_view name) noexcept {
  for (const auto& [sabotage, known] : kSabotageNames) {
    if (name == known) return sabotage;
  }
  return std::nullopt;
}

std::string_view name_of(Sabotage sabotage) noexcept {
  return kSabotageNames[static_cast<std::size_t>(sabotage)].second;
}

std::string_view name_of(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::not_leader:
      return "not-leader";
    case RejectionReason::leadership_lost:
      return "leadership-lost";
    case RejectionReason::transferring:
      return "transferring";
    case RejectionReason::overloaded:
      return "overloaded";
    case RejectionReason::change_under_way:
      return "change-under-way";
    case RejectionReason::no_change:
      return "no-change";
    case RejectionReason::last_voter:
      return "last-voter";
    case RejectionReason::too_slow:
      return "too-slow";
  }
  return "?";
}

std::string_view name_of(Role role) noexcept {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre-candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "?";
}

Core::Core(Options options, const Recovered& recovered)
    : options_(std::move(options)),
      random_(base::Random(options_.seed).fork("raft", options_.id)),
      hard_state_(recovered.hard_state),
      snapshot_(recovered.snapshot),
      log_(position_of(recovered.snapshot)),
      written_(recovered.hard_state) {
  SUNDER_ASSERT(
      std::is_sorted(options_.configuration.voters.begin(), options_.configuration.voters.end()));
  SUNDER_ASSERT(options_.heartbeat_ticks > 0);
  SUNDER_ASSERT(options_.heartbeat_ticks < options_.election_ticks);
  configurations_[snapshot_.index] =
      snapshot_.configuration.voters.empty() ? options_.configuration : snapshot_.configuration;
  for (const Entry& entry : recovered.entries) {
    log_.append(entry);
    (void)remember(entry);
  }
  // vote_twice left no term on disk; the log still has those of its entries.
  if (options_.sabotage == Sabotage::vote_twice) {
    hard_state_.term = std::max(hard_state_.term, log_.last_term());
  }
  handed_over_ = durable_ = log_.last_index();
  applied_ = commit_ = std::max(recovered.applied, recovered.snapshot.index);
  SUNDER_ASSERT(applied_ <= log_.last_index() || sabotaged());
  commit_ = std::min(commit_, log_.last_index());
  draw_timeout();
}

Effects Core::start() {
  SUNDER_ASSERT(!started_);
  started_ = true;
  tell({.name = "recovered",
        .numbers = {{"term", hard_state_.term},
                    {"vote", hard_state_.voted_for},
                    {"first", log_.base().index + 1},
                    {"last", log_.last_index()},
                    {"last_term", log_.last_term()},
                    {"commit", commit_}},
        .hash = log_.last().hash,
        .voters = to_text(configuration())});
  return finish();
}

Effects Core::step(Input input) {
  SUNDER_ASSERT(started_);
  dispatch(input);
  return finish();
}

Effects Core::step_all(std::vector<Input> inputs) {
  SUNDER_ASSERT(started_);
  for (Input& input : inputs) dispatch(input);
  return finish();
}

Index Core::match_of(NodeId peer) const {
  const auto found = peers_.find(peer);
  return role_ == Role::leader && found != peers_.end() ? found->second.match : 0;
}

void Core::dispatch(Input& input) {
  const Term term_before = hard_state_.term;
  const Index commit_before = commit_;
  std::visit([this](auto& concrete) { handle(std::move(concrete)); }, input);
  SUNDER_ASSERT(hard_state_.term >= term_before);
  SUNDER_ASSERT(commit_ >= commit_before || sabotaged());
  SUNDER_ASSERT(commit_ <= log_.last_index());
}

void Core::handle(Tick input) {
  wall_ = input.wall;
  if (role_ == Role::leader) {
    tick_leader();
  } else {
    tick_follower();
  }
}

void Core::handle(Receive input) {
  wall_ = input.wall;
  Message& message = input.message;
  // A misdirected message is the network's fault (a reused address), not a reason to stop.
  // Who sent it need not be in our configuration: ours may be older than the sender's (§4.1).
  if (message.to != options_.id || message.from == options_.id) return;
  if (!accepts_term(message)) return;
  if (message.term < hard_state_.term) {
    const bool tolerated = options_.sabotage == Sabotage::ignore_term && role_ != Role::leader &&
                           std::holds_alternative<AppendRequest>(message.body);
    if (!tolerated) return reply_to_older_term(message);
  }
  // Of a pre-vote, too: its term is the candidate's own, not the one it asks about, and whoever
  // hears a leader has ignored it already. The answer of a node left behind would otherwise count
  // for nothing.
  if (message.term > hard_state_.term) {
    const bool from_leader = std::holds_alternative<AppendRequest>(message.body) ||
                             std::holds_alternative<SnapshotRequest>(message.body);
    become_follower(message.term, from_leader ? message.from : kNobody);
  }
  std::visit([&](auto& body) { receive(message.from, message.term, body); }, message.body);
}

// The sender learns our term from the reply's header; a refusal says nothing else.
void Core::reply_to_older_term(const Message& message) {
  if (const auto* vote = std::get_if<VoteRequest>(&message.body)) {
    send(message.from, VoteReply{.pre = vote->pre, .granted = false}, true);
  } else if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
    send(message.from, AppendReply{.rejected = append->previous_index}, true);
  } else if (std::holds_alternative<SnapshotRequest>(message.body)) {
    send(message.from, AppendReply{}, true);
  }
}

void Core::handle(Propose input) {
  Rejection rejection{.id = input.id, .definite = true, .leader = leader_};
  if (role_ != Role::leader) {
    rejection.reason = RejectionReason::not_leader;
  } else if (transfer_target_ != kNobody) {
    rejection.reason = RejectionReason::transferring;
    rejection.leader = kNobody;
  } else if (proposals_.size() >= options_.uncommitted_max) {
    rejection.reason = RejectionReason::overloaded;
  } else {
    proposals_.emplace(log_.last_index() + 1, input.id);
    append_own({.kind = EntryKind::command, .data = std::move(input.data)});
    return;
  }
  effects_.rejections.push_back(rejection);
}

void Core::handle(Persisted input) {
  SUNDER_ASSERT(input.sequence <= sequence_);
  persisted_ = std::max(persisted_, input.sequence);
  while (!writes_.empty() && writes_.front().sequence <= input.sequence) {
    durable_ = std::max(durable_, writes_.front().last);
    writes_.pop_front();
  }
  SUNDER_ASSERT(durable_ <= log_.last_index());
  if (role_ == Role::leader) advance_commit();
}

void Core::handle(SnapshotTaken input) {
  // Durable and committed it is anyhow, but for sabotages.
  if (input.index <= snapshot_.index) return;
  if (input.index > std::min({applied_, durable_, commit_})) return;
  const auto position = log_.position_at(input.index);
  SUNDER_ASSERT(position.has_value() || sabotaged());
  if (!position) return;
  snapshot_ = {.index = position->index,
               .term = position->term,
               .hash = position->hash,
               .data = std::make_shared<const std::string>(std::move(input.data)),
               .configuration = std::prev(configurations_.upper_bound(input.index))->second};
  configurations_.erase(configurations_.begin(),
                        std::prev(configurations_.upper_bound(input.index)));
  log_.compact_to(*position);
  effects_.snapshot = snapshot_;
  tell({.name = "snapshot-taken",
        .numbers = {{"index", snapshot_.index}, {"term", snapshot_.term}},
        .hash = snapshot_.hash});
}

Effects Core::finish() {
  if (role_ == Role::leader) {
    replicate();
    const bool waits = !reads_.empty() && reads_.back().round > round_;
    if (waits && confirmed_round_ == round_ && !goes_by_wall_clock()) start_round();
  }
  if (role_ == Role::leader) say_farewell();
  hand_over_writes();
  release_applies();
  if (role_ == Role::leader && !is_voter() && applied_ >= configuration_index()) step_down();
  release_reads();
  effects_.sequence = sequence_;
  release_events();
  return std::exchange(effects_, Effects{});
}

// How far the log may leave this node's memory.
Index Core::released() const noexcept {
  const bool withholds = options_.sabotage == Sabotage::ack_before_append && role_ == Role::leader;
  return withholds ? std::min(released_, log_.last_index()) : log_.last_index();
}

void Core::hand_over_writes() {
  const bool forgets = options_.sabotage == Sabotage::vote_twice;
  if (hard_state_ != written_ && !forgets) effects_.hard_state = written_ = hard_state_;
  const Index limit = released();
  for (Index index = handed_over_ + 1; index <= limit; ++index) {
    effects_.entries.push_back(log_.at(index));
  }
  handed_over_ = std::max(handed_over_, limit);
  if (!effects_.has_writes()) return;
  writes_.push_back({.sequence = ++sequence_, .last = handed_over_});
}

void Core::release_applies() {
  Index limit = std::min(commit_, durable_);
  if (options_.sabotage == Sabotage::ack_before_append) limit = commit_;
  while (applied_ < limit) {
    ++applied_;
    Committed committed{.entry = log_.at(applied_), .proposal = {}};
    const auto proposal = proposals_.find(applied_);
    if (proposal != proposals_.end()) {
      committed.proposal = proposal->second;
      proposals_.erase(proposal);
    }
    effects_.apply.push_back(std::move(committed));
  }
}

// A crash must not undo what was told: a vote that was told but not written could be given to
// another.
void Core::release_events() {
  if (!effects_.events.empty()) {
    held_events_.push_back({.sequence = sequence_, .events = std::exchange(effects_.events, {})});
  }
  while (!held_events_.empty() && held_events_.front().sequence <= persisted_) {
    for (Event& event : held_events_.front().events) effects_.events.push_back(std::move(event));
    held_events_.pop_front();
  }
}

void Core::send(NodeId to, Body body, bool after_persist) {
  effects_.messages.push_back({.message = {.from = options_.id,
                                           .to = to,
                                           .term = hard_state_.term,
                                           .body = std::move(body)},
                               .after_persist = after_persist});
}

std::size_t Core::quorum() const noexcept {
  return configuration().voters.size() / 2 + 1;
}

void Core::tell(Event event) {
  effects_.events.push_back(std::move(event));
}

// One event for entries first … last of the log, or several, cut at checkpoints.
void Core::tell_batch(std::string_view name, Index first, Index last) {
  const bool commits = name == "committed";
  while (first <= last) {
    const Index checkpoint =
        (first + kCheckpointInterval - 1) / kCheckpointInterval * kCheckpointInterval;
    const Index end = std::min(last, checkpoint);
    const Entry& entry = log_.at(end);
    Event event{.name = name, .numbers = {}, .hash = entry.hash};
    if (commits) {
      event.numbers = {{"index", end}, {"term", entry.term}, {"at", hard_state_.term}};
      if (end < last) event.numbers.emplace_back("through", last);
    } else {
      event.numbers = {{"first", first}, {"last", end}, {"term", entry.term}};
    }
    tell(std::move(event));
    first = end + 1;
  }
}

}  // namespace sunder::nodes::raft
