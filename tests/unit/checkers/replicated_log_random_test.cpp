// The observer of a replicated log, by its two checkers, against what its invariants say of small
// random clusters.
//
// A cluster's nodes elect, append, replicate, commit, change members and crash as Raft's do, some
// of them carelessly, and of some what they told is changed or lost afterwards. The definitions
// look at every event, and at every pair, of the whole run; they share no code with the observer.
// Every case is a function of its seed, which a failure prints with the events. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::NodeEvent;

using Numbers = std::vector<std::pair<std::string, std::int64_t>>;
using Texts = std::vector<std::pair<std::string, std::string>>;

// ---------------------------------------------------------------- clusters

struct Entry {
  std::int64_t term = 0;
  std::string hash;    // of the log up to it
  std::string voters;  // of a change of members; empty: of another entry
};

struct Node {
  std::string name;
  std::int64_t term = 0;
  std::int64_t voted_in = 0;  // the last term
  std::vector<Entry> log;     // its first entry has index 1
  std::int64_t commit = 0;
  std::uint64_t sequence = 0;
  bool leads = false;

  [[nodiscard]] std::int64_t last() const { return static_cast<std::int64_t>(log.size()); }

  [[nodiscard]] const Entry& at(std::int64_t index) const {
    static const Entry kNone;
    return index == 0 ? kNone : log[static_cast<std::size_t>(index - 1)];
  }

  [[nodiscard]] std::string hash() const { return log.empty() ? "" : log.back().hash; }

  // The index of the last change of members; 0: none.
  [[nodiscard]] std::int64_t last_change() const {
    std::int64_t index = last();
    while (index > 0 && at(index).voters.empty()) --index;
    return index;
  }

  [[nodiscard]] std::string voters() const {
    const std::int64_t index = last_change();
    return index == 0 ? "n1,n2,n3" : at(index).voters;
  }
};

// What its nodes get wrong now and then.
struct Care {
  bool votes_again = false;
  bool votes_for_shorter_logs = false;
  bool counts_no_replicas = false;
  bool commits_old_terms = false;
  bool changes_members_at_once = false;
};

class Cluster {
 public:
  explicit Cluster(base::Random& random) : random_(random) {
    for (const char* name : {"n1", "n2", "n3", "n4"}) nodes_.emplace_back().name = name;
    for (bool* flag : {&care_.votes_again,
                       &care_.votes_for_shorter_logs,
                       &care_.counts_no_replicas,
                       &care_.commits_old_terms,
                       &care_.changes_members_at_once}) {
      *flag = random.chance(0.08);
    }
  }

  std::vector<NodeEvent> run(std::uint64_t steps) {
    for (; steps > 0; --steps) step();
    return std::move(events_);
  }

 private:
  void step() {
    Node& node = nodes_[random_.below(nodes_.size())];
    const std::uint64_t die = random_.below(100);
    const auto leader = std::ranges::find(nodes_, true, &Node::leads);
    if (leader == nodes_.end() || die < 6) return elect(node);
    if (die < 10) return restart(node);
    if (die < 15) return change_members(*leader);
    if (die < 35) return append(*leader, {});
    if (die < 75 && &node != &*leader) return replicate(*leader, node);
    commit(*leader);
  }

  void tell(Node& node, std::string name, Numbers numbers, Texts texts = {}) {
    NodeEvent& event = events_.emplace_back();
    event.node = node.name;
    event.sequence = node.sequence++;
    event.time = static_cast<std::int64_t>(events_.size());
    event.event = std::move(name);
    event.numbers = std::move(numbers);
    event.texts = std::move(texts);
  }

  void move_to(Node& node, std::int64_t term) {
    if (term <= node.term) return;
    node.term = term;
    node.leads = false;
    tell(node, "became-follower", {{"term", term}});
  }

  void elect(Node& node) {
    if (!is_voter(node, node)) return;
    ++node.term;
    node.voted_in = node.term;
    node.leads = false;
    tell(node, "became-candidate", {{"term", node.term}});
    std::size_t votes = 1;
    for (Node& voter : nodes_) {
      if (&voter == &node || !is_voter(voter, node) || random_.chance(0.2)) continue;
      if (voter.term > node.term) return;
      const bool again = voter.voted_in == node.term && !care_.votes_again;
      const bool shorter = is_behind(node, voter) && !care_.votes_for_shorter_logs;
      if (again || shorter) continue;
      move_to(voter, node.term);
      voter.voted_in = node.term;
      const std::int64_t number = &node - nodes_.data() + 1;
      tell(voter, "vote-granted", {{"term", node.term}, {"for", number}});
      ++votes;
    }
    if (2 * votes <= voters_of(node).size()) return;
    for (Node& other : nodes_) {
      if (other.leads && other.term < node.term && random_.chance(0.8)) move_to(other, node.term);
    }
    node.leads = true;
    tell(node,
         "became-leader",
         {{"term", node.term}, {"last", node.last()}, {"last_term", node.at(node.last()).term}},
         {{"hash", node.hash()}});
  }

