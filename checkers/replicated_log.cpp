// The observer of a replicated log, and its checker.

#include "checkers/replicated_log.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace sunder::checkers {

std::size_t ReplicatedLogObserver::PositionHash::operator()(
    const std::pair<std::int64_t, std::int64_t>& position) const noexcept {
  const auto mixed = static_cast<std::uint64_t>(position.first) * 0x9e3779b97f4a7c15ULL ^
                     static_cast<std::uint64_t>(position.second) * 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::size_t>(mixed ^ (mixed >> 31));
}

void ReplicatedLogObserver::observe(const history::NodeEvent& event) {
  NodeState& state = nodes_[event.node];
  follow_sequence(state, event);
  const std::string_view name = event.event;
  const Sighting sighting{.index = event.number("index"),
                          .term = event.number("term"),
                          .hash = event.text("hash"),
                          .node = event.node};
  const Sighting last{.index = event.number("last"),
                      .term = event.number("last_term", event.number("term")),
                      .hash = event.text("hash"),
                      .node = event.node};
  if (name == "recovered") {
    state.commit = 0;
    state.voters = event.text("voters");
    hold(state, last);
    follow_term(state, event);
    see_entry(last, event.time);
  } else if (name == "became-follower" || name == "became-candidate") {
    follow_term(state, event);
  } else if (name == "became-leader") {
    follow_term(state, event);
    see_leader(event);
    see_entry(last, event.time);
  } else if (name == "vote-granted") {
    follow_term(state, event);
    see_vote(event);
  } else if (name == "appended") {
    hold(state, last);
    see_entry(last, event.time);
  } else if (name == "configuration-changed") {
    see_configuration(state, event);
  } else if (name == "configuration-committed") {
    see_committed_configuration(event);
  } else if (name == "truncated") {
    see_truncation(state, event);
  } else if (name == "committed") {
    see_commit(state, event);
  } else if (name == "applied" || name == "snapshot-taken" || name == "snapshot-installed") {
    hold(state, sighting);
    see_entry(sighting, event.time);
    see_decided(sighting, event.time);
  }
}

// Numbers begin with 0 in each life of a node. One that does not follow the last: events are
// missing, among them perhaps the first of a life, and what was known no longer holds.
void ReplicatedLogObserver::follow_sequence(NodeState& state, const history::NodeEvent& event) {
  if (event.sequence != 0 && event.sequence != state.next) {
    ++gaps_;
    ++state.gaps;
    state.commit = 0;
    state.voters.clear();
  }
  state.next = event.sequence + 1;
}

// The term is on disk: it never falls, not even over a restart.
void ReplicatedLogObserver::follow_term(NodeState& state, const history::NodeEvent& event) {
  const std::int64_t term = event.number("term");
  if (term < state.term) {
    report("monotonic term",
           fmt::format("{} was in term {} and then in term {}", event.node, state.term, term),
           event.time);
  }
  state.term = std::max(state.term, term);
}

void ReplicatedLogObserver::see_vote(const history::NodeEvent& event) {
  const std::int64_t term = event.number("term");
  const std::int64_t candidate = event.number("for");
  const auto [found, fresh] = votes_.try_emplace({event.node, term}, candidate);
  ++comparisons_;
  if (fresh || found->second == candidate) return;
  report("election safety",
         fmt::format(
             "{} voted for n{} and for n{} in term {}", event.node, found->second, candidate, term),
         event.time);
}

void ReplicatedLogObserver::see_leader(const history::NodeEvent& event) {
  const std::int64_t term = event.number("term");
  const Sighting leader{.index = event.number("last"),
                        .term = event.number("last_term"),
                        .hash = event.text("hash"),
                        .node = event.node,
                        .at = term};
  const auto [found, fresh] = leaders_.try_emplace(term, leader);
  ++comparisons_;
  if (!fresh && found->second.node != event.node) {
    report(
        "election safety",
        fmt::format("{} and {} were both leader in term {}", found->second.node, event.node, term),
        event.time);
  }
  for (auto commit = commits_.begin(); commit != commits_.lower_bound(term); ++commit) {
    compare_with_leader(leader, commit->second, event.time);
  }
  const auto decided = decided_.find(leader.index);
  if (decided != decided_.end() && decided->second.at > 0 && decided->second.at < term) {
    compare_with_leader(leader, decided->second, event.time);
  }
}

// Leader completeness: what was committed in an earlier term is in the leader's log. Its log is
// known at its end only; a difference below shows when its entries are committed.
void ReplicatedLogObserver::compare_with_leader(const Sighting& leader,
                                                const Sighting& committed,
                                                std::int64_t time) {
  ++comparisons_;
  const bool reaches = leader.index >= committed.index;
  const bool equal = leader.index != committed.index || leader.hash == committed.hash;
  if (reaches && equal) return;
  report("leader completeness",
         fmt::format("{} became leader of term {} with a log up to {} (term {}); {} had committed "
                     "{} (term {}) in term {}",
                     leader.node,
                     leader.at,
                     leader.index,
                     leader.term,
                     committed.node,
                     committed.index,
                     committed.term,
                     committed.at),
         time);
}

