// The observer: each invariant with a pair of events that break it and their neighbour that does
// not.

#include "checkers/replicated_log.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nodes/raft/core.hpp"

namespace sunder::checkers {
namespace {

using history::NodeEvent;

using Numbers = std::vector<std::pair<std::string, std::int64_t>>;

NodeEvent event(std::string node, std::string name, Numbers numbers, std::string hash = {}) {
  NodeEvent result;
  result.node = std::move(node);
  result.event = std::move(name);
  result.numbers = std::move(numbers);
  if (!hash.empty()) result.texts.emplace_back("hash", std::move(hash));
  return result;
}

NodeEvent leader(std::string node, std::int64_t term, std::int64_t last, std::string hash = "a") {
  return event(std::move(node),
               "became-leader",
               {{"term", term}, {"last", last}, {"last_term", term - 1}},
               std::move(hash));
}

NodeEvent committed(std::string node, std::int64_t index, std::int64_t at, std::string hash) {
  return event(
      std::move(node), "committed", {{"index", index}, {"term", at}, {"at", at}}, std::move(hash));
}

struct CommitNumbers {
  std::int64_t term = 0;
  std::int64_t at = 0;
  std::int64_t through = 0;  // 0: the batch ends here
};

NodeEvent committed_entry(std::string node, std::int64_t index, CommitNumbers numbers) {
  NodeEvent told = event(std::move(node),
                         "committed",
                         {{"index", index}, {"term", numbers.term}, {"at", numbers.at}},
                         "a");
  if (numbers.through > 0) told.numbers.emplace_back("through", numbers.through);
  return told;
}

NodeEvent applied(std::string node, std::int64_t index, std::string hash) {
  return event(std::move(node), "applied", {{"index", index}, {"term", 1}}, std::move(hash));
}

struct Row {
  std::string name;
  std::vector<NodeEvent> events;
  std::string_view broken;  // empty: nothing
};

std::vector<Row> rows() {
  const Numbers appended{{"first", 1}, {"last", 3}, {"term", 1}};
  return {
      {.name = "one leader a term",
       .events = {leader("n1", 1, 0), leader("n2", 2, 0)},
       .broken = {}},
      {.name = "two leaders in a term",
       .events = {leader("n1", 1, 0), leader("n2", 1, 0)},
       .broken = "election safety"},
      {.name = "the same vote told twice",
       .events = {event("n1", "vote-granted", {{"term", 1}, {"for", 2}}),
                  event("n1", "vote-granted", {{"term", 1}, {"for", 2}})},
       .broken = {}},
      {.name = "two votes in a term",
       .events = {event("n1", "vote-granted", {{"term", 1}, {"for", 2}}),
                  event("n1", "vote-granted", {{"term", 1}, {"for", 3}})},
       .broken = "election safety"},
      {.name = "equal entries",
       .events = {event("n1", "appended", appended, "a"), event("n2", "appended", appended, "a")},
       .broken = {}},
      {.name = "different logs below an equal position",
       .events = {event("n1", "appended", appended, "a"), event("n2", "appended", appended, "b")},
       .broken = "log matching"},
      {.name = "a leader with all that was committed",
       .events = {committed("n1", 5, 1, "a"), leader("n2", 2, 5)},
       .broken = {}},
      {.name = "a leader whose log is too short",
       .events = {committed("n1", 5, 1, "a"), leader("n2", 2, 4)},
       .broken = "leader completeness"},
      {.name = "the same, told in the other order",
       .events = {leader("n2", 2, 4), committed("n1", 5, 1, "a")},
       .broken = "leader completeness"},
      {.name = "a leader of the term in which it is committed",
       .events = {leader("n2", 2, 4), committed("n1", 5, 2, "a")},
       .broken = {}},
      {.name = "a leader with another entry there",
       .events = {committed("n1", 5, 1, "b"), leader("n2", 2, 5, "a")},
       .broken = "leader completeness"},
      {.name = "the same applied",
       .events = {applied("n1", 3, "a"), applied("n2", 3, "a")},
       .broken = {}},
      {.name = "different entries applied",
       .events = {applied("n1", 3, "a"), applied("n2", 3, "b")},
       .broken = "log matching"},
      {.name = "commits that rise",
       .events = {committed("n1", 3, 1, "a"), committed("n1", 4, 1, "b")},
       .broken = {}},
      {.name = "a commit that falls",
       .events = {committed("n1", 4, 1, "b"), committed("n1", 3, 1, "a")},
       .broken = "monotonic commit"},
      {.name = "a commit that begins anew after a restart",
       .events = {committed("n1", 4, 1, "b"),
                  event("n1", "recovered", {{"term", 1}, {"last", 0}}),
                  committed("n1", 3, 1, "a")},
       .broken = {}},
      {.name = "uncommitted entries removed",
       .events = {committed("n1", 4, 1, "b"), event("n1", "truncated", {{"from", 5}})},
       .broken = {}},
      {.name = "committed entries removed",
       .events = {committed("n1", 4, 1, "b"), event("n1", "truncated", {{"from", 4}})},
       .broken = "committed entries stay"},
      {.name = "a term that falls over a restart",
       .events = {event("n1", "became-follower", {{"term", 3}}),
                  event("n1", "recovered", {{"term", 2}, {"last", 0}})},
       .broken = "monotonic term"},
  };
}

std::vector<Row> commit_rule_rows() {
  return {
      {.name = "a leader commits an entry of its own term",
       .events = {leader("n1", 2, 4), committed_entry("n1", 5, {.term = 2, .at = 2})},
       .broken = {}},
      {.name = "a leader commits by counting an entry of an older term",
       .events = {leader("n1", 2, 4), committed_entry("n1", 4, {.term = 1, .at = 2})},
       .broken = "commit rule"},
      {.name = "a leader's batch begins with entries of an older term",
       .events = {leader("n1", 2, 64),
                  committed_entry("n1", 64, {.term = 1, .at = 2, .through = 65}),
                  committed_entry("n1", 65, {.term = 2, .at = 2})},
       .broken = {}},
      {.name = "a follower learns that entries of an older term are committed",
       .events = {leader("n1", 2, 4), committed_entry("n2", 4, {.term = 1, .at = 2})},
       .broken = {}},
  };
}

void expect_told_apart(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ReplicatedLogObserver observer;
    for (const NodeEvent& told : row.events) observer.observe(told);
    if (row.broken.empty()) {
      EXPECT_EQ(observer.violation_count(), 0U);
    } else {
      ASSERT_FALSE(observer.violations().empty());
      EXPECT_EQ(observer.violations().front().invariant, row.broken);
    }
  }
}

TEST(ReplicatedLogObserver, TellsWhatIsBrokenFromItsNeighbour) {
  expect_told_apart(rows());
}

TEST(ReplicatedLogObserver, LetsALeaderCountReplicasOfItsOwnTermOnly) {
  expect_told_apart(commit_rule_rows());
}

// The restart's own event may be among the lost ones: the node's commit index is then not known any
// more.
TEST(ReplicatedLogObserver, DoesNotCompareCommitsAcrossAGap) {
  ReplicatedLogObserver observer;
  NodeEvent before = committed("n1", 4, 1, "b");
  before.sequence = 0;
  NodeEvent after = committed("n1", 3, 1, "a");
  after.sequence = 2;
  observer.observe(before);
  observer.observe(after);
  EXPECT_EQ(observer.violation_count(), 0U);
  EXPECT_EQ(observer.gaps(), 1U);
}

NodeEvent with_voters(NodeEvent told, std::string voters) {
  told.texts.emplace_back("voters", std::move(voters));
  return told;
}

NodeEvent recovered(std::string node, std::string voters) {
  const Numbers numbers{{"term", 0}, {"first", 1}, {"last", 0}, {"last_term", 0}, {"commit", 0}};
  return with_voters(event(std::move(node), "recovered", numbers, "0"), std::move(voters));
}

NodeEvent appended(std::string node, std::int64_t last) {
  const Numbers numbers{{"first", 1}, {"last", last}, {"term", 2}};
  return event(std::move(node), "appended", numbers, fmt::format("h{}", last));
}

NodeEvent changed(std::string node, std::int64_t previous, std::int64_t commit) {
  const Numbers numbers{{"index", 9}, {"previous", previous}, {"commit", commit}, {"own", 1}};
  return with_voters(event(std::move(node), "configuration-changed", numbers), "n1,n2");
}

std::vector<Row> member_rows() {
  const auto agreed = [](std::string node, std::string voters) {
    return with_voters(event(std::move(node), "configuration-committed", {{"index", 4}, {"at", 2}}),
                       std::move(voters));
  };
  const auto counted = [](std::int64_t follower) {
    return std::vector<NodeEvent>{recovered("n1", "n1,n2,n3"),
                                  leader("n1", 2, 0),
                                  appended("n1", 5),
                                  appended("n2", follower),
                                  committed("n1", 5, 2, "h5")};
  };
  // The two that hold the entry are a majority of three, not of the four that are in force.
  std::vector<NodeEvent> added = counted(5);
  added.insert(added.begin() + 2,
               with_voters(event("n1",
                                 "configuration-changed",
                                 {{"index", 2}, {"previous", 0}, {"commit", 1}, {"own", 0}}),
                           "n1,n2,n3,n4"));
  return {
      {"a change after the last was committed", {changed("n1", 7, 7)}, ""},
      {"a change before the last was committed", {changed("n1", 7, 6)}, "one change at a time"},
      {"the same members everywhere", {agreed("n1", "n1,n2"), agreed("n2", "n1,n2")}, ""},
      {"other members elsewhere",
       {agreed("n1", "n1,n2"), agreed("n2", "n2,n3")},
       "state-machine safety"},
      {"a majority of the voters held it", counted(5), ""},
      {"a minority of the voters held it", counted(4), "commit rule"},
      {"no majority of the voters in force held it", added, "commit rule"},
  };
}

TEST(ReplicatedLogObserver, KnowsWhoseMajorityCounts) {
  for (const Row& row : member_rows()) {
    SCOPED_TRACE(row.name);
    ReplicatedLogObserver observer;
    for (const NodeEvent& told : row.events) observer.observe(told);
    observer.conclude();
    std::vector<std::string_view> broken;
    for (const LogViolation& violation : observer.violations()) {
      broken.push_back(violation.invariant);
    }
    if (row.broken.empty()) {
      EXPECT_THAT(broken, ::testing::IsEmpty());
    } else {
      EXPECT_THAT(broken, ::testing::ElementsAre(row.broken));
    }
  }
}

// What a node told before a gap is not all: it is taken to have held the entry.
TEST(ReplicatedLogObserver, DoesNotMissAHolderWhoseEventsWereLost) {
  ReplicatedLogObserver observer;
  std::vector<NodeEvent> events{recovered("n1", "n1,n2,n3"),
                                leader("n1", 2, 0),
                                appended("n1", 5),
                                committed("n1", 5, 2, "h5"),
                                appended("n2", 3),
                                appended("n2", 4)};
  events[4].sequence = 1;
  events[5].sequence = 3;
  for (const NodeEvent& told : events) observer.observe(told);
  observer.conclude();
  EXPECT_EQ(observer.violation_count(), 0U);
}

TEST(ReplicatedLogChecker, NeedsALeaderAndCommittedEntries) {
  history::RunContext context;
  CheckOptions options;
  EXPECT_EQ(check_replicated_log({}, options, {}).kind, VerdictKind::not_exercised);
  options.context = &context;
  EXPECT_EQ(check_replicated_log({}, options, {}).kind, VerdictKind::not_exercised);
  context.events = {leader("n1", 1, 0), committed("n1", 9, 1, "a")};
  EXPECT_EQ(check_replicated_log({}, options, {}).kind, VerdictKind::not_exercised);
  context.events.push_back(committed("n1", 10, 1, "b"));
  EXPECT_EQ(check_replicated_log({}, options, {}).kind, VerdictKind::kept);
}

TEST(ReplicatedLogChecker, NamesTheFirstViolationAndTheLostEvents) {
  history::RunContext context;
  context.events = {leader("n1", 1, 0), leader("n2", 1, 0)};
  context.dropped_events = 7;
  CheckOptions options;
  options.context = &context;
  const Verdict verdict = check_replicated_log({}, options, {});
  EXPECT_EQ(verdict.kind, VerdictKind::broken);
  EXPECT_THAT(verdict.summary, ::testing::HasSubstr("n1 and n2 were both leader in term 1"));
  EXPECT_THAT(verdict.details.back(), ::testing::HasSubstr("7 node events were dropped"));
}

TEST(RaftSabotageNames, AreReadAsTheyAreWritten) {
  for (const std::string_view name : {"ack-before-quorum", "stale-read", "commit-old-term"}) {
    const auto sabotage = nodes::raft::sabotage_named(name);
    ASSERT_TRUE(sabotage.has_value());
    EXPECT_EQ(nodes::raft::name_of(*sabotage), name);
  }
  EXPECT_FALSE(nodes::raft::sabotage_named("apply-twice").has_value());
}

}  // namespace
}  // namespace sunder::checkers