  static bool is_behind(const Node& node, const Node& voter) {
    return std::pair(node.at(node.last()).term, node.last()) <
           std::pair(voter.at(voter.last()).term, voter.last());
  }

  static std::set<std::string> voters_of(const Node& node) {
    std::set<std::string> names;
    const std::string all = node.voters();
    for (std::size_t at = 0; at < all.size(); at += 3) names.insert(all.substr(at, 2));
    return names;
  }

  // By the members that are in force at `by`.
  static bool is_voter(const Node& node, const Node& by) {
    return voters_of(by).contains(node.name);
  }

  void restart(Node& node) {
    node.sequence = 0;
    node.leads = false;
    node.commit = 0;
    tell(node,
         "recovered",
         {{"term", node.term}, {"last", node.last()}, {"last_term", node.at(node.last()).term}},
         {{"hash", node.hash()}, {"voters", node.voters()}});
  }

  void append(Node& leader, const std::string& voters) {
    const std::string hash =
        fmt::format("{}/{}.{}", leader.hash().substr(0, 20), leader.term, ++entries_);
    const std::int64_t previous = leader.last_change();
    leader.log.push_back({leader.term, hash, voters});
    tell(leader, "appended", {{"last", leader.last()}, {"term", leader.term}}, {{"hash", hash}});
    if (voters.empty()) return;
    tell_change(leader, previous, true);
  }

  void tell_change(Node& node, std::int64_t previous, bool own) {
    tell(node,
         "configuration-changed",
         {{"index", node.last_change()},
          {"previous", previous},
          {"commit", node.commit},
          {"own", own ? 1 : 0}},
         {{"voters", node.voters()}});
  }

  void change_members(Node& leader) {
    if (leader.last_change() > leader.commit && !care_.changes_members_at_once) return;
    const bool three = leader.voters() == "n1,n2,n3";
    append(leader, three ? "n1,n2,n3,n4" : "n1,n2,n3");
  }

  void replicate(const Node& leader, Node& node) {
    if (node.term > leader.term) return;
    move_to(node, leader.term);
    std::int64_t same = std::min(leader.last(), node.last());
    while (same > 0 && node.at(same).hash != leader.at(same).hash) --same;
    if (same < node.last()) {
      tell(node, "truncated", {{"from", same + 1}});
      node.log.resize(static_cast<std::size_t>(same));
    }
    if (same == leader.last()) return follow_commit(leader, node);
    const std::int64_t before = node.last_change();
    const std::int64_t upto = random_.between(same + 1, leader.last());
    while (node.last() < upto) node.log.push_back(leader.at(node.last() + 1));
    const Entry& last = node.log.back();
    tell(node, "appended", {{"last", upto}, {"term", last.term}}, {{"hash", last.hash}});
    if (node.last_change() != before) tell_change(node, before, false);
    if (random_.chance(0.5)) follow_commit(leader, node);
  }

  void follow_commit(const Node& leader, Node& node) {
    const std::int64_t upto = std::min(leader.commit, node.last());
    if (upto > node.commit) tell_commit(node, upto, leader.term);
  }

  void commit(Node& leader) {
    std::int64_t index = leader.last();
    while (index > leader.commit && !may_commit(leader, index)) --index;
    if (index > leader.commit) tell_commit(leader, index, leader.term);
  }

  [[nodiscard]] bool may_commit(const Node& leader, std::int64_t index) const {
    if (leader.at(index).term != leader.term && !care_.commits_old_terms) return false;
    std::size_t holding = 0;
    for (const Node& node : nodes_) {
      const bool holds = node.last() >= index && node.at(index).hash == leader.at(index).hash;
      if (holds && is_voter(node, leader)) ++holding;
    }
    return 2 * holding > voters_of(leader).size() || care_.counts_no_replicas;
  }