void ReplicatedLogObserver::see_commit(NodeState& state, const history::NodeEvent& event) {
  const Sighting commit{.index = event.number("index"),
                        .term = event.number("term"),
                        .hash = event.text("hash"),
                        .node = event.node,
                        .at = event.number("at")};
  if (commit.index <= state.commit) {
    report("monotonic commit",
           fmt::format("{} committed up to {} after {}", event.node, commit.index, state.commit),
           event.time);
  }
  state.commit = std::max(state.commit, commit.index);
  committed_index_ = std::max(committed_index_,
                              static_cast<std::uint64_t>(std::max<std::int64_t>(commit.index, 0)));
  see_entry(commit, event.time);
  see_decided(commit, event.time);
  if (event.number("through", commit.index) == commit.index) {
    check_commit_rule(commit, event.time);
  }
  claim_quorum(state, commit, event.time);
  const auto [highest, fresh] = commits_.try_emplace(commit.at, commit);
  if (!fresh && commit.index > highest->second.index) highest->second = commit;
  for (auto leader = leaders_.upper_bound(commit.at); leader != leaders_.end(); ++leader) {
    compare_with_leader(leader->second, commit, event.time);
  }
}

// A leader commits by counting replicas, and only entries of its own term (dissertation, §3.6.2);
// the older ones below go with them. Followers learn of commits and may stop anywhere.
void ReplicatedLogObserver::check_commit_rule(const Sighting& commit, std::int64_t time) {
  const auto leader = leaders_.find(commit.at);
  if (leader == leaders_.end() || leader->second.node != commit.node) return;
  ++comparisons_;
  if (commit.term >= commit.at) return;
  report("commit rule",
         fmt::format("{} led term {} and committed up to {} by counting replicas of an entry of "
                     "term {}",
                     commit.node,
                     commit.at,
                     commit.index,
                     commit.term),
         time);
}

void ReplicatedLogObserver::hold(NodeState& state, const Sighting& last) {
  std::int64_t& held = state.held[last.term];
  held = std::max(held, last.index);
}

// A leader may change the members only after the last change is committed.
void ReplicatedLogObserver::see_configuration(NodeState& state, const history::NodeEvent& event) {
  state.voters = event.text("voters");
  if (event.number("own") != 1) return;
  ++comparisons_;
  if (event.number("previous") <= event.number("commit")) return;
  report("one change at a time",
         fmt::format("{} changed the members to {} at index {}, though the change at {} was not "
                     "committed (only up to {})",
                     event.node,
                     state.voters,
                     event.number("index"),
                     event.number("previous"),
                     event.number("commit")),
         event.time);
}

namespace {

std::set<std::string> names_in(const std::string& list) {
  std::set<std::string> names;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    names.insert(list.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

}  // namespace

// One entry an index. That neighbours differ by one node follows from the rule above.
void ReplicatedLogObserver::see_committed_configuration(const history::NodeEvent& event) {
  const std::int64_t index = event.number("index");
  const std::string voters = event.text("voters");
  const auto [found, fresh] = configurations_.try_emplace(index, voters);
  ++comparisons_;
  if (fresh || found->second == voters) return;
  report("state-machine safety",
         fmt::format("{} committed the members {} at index {}, where another node committed {}",
                     event.node,
                     voters,
                     index,
                     found->second),
         event.time);
}

// Who led a term and committed an entry of it, by the members that were in force there.
void ReplicatedLogObserver::claim_quorum(const NodeState& state,
                                         const Sighting& commit,
                                         std::int64_t time) {
  const auto leader = leaders_.find(commit.at);
  if (leader == leaders_.end() || leader->second.node != commit.node) return;
  if (commit.term != commit.at || state.voters.empty()) return;
  QuorumClaim& claim = quorum_claims_[{commit.at, state.voters}];
  if (commit.index <= claim.index) return;
  claim = {.index = commit.index, .time = time, .leader = commit.node};
}

void ReplicatedLogObserver::conclude() {
  for (const auto& [key, claim] : quorum_claims_) check_quorum(key.first, key.second, claim);
}

// A voter that told of an entry of the leader's term at this index or later held it. One whose
// events are not all there is taken to have held it.
void ReplicatedLogObserver::check_quorum(std::int64_t term,
                                         const std::string& voters,
                                         const QuorumClaim& claim) {
  std::size_t holding = 0;
  const std::set<std::string> names = names_in(voters);
  for (const std::string& name : names) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end()) continue;
    const auto held = node->second.held.find(term);
    const bool holds = held != node->second.held.end() && held->second >= claim.index;
    if (holds || node->second.gaps > 0) ++holding;
  }
  ++comparisons_;
  ++quorums_;
  if (holding > names.size() / 2) return;
  report("commit rule",
         fmt::format("{} led term {} and committed up to {}, which {} of its voters {} held",
                     claim.leader,
                     term,
                     claim.index,
                     holding,
                     voters),
         claim.time);
}

