// Watches all nodes of a replicated log through their events and says which of its global promises
// broke.
//
// What one node cannot assert about itself (Ongaro, figure 3.2): election safety (one leader a
// term, one vote a node and term), log matching (equal (index, term) means equal chain hash),
// leader completeness (a leader's log reaches and equals what was committed in earlier terms),
// state-machine safety (one entry an index, on all nodes), the commit rule (a leader commits by
// counting only entries of its own term, held by a majority of the configuration in force), changes
// of members one at a time (a leader begins none before the last is committed, and all
// agree which were committed), and commit indices that never fall within an
// incarnation.
// The events are described in nodes/raft/event.hpp; they carry chain hashes, so that a difference
// anywhere below shows at the next event.
//
// Every check compares two statements that exclude each other in any correct run, so lost events
// can hide a violation but never invent one; where an order matters (commit indices) a gap in a
// node's sequence numbers starts it anew.
//
// Threading: one owner.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checkers/checker.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

struct LogViolation {
  std::string_view invariant;  // "election safety", "log matching", …
  std::string sentence;        // names nodes, terms and indices
  std::int64_t time = 0;       // of the event that showed it
};

class ReplicatedLogObserver {
 public:
  // Events of one node in the order it told them; those of different nodes in any order. Other
  // events than a replicated log's are only counted in the sequence.
  void observe(const history::NodeEvent& event);

  // Once, after the last event: what only all of them together can show.
  void conclude();

  // The first kViolationsKept of them, in order of discovery.
  [[nodiscard]] const std::vector<LogViolation>& violations() const noexcept { return violations_; }

  [[nodiscard]] std::size_t violation_count() const noexcept { return violation_count_; }

  // What was seen, for the exercise rule.
  [[nodiscard]] std::size_t leader_count() const noexcept { return leaders_.size(); }

  [[nodiscard]] std::uint64_t committed_index() const noexcept { return committed_index_; }

  [[nodiscard]] std::size_t comparisons() const noexcept { return comparisons_; }

  [[nodiscard]] std::size_t gaps() const noexcept { return gaps_; }

  // Configurations that were committed, beside the first.
  [[nodiscard]] std::size_t configurations() const noexcept { return configurations_.size(); }

  // Leaders' commits of which it is known who held the entry.
  [[nodiscard]] std::size_t quorums() const noexcept { return quorums_; }

  static constexpr std::size_t kViolationsKept = 20;

 private:
  struct NodeState {
    std::uint64_t next = 0;   // the number of its next event
    std::int64_t commit = 0;  // the highest told in this incarnation; 0: unknown
    std::int64_t term = 0;
    std::string voters;                         // the configuration in force; empty: not known
    std::size_t gaps = 0;                       // any: what it told is not all it did
    std::map<std::int64_t, std::int64_t> held;  // by term: the last index told to be on its disk
  };

  // A leader's highest commit under one configuration.
  struct QuorumClaim {
    std::int64_t index = 0;
    std::int64_t time = 0;
    std::string leader;
  };

  // An entry as some node told it: position, chain hash, and who said so.
  struct Sighting {
    std::int64_t index = 0;
    std::int64_t term = 0;
    std::string hash;
    std::string node;
    std::int64_t at = 0;  // the teller's own term; 0: not told
  };

  struct PositionHash {
    std::size_t operator()(const std::pair<std::int64_t, std::int64_t>& position) const noexcept;
  };

  void follow_sequence(NodeState& state, const history::NodeEvent& event);
  void follow_term(NodeState& state, const history::NodeEvent& event);
  void see_vote(const history::NodeEvent& event);
  void see_leader(const history::NodeEvent& event);
  void see_commit(NodeState& state, const history::NodeEvent& event);
  void check_commit_rule(const Sighting& commit, std::int64_t time);
  static void hold(NodeState& state, const Sighting& last);
  void see_configuration(NodeState& state, const history::NodeEvent& event);
  void see_committed_configuration(const history::NodeEvent& event);
  void claim_quorum(const NodeState& state, const Sighting& commit, std::int64_t time);
  void check_quorum(std::int64_t term, const std::string& voters, const QuorumClaim& claim);
  void see_truncation(const NodeState& state, const history::NodeEvent& event);
  void see_entry(const Sighting& sighting, std::int64_t time);
  void see_decided(const Sighting& sighting, std::int64_t time);
  void compare_with_leader(const Sighting& leader, const Sighting& committed, std::int64_t time);
  void report(std::string_view invariant, std::string sentence, std::int64_t time);

  std::unordered_map<std::string, NodeState> nodes_;
  std::map<std::int64_t, Sighting> leaders_;  // by term: its log when it was elected
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> votes_;
  std::unordered_map<std::pair<std::int64_t, std::int64_t>, Sighting, PositionHash> entries_;
  std::unordered_map<std::int64_t, Sighting>
      decided_;                               // by index: committed, applied or in a snapshot
  std::map<std::int64_t, Sighting> commits_;  // by the teller's term: the highest committed in it
  std::map<std::pair<std::int64_t, std::string>, QuorumClaim> quorum_claims_;  // by term, voters
  std::map<std::int64_t, std::string> configurations_;  // by index: those that were committed
  std::vector<LogViolation> violations_;
  std::size_t violation_count_ = 0;
  std::size_t comparisons_ = 0;
  std::size_t gaps_ = 0;
  std::size_t quorums_ = 0;
  std::uint64_t committed_index_ = 0;
};

// Over options.context->events. Exercised when a leader and parameters["committed_min"] (10)
// committed entries were seen.
[[nodiscard]] Verdict check_replicated_log(const history::History& history,
                                           const CheckOptions& options,
                                           std::stop_token stop);

[[nodiscard]] CheckerInfo replicated_log_info();

}  // namespace sunder::checkers