  // In several events now and then, of which only the last says where it stopped.
  void tell_commit(Node& node, std::int64_t upto, std::int64_t at) {
    while (node.commit < upto) {
      node.commit = random_.chance(0.7) ? upto : node.commit + 1;
      const Entry& entry = node.at(node.commit);
      const Numbers position{{"index", node.commit}, {"term", entry.term}};
      Numbers numbers = position;
      numbers.emplace_back("at", at);
      if (node.commit < upto) numbers.emplace_back("through", upto);
      tell(node, "committed", numbers, {{"hash", entry.hash}});
      if (random_.chance(0.5)) tell(node, "applied", position, {{"hash", entry.hash}});
      if (!entry.voters.empty()) {
        tell(node, "configuration-committed", {{"index", node.commit}}, {{"voters", entry.voters}});
      }
    }
  }

  base::Random& random_;
  Care care_;
  std::vector<Node> nodes_;
  std::vector<NodeEvent> events_;
  std::uint64_t entries_ = 0;
};

// Something in one event becomes what another says, or it is lost.
void spoil(base::Random& random, std::vector<NodeEvent>& events) {
  const std::size_t place = random.below(events.size());
  NodeEvent& event = events[place];
  const std::uint64_t die = random.below(10);
  if (die < 2) {
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(place));
  } else if (die < 6 || event.texts.empty()) {
    std::int64_t& number = event.numbers[random.below(event.numbers.size())].second;
    number = std::max<std::int64_t>(1, number + (random.chance(0.5) ? 1 : -1));
  } else {
    const NodeEvent& other = random.pick(events);
    for (auto& [name, text] : event.texts) {
      if (!other.text(name).empty()) text = other.text(name);
    }
  }
}

std::vector<NodeEvent> events_of(std::uint64_t seed) {
  base::Random random(seed);
  std::vector<NodeEvent> events = Cluster(random).run(10 + random.below(60));
  if (random.chance(0.4) && !events.empty()) spoil(random, events);
  return events;
}

// ---------------------------------------------------------------- definitions

// Which invariants the events break.
class Invariants {
 public:
  explicit Invariants(const std::vector<NodeEvent>& events) : events_(events) {
    std::map<std::string, std::uint64_t> next_of;
    std::map<std::string, int> lives;
    for (const NodeEvent& event : events_) {
      std::uint64_t& next = next_of[event.node];
      const bool missing = event.sequence != next && event.sequence != 0;
      if (missing) has_gap_.insert(event.node);
      missing_before_.push_back(missing);
      if (missing || event.event == "recovered") ++lives[event.node];
      life_.push_back(lives[event.node]);
      next = event.sequence + 1;
    }
  }

  [[nodiscard]] std::set<std::string> broken() const {
    std::set<std::string> names;
    const auto note = [&](bool is_broken, const char* name) {
      if (is_broken) names.insert(name);
    };
    for (std::size_t i = 0; i < events_.size(); ++i) {
      note(is_careless_change(events_[i]), "one change at a time");
      note(lacks_quorum(i), "commit rule: replicas");
      note(is_of_old_term(i), "commit rule: term");
      for (std::size_t j = 0; j < i; ++j) {
        note(two_choices(events_[j], events_[i]), "election safety");
        note(logs_differ(events_[j], events_[i]), "log matching");
        note(decisions_differ(events_[j], events_[i]), "state-machine safety");
        note(is_incomplete(j, i) || is_incomplete(i, j), "leader completeness");
        if (events_[i].node == events_[j].node) note(falls(j, i), "falls");
      }
    }
    return names;
  }

  [[nodiscard]] std::size_t leaders() const {
    std::set<std::int64_t> terms;
    for (const NodeEvent& event : events_) {
      if (event.event == "became-leader") terms.insert(event.number("term"));
    }
    return terms.size();
  }

  [[nodiscard]] std::int64_t committed() const {
    std::int64_t index = 0;
    for (const NodeEvent& event : events_) {
      if (event.event == "committed") index = std::max(index, event.number("index"));
    }
    return index;
  }

  [[nodiscard]] std::size_t changes() const {
    std::set<std::int64_t> indices;
    for (const NodeEvent& event : events_) {
      if (event.event == "configuration-committed") indices.insert(event.number("index"));
    }
    return indices.size();
  }

