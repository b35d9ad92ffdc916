// Changes of members as faults: who is chosen, what is asked for, what counts as evidence.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "nemesis/members.hpp"
#include "nemesis/nemesis.hpp"
#include "tests/unit/nemesis/fake_cluster.hpp"

namespace sunder::nemesis {
namespace {

using history::FaultRecord;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MemberChangeOutcome committed_at(std::int64_t index) {
  MemberChangeOutcome outcome;
  outcome.requests = 1;
  outcome.answers = 1;
  outcome.index = index;
  outcome.began = 1'000'000;
  outcome.committed = 3'000'000;
  return outcome;
}

// Remembers the job, and says of each change what the test wants.
class FakeMembers final : public Members {
 public:
  void begin(MemberJob wanted) override { job = std::move(wanted); }

  std::vector<MemberChangeOutcome> end(std::uint32_t fault) override {
    EXPECT_EQ(fault, job.fault);
    std::vector<MemberChangeOutcome> outcomes;
    for (const MemberChange& change : job.changes) {
      MemberChangeOutcome outcome = answer;
      outcome.change = change;
      outcomes.push_back(std::move(outcome));
    }
    return outcomes;
  }

  MemberJob job;
  MemberChangeOutcome answer = committed_at(17);
};

class MembershipFault : public ::testing::Test {
 protected:
  explicit MembershipFault(std::size_t nodes = 5) : cluster(nodes, 2) { cluster.spare_count = 2; }

  FaultRecord run(std::string_view text) {
    ScheduleOptions options;
    options.nodes = cluster.nodes();
    auto schedule = make_schedule(text, options);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
    std::optional<Result<std::vector<FaultRecord>>> outcome;
    auto task = run_schedule(context, std::move(*schedule));
    auto keep = [&](const std::exception_ptr& error, Result<std::vector<FaultRecord>> result) {
      if (error) std::rethrow_exception(error);
      outcome.emplace(std::move(result));
    };
    boost::asio::co_spawn(loop, std::move(task), std::move(keep));
    loop.run();
    loop.restart();
    EXPECT_TRUE(outcome->has_value());
    return (*outcome)->front();
  }

  // "+n6 -n2!": added, removed and ended.
  [[nodiscard]] std::vector<std::string> asked() const {
    std::vector<std::string> words;
    for (const MemberChange& change : members.job.changes) {
      words.push_back(
          fmt::format("{}n{}{}", change.add ? "+" : "-", change.node + 1, change.end ? "!" : ""));
    }
    return words;
  }

  boost::asio::io_context loop;
  FakeCluster cluster;
  FakeMembers members;
  base::RunClock clock;
  NemesisContext context{.cluster = cluster,
                         .clock = clock,
                         .leader = [] { return std::optional<std::size_t>(1); },
                         .client_nodes = {0, 1},
                         .on_event = nullptr,
                         .record = nullptr,
                         .members = &members};
};

class MembershipFaultOfFour : public MembershipFault {
 protected:
  MembershipFaultOfFour() : MembershipFault(4) {}
};

TEST_F(MembershipFault, AddsASpareBesideAFollower) {
  const FaultRecord record = run("membership:add@0s+10ms");
  EXPECT_THAT(asked(), ElementsAre("+n6"));
  EXPECT_NE(members.job.changes.front().beside, std::size_t{1});
  EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_TRUE(record.changes_members);
  EXPECT_THAT(record.targets, IsEmpty());
}

TEST_F(MembershipFault, RemovesTheLeaderWithEvidence) {
  const FaultRecord record = run("membership:remove-leader@0s+10ms");
  EXPECT_THAT(asked(), ElementsAre("-n2"));
  EXPECT_THAT(record.targets, ElementsAre("n2"));
  ASSERT_EQ(record.evidence.size(), 4U);
  EXPECT_EQ(record.evidence[0].name, "remove n2 committed at index");
  EXPECT_EQ(record.evidence[0].value, 17);
  EXPECT_EQ(record.evidence[1].value, 2);
}

TEST_F(MembershipFault, ReplacesNodesThatNoOtherFaultHolds) {
  ASSERT_TRUE(cluster.signal(0, SIGSTOP).has_value());
  const FaultRecord record = run("membership:churn@0s+10ms");
  ASSERT_EQ(members.job.changes.size(), 4U);
  EXPECT_THAT(asked(), ::testing::Not(Contains("-n1!")));
  EXPECT_THAT(asked(), ::testing::Not(Contains("-n2!")));
  EXPECT_EQ(asked()[0], "+n6");
  EXPECT_EQ(asked()[2], "+n7");
  EXPECT_EQ(record.targets.size(), 2U);
}

TEST_F(MembershipFaultOfFour, NeverLetsAMinorityDecide) {
  const FaultRecord record = run("membership:remove@0s+10ms");
  ASSERT_EQ(members.job.changes.size(), 2U);
  EXPECT_EQ(asked()[0], "+n5");
  EXPECT_THAT(record.description, HasSubstr("replaced, not only removed"));
}

TEST_F(MembershipFault, SaysWhyNothingWasChanged) {
  members.answer = {};
  members.answer.requests = 8;
  members.answer.error = "NOLEADER no leader is known";
  const FaultRecord record = run("membership:remove@0s+10ms");
  EXPECT_FALSE(record.exercised);
  EXPECT_THAT(record.reason, HasSubstr("NOLEADER"));
}

TEST_F(MembershipFault, AsksNothingOfALeaderThatReachesEverybody) {
  const FaultRecord record = run("membership:remove-unreachable@0s+10ms");
  EXPECT_THAT(asked(), IsEmpty());
  EXPECT_FALSE(record.exercised);
  EXPECT_THAT(record.reason, HasSubstr("n2, reaches the others"));
}

TEST_F(MembershipFault, IsSkippedWhereNobodyChangesMembers) {
  context.members = nullptr;
  const FaultRecord record = run("membership:add@0s+10ms");
  EXPECT_FALSE(record.exercised);
  EXPECT_THAT(record.description, HasSubstr("skipped"));
}

}  // namespace
}  // namespace sunder::nemesis