void ReplicatedLogObserver::see_truncation(const NodeState& state,
                                           const history::NodeEvent& event) {
  const std::int64_t from = event.number("from");
  ++comparisons_;
  if (from > state.commit) return;
  report("committed entries stay",
         fmt::format("{} removed its entries from {} on, though it had committed up to {}",
                     event.node,
                     from,
                     state.commit),
         event.time);
}

void ReplicatedLogObserver::see_entry(const Sighting& sighting, std::int64_t time) {
  if (sighting.index <= 0 || sighting.hash.empty()) return;
  const auto [found, fresh] = entries_.try_emplace({sighting.index, sighting.term}, sighting);
  if (fresh) return;
  ++comparisons_;
  if (found->second.hash == sighting.hash) return;
  report("log matching",
         fmt::format("{} and {} both hold an entry {} of term {}, but their logs up to it differ",
                     found->second.node,
                     sighting.node,
                     sighting.index,
                     sighting.term),
         time);
}

void ReplicatedLogObserver::see_decided(const Sighting& sighting, std::int64_t time) {
  if (sighting.index <= 0 || sighting.hash.empty()) return;
  const auto [found, fresh] = decided_.try_emplace(sighting.index, sighting);
  if (fresh) return;
  ++comparisons_;
  Sighting& first = found->second;
  if (first.hash == sighting.hash) {
    if (sighting.at > 0 && (first.at == 0 || sighting.at < first.at)) first.at = sighting.at;
    return;
  }
  report("state-machine safety",
         fmt::format("{} and {} decided differently up to index {} (terms {} and {})",
                     first.node,
                     sighting.node,
                     sighting.index,
                     first.term,
                     sighting.term),
         time);
}

void ReplicatedLogObserver::report(std::string_view invariant,
                                   std::string sentence,
                                   std::int64_t time) {
  ++violation_count_;
  if (violations_.size() >= kViolationsKept) return;
  violations_.push_back({.invariant = invariant, .sentence = std::move(sentence), .time = time});
}

namespace {

void describe_violations(const ReplicatedLogObserver& observer, Verdict& verdict) {
  verdict.kind = VerdictKind::broken;
  const LogViolation& first = observer.violations().front();
  verdict.summary = fmt::format("{}: {}, at {:.3f} s.",
                                first.invariant,
                                first.sentence,
                                static_cast<double>(first.time) / 1e9);
  for (const LogViolation& violation : observer.violations()) {
    verdict.details.push_back(fmt::format("{}: {}.", violation.invariant, violation.sentence));
  }
  if (observer.violation_count() > observer.violations().size()) {
    verdict.details.push_back(fmt::format(
        "{} more were not kept.", observer.violation_count() - observer.violations().size()));
  }
}

void judge(const ReplicatedLogObserver& observer, std::uint64_t committed_min, Verdict& verdict) {
  if (observer.violation_count() > 0) return describe_violations(observer, verdict);
  if (observer.leader_count() == 0 || observer.committed_index() < committed_min) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format(
        "The nodes told of {} leaders and {} committed entries; {} are needed to judge.",
        observer.leader_count(),
        observer.committed_index(),
        committed_min);
    return;
  }
  verdict.kind = VerdictKind::kept;
  verdict.summary = fmt::format(
      "{} leaders and {} committed entries agree, by {} comparisons of the nodes' events.",
      observer.leader_count(),
      observer.committed_index(),
      observer.comparisons());
}

}  // namespace

Verdict check_replicated_log(const history::History& /*history*/,
                             const CheckOptions& options,
                             std::stop_token stop) {
  Verdict verdict;
  if (options.context == nullptr) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = "There are no node events to judge by: this is a bare history.";
    return verdict;
  }
  ReplicatedLogObserver observer;
  for (const history::NodeEvent& event : options.context->events) {
    if (stop.stop_requested()) {
      verdict.summary = "Stopped before all node events were compared.";
      return verdict;
    }
    observer.observe(event);
  }
  observer.conclude();
  const auto wanted = options.parameters.find("committed_min");
  judge(observer,
        wanted == options.parameters.end() ? 10 : static_cast<std::uint64_t>(wanted->second),
        verdict);
  if (options.context->dropped_events > 0 || observer.gaps() > 0) {
    verdict.details.push_back(fmt::format(
        "{} node events were dropped and {} gaps seen: a violation may have been missed.",
        options.context->dropped_events,
        observer.gaps()));
  }
  verdict.measurements = {
      {.name = "members changed",
       .value = static_cast<double>(observer.configurations()),
       .unit = {}},
      {.name = "leaders", .value = static_cast<double>(observer.leader_count()), .unit = {}},
      {.name = "committed entries",
       .value = static_cast<double>(observer.committed_index()),
       .unit = {}},
      {.name = "comparisons", .value = static_cast<double>(observer.comparisons()), .unit = {}}};
  return verdict;
}

CheckerInfo replicated_log_info() {
  return {.name = "replicated-log",
          .summary = "All nodes hold the same log: one leader a term, one entry an index.",
          .check = check_replicated_log};
}

}  // namespace sunder::checkers