  [[nodiscard]] std::size_t quorums() const {
    std::set<std::pair<std::int64_t, std::string>> claims;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (claims_quorum(i)) claims.emplace(events_[i].number("at"), voters_at(i));
    }
    return claims.size();
  }

 private:
  struct Position {
    std::int64_t index = 0;
    std::int64_t term = 0;
    std::string hash;
  };

  // The end of a log, or an entry of it, that the event tells of.
  static std::optional<Position> position_of(const NodeEvent& event) {
    const std::string& name = event.event;
    const bool of_end = name == "recovered" || name == "became-leader" || name == "appended";
    if (!of_end && !is_decision(event)) return std::nullopt;
    Position position{event.number(of_end ? "last" : "index"), 0, event.text("hash")};
    position.term = event.number(name == "appended" || !of_end ? "term" : "last_term");
    if (position.index <= 0 || position.hash.empty()) return std::nullopt;
    return position;
  }

  static bool is_decision(const NodeEvent& event) {
    return event.event == "committed" || event.event == "applied";
  }

  static bool logs_differ(const NodeEvent& one, const NodeEvent& other) {
    const auto a = position_of(one);
    const auto b = position_of(other);
    return a && b && a->index == b->index && a->term == b->term && a->hash != b->hash;
  }

  static bool decisions_differ(const NodeEvent& one, const NodeEvent& other) {
    if (one.event != other.event && !(is_decision(one) && is_decision(other))) return false;
    if (one.number("index") != other.number("index")) return false;
    if (one.event == "configuration-committed") return one.text("voters") != other.text("voters");
    return is_decision(one) && one.text("hash") != other.text("hash");
  }

  static bool two_choices(const NodeEvent& one, const NodeEvent& other) {
    if (one.event != other.event || one.number("term") != other.number("term")) return false;
    if (one.event == "became-leader") return one.node != other.node;
    return one.event == "vote-granted" && one.node == other.node &&
           one.number("for") != other.number("for");
  }

  static bool is_careless_change(const NodeEvent& event) {
    return event.event == "configuration-changed" && event.number("own") == 1 &&
           event.number("previous") > event.number("commit");
  }

  // A leader without what had been committed in an earlier term. One that leads a term twice is
  // compared, the second time, with what was told before.
  [[nodiscard]] bool is_incomplete(std::size_t leader, std::size_t commit) const {
    const NodeEvent& one = events_[leader];
    const NodeEvent& other = events_[commit];
    if (one.event != "became-leader" || other.event != "committed") return false;
    if (other.number("at") >= one.number("term")) return false;
    if (commit > leader && first_leader_of(one.number("term")) != leader) return false;
    const std::int64_t last = one.number("last");
    const std::int64_t index = other.number("index");
    return last < index || (last == index && one.text("hash") != other.text("hash"));
  }

  [[nodiscard]] std::optional<std::size_t> first_leader_of(std::int64_t term) const {
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const bool leader = events_[i].event == "became-leader" && events_[i].number("term") == term;
      if (leader) return i;
    }
    return std::nullopt;
  }

  // Whether a term, over all lives of a node, or a commit index, within one, did not rise. Earlier
  // and later events of one node.
  [[nodiscard]] bool falls(std::size_t earlier, std::size_t later) const {
    const NodeEvent& one = events_[earlier];
    const NodeEvent& other = events_[later];
    const auto tells_term = [](const NodeEvent& event) {
      return event.event == "recovered" || event.event.starts_with("became-") ||
             event.event == "vote-granted";
    };
    if (tells_term(one) && tells_term(other)) return other.number("term") < one.number("term");
    if (one.event != "committed" || life_[earlier] != life_[later]) return false;
    if (other.event == "committed") return other.number("index") <= one.number("index");
    return other.event == "truncated" && other.number("from") <= one.number("index");
  }

  // A commit of whoever had told to lead that term.
  [[nodiscard]] bool is_leaders(std::size_t commit) const {
    if (events_[commit].event != "committed") return false;
    const auto leader = first_leader_of(events_[commit].number("at"));
    return leader && *leader < commit && events_[*leader].node == events_[commit].node;
  }

  [[nodiscard]] bool is_of_old_term(std::size_t commit) const {
    const NodeEvent& event = events_[commit];
    return is_leaders(commit) &&
           event.number("through", event.number("index")) == event.number("index") &&
           event.number("term") < event.number("at");
  }

  // The members in force where it is told; empty: not known.
  [[nodiscard]] std::string voters_at(std::size_t place) const {
    for (std::size_t i = place + 1; i-- > 0;) {
      const NodeEvent& event = events_[i];
      if (event.node != events_[place].node) continue;
      const bool tells = event.event == "recovered" || event.event == "configuration-changed";
      if (tells) return event.text("voters");
      if (missing_before_[i]) return {};
    }
    return {};
  }

  [[nodiscard]] bool claims_quorum(std::size_t commit) const {
    const NodeEvent& event = events_[commit];
    return is_leaders(commit) && event.number("term") == event.number("at") &&
           !voters_at(commit).empty();
  }

  // Half of the voters, or more, never told that they held it, nor may have.
  [[nodiscard]] bool lacks_quorum(std::size_t commit) const {
    if (!claims_quorum(commit)) return false;
    const std::string voters = voters_at(commit);
    std::size_t all = 0;
    std::size_t holding = 0;
    for (std::size_t at = 0; at < voters.size(); at += 3) {
      ++all;
      holding += holds(voters.substr(at, 2), events_[commit]) ? 1U : 0U;
    }
    return 2 * holding <= all;
  }

  [[nodiscard]] bool holds(const std::string& node, const NodeEvent& commit) const {
    if (has_gap_.contains(node)) return true;
    return std::ranges::any_of(events_, [&](const NodeEvent& event) {
      const bool of_disk =
          event.event == "recovered" || event.event == "appended" || event.event == "applied";
      const auto position = position_of(event);
      return of_disk && event.node == node && position && position->term == commit.number("at") &&
             position->index >= commit.number("index");
    });
  }

  const std::vector<NodeEvent>& events_;
  std::vector<bool> missing_before_;
  std::vector<int> life_;
  std::set<std::string> has_gap_;
};

std::string text_of(const std::vector<NodeEvent>& events) {
  std::string text;
  for (const NodeEvent& event : events) {
    text += fmt::format("{} {} {}", event.node, event.sequence, event.event);
    for (const auto& [name, number] : event.numbers) text += fmt::format(" {}={}", name, number);
    for (const auto& [name, value] : event.texts) text += fmt::format(" {}={}", name, value);
    text += "\n";
  }
  return text;
}

// A checker and when it says kept of events that break nothing.
struct Judged {
  std::string_view checker;
  std::map<std::string, double> parameters;
  bool (*exercised)(const Invariants& invariants);
};

void agree(const Judged& judged) {
  const std::uint64_t cases = test::case_count();
  std::map<VerdictKind, std::uint64_t> seen;
  std::map<std::string, std::uint64_t> broke;
  const auto judge = [&](std::uint64_t seed) -> std::string {
    const std::vector<NodeEvent> events = events_of(seed);
    RunFixture run(3, 1);
    for (const NodeEvent& event : events) run.context.events.push_back(event);
    run.parameters = judged.parameters;
    const Verdict verdict = run.judge(judged.checker, history::History());
    const Invariants invariants(events);
    const std::set<std::string> broken = invariants.broken();
    const VerdictKind expected = !broken.empty()                ? VerdictKind::broken
                                 : judged.exercised(invariants) ? VerdictKind::kept
                                                                : VerdictKind::not_exercised;
    ++seen[verdict.kind];
    for (const std::string& name : broken) ++broke[name];
    const std::string where = fmt::format("{} ({}): ", verdict.summary, fmt::join(broken, ", "));
    const std::string wrong = test::disagreement(name_of(expected), name_of(verdict.kind), where);
    return wrong.empty() ? wrong : wrong + "\n" + text_of(events);
  };
  if (!test::check_seeds(cases, judge)) return;
  for (const VerdictKind kind :
       {VerdictKind::kept, VerdictKind::broken, VerdictKind::not_exercised}) {
    EXPECT_GT(seen[kind], cases / 50) << name_of(kind);
  }
  EXPECT_EQ(broke.size(), 8U);
  for (const auto& [name, count] : broke) EXPECT_GT(count, cases / 200) << name;
}

TEST(ReplicatedLog, AgreesWithItsInvariants) {
  agree({.checker = "replicated-log",
         .parameters = {{"committed_min", 3}},
         .exercised = [](const Invariants& invariants) {
           return invariants.leaders() > 0 && invariants.committed() >= 3;
         }});
}

TEST(Membership, AgreesWithItsInvariants) {
  agree({.checker = "membership", .parameters = {}, .exercised = [](const Invariants& invariants) {
           return invariants.changes() > 0 && invariants.quorums() > 0;
         }});
}

}  // namespace
}  // namespace sunder::checkers
