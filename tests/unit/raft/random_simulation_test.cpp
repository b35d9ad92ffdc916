// Random simulations of the Raft core: many seeds without a violation, and every sabotage caught in
// many.
//
// A failing seed is printed; SUNDER_RAFT_SEED=<seed> replays it alone, with its trace on standard
// error.

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/unit/raft/simulation.hpp"

namespace sunder::nodes::raft {
namespace {

constexpr std::size_t kStepsHealthy = 15'000;
constexpr std::size_t kStepsSabotaged = 30'000;

constexpr std::int64_t kClockSteps = 1'000'000;

// How often each thing happens, relative to the others.
struct Weights {
  double deliver = 60;
  double tick = 16;
  double sync = 40;
  double propose = 2;
  double read = 2;
  double drop = 0.5;
  double duplicate = 0.5;
  double partition = 0.06;
  double heal = 0.08;
  double crash = 0.06;
  double restart = 0.3;
  double snapshot = 0.2;
  double transfer = 0.05;
  double stall = 0.05;
  double clock = 0;
  double change = 0;  // of members
};

struct Plan {
  std::uint64_t seed = 1;
  NodeId nodes = 3;
  NodeId members = 0;
  Sabotage sabotage = Sabotage::none;
  Weights weights = {};
  std::size_t steps = kStepsHealthy;
  bool trace = false;
};

class Generator {
 public:
  explicit Generator(const Plan& plan)
      : simulation_(SimulationOptions{.nodes = plan.nodes,
                                      .members = plan.members,
                                      .seed = plan.seed,
                                      .sabotage = plan.sabotage,
                                      .election_ticks = 10,
                                      .message_entries_max = 4,
                                      .slow_disks = true,
                                      .trace = plan.trace,
                                      .trace_messages = plan.trace}),
        steps_(plan.steps),
        random_(base::Random(plan.seed).fork("simulation", plan.nodes)),
        weights_{plan.weights.deliver,
                 plan.weights.tick,
                 plan.weights.sync,
                 plan.weights.propose,
                 plan.weights.read,
                 plan.weights.drop,
                 plan.weights.duplicate,
                 plan.weights.partition,
                 plan.weights.heal,
                 plan.weights.crash,
                 plan.weights.restart,
                 plan.weights.snapshot,
                 plan.weights.transfer,
                 plan.weights.stall,
                 plan.weights.clock,
                 plan.weights.change} {}

  Simulation& run() {
    for (std::size_t step = 0; step < steps_; ++step) act(random_.weighted(weights_));
    simulation_.settle_and_check();
    return simulation_;
  }

 private:
  NodeId any_node() { return static_cast<NodeId>(1 + random_.below(simulation_.node_count())); }

  Simulation::Link any_link() {
    std::vector<Simulation::Link> busy;
    for (const auto& [link, queue] : simulation_.links()) {
      if (!queue.empty() && link.first != stalled_) busy.push_back(link);
    }
    return busy.empty() ? Simulation::Link{1, 2} : random_.pick(busy);
  }

  // Mostly in order, as TCP would; now and then not.
  std::size_t any_position(Simulation::Link link) {
    const auto queue = simulation_.links().find(link);
    if (queue == simulation_.links().end() || queue->second.empty()) return 0;
    return random_.chance(0.9) ? 0 : static_cast<std::size_t>(random_.below(queue->second.size()));
  }

  // Clients ask whoever leads, and often somebody who only believes so.
  NodeId any_leader() {
    std::vector<NodeId> leaders;
    for (NodeId node = 1; node <= simulation_.node_count(); ++node) {
      if (simulation_.is_up(node) && simulation_.core(node).role() == Role::leader) {
        leaders.push_back(node);
      }
    }
    return leaders.empty() ? any_node() : random_.pick(leaders);
  }

  void partition() {
    std::vector<bool> side(simulation_.node_count() + 1);
    for (NodeId node = 1; node <= simulation_.node_count(); ++node)
      side[node] = random_.chance(0.5);
    const bool both_ways = random_.chance(0.8);
    for (NodeId from = 1; from <= simulation_.node_count(); ++from) {
      for (NodeId to = 1; to <= simulation_.node_count(); ++to) {
        if (side[from] != side[to] && (both_ways || side[from])) simulation_.cut({from, to});
      }
    }
  }

  // Adds or removes a node, at whoever leads or believes so.
  void change_member() {
    const NodeId leader = any_leader();
    if (!simulation_.is_up(leader)) return;
    const NodeId other = any_node();
    const Configuration& members = simulation_.core(leader).configuration();
    const bool is_member = members.contains(other);
    if (is_member && members.voters.size() <= 2) return;
    simulation_.change_member(leader, other, !is_member);
  }

  void act(std::size_t what) {
    const Simulation::Link link = any_link();
    switch (what) {
      case 0:
        simulation_.deliver(link, any_position(link));
        break;
      case 1:
        simulation_.tick(any_node());
        break;
      case 2:
        simulation_.sync(any_node());
        break;
      case 3:
        simulation_.propose(any_leader(), fmt::format("c{}", ++operations_));
        break;
      case 4:
        simulation_.read(any_leader(), fmt::format("r{}", ++operations_));
        break;
      case 5:
        simulation_.drop(link, any_position(link));
        break;
      case 6:
        simulation_.duplicate(link);
        break;
      case 7:
        partition();
        break;
      case 8:
        simulation_.heal();
        break;
      case 9:
        simulation_.crash(any_node());
        break;
      case 10:
        simulation_.restart(any_node());
        break;
      case 11:
        simulation_.take_snapshot(any_node());
        break;
      case 14:
        simulation_.move_clock(any_node(), random_.between(-kClockSteps, kClockSteps));
        break;
      case 15:
        change_member();
        break;
      default:
        stalled_ = stalled_ == kNobody ? any_leader() : kNobody;
        break;
    }
  }

  Simulation simulation_;
  std::size_t steps_;
  base::Random random_;
  std::vector<double> weights_;
  std::size_t operations_ = 0;
  NodeId stalled_ = kNobody;  // what it sends stays under way
};

std::vector<std::uint64_t> seeds(std::size_t count) {
  if (const char* only = std::getenv("SUNDER_RAFT_SEED")) return {std::strtoull(only, nullptr, 10)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
  return all;
}

// How often members changed.
std::size_t expect_no_violation(Plan plan) {
  plan.trace = std::getenv("SUNDER_RAFT_SEED") != nullptr;
  Generator generator(plan);
  Simulation& simulation = generator.run();
  for (const std::string& line : simulation.take_trace()) fmt::print(stderr, "{}\n", line);
  for (const std::string& violation : simulation.violations()) {
    ADD_FAILURE() << violation << "\nreplay: SUNDER_RAFT_SEED=" << plan.seed
                  << " sunder_test_raft --gtest_filter='"
                  << ::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name()
                  << "." << ::testing::UnitTest::GetInstance()->current_test_info()->name() << "'";
  }
  EXPECT_GT(simulation.observer().leader_count(), 0U) << "seed " << plan.seed;
  EXPECT_GT(simulation.answered(), 0U) << "seed " << plan.seed;
  return simulation.members_changed();
}

TEST(RaftRandomSimulation, ThreeNodesKeepEveryInvariant) {
  for (const std::uint64_t seed : seeds(100)) expect_no_violation({.seed = seed, .nodes = 3});
}

TEST(RaftRandomSimulation, FiveNodesKeepEveryInvariant) {
  for (const std::uint64_t seed : seeds(100)) expect_no_violation({.seed = seed, .nodes = 5});
}

// Members come and go, among them the leader.
TEST(RaftRandomSimulation, ChangesOfMembersKeepEveryInvariant) {
  std::size_t changed = 0;
  for (const std::uint64_t seed : seeds(100)) {
    changed += expect_no_violation(
        {.seed = seed, .nodes = 6, .members = 4, .weights = {.change = 0.4}, .steps = 20'000});
  }
  EXPECT_GT(changed, 100U);
}

TEST(RaftRandomSimulation, SameSeedSameTrace) {
  const Plan plan{.seed = 5, .nodes = 3, .trace = true};
  Generator first(plan);
  Generator second(plan);
  const auto trace = first.run().take_trace();
  EXPECT_GT(trace.size(), 100U);
  EXPECT_EQ(trace, second.run().take_trace());
}

// A liveness bug: no invariant breaks, but nothing is answered while one node is down.
TEST(RaftWaitForAll, StopsCommitsWhileOneNodeIsDown) {
  for (const Sabotage sabotage : {Sabotage::none, Sabotage::wait_for_all}) {
    SCOPED_TRACE(name_of(sabotage));
    constexpr std::size_t kRounds = 60;
    Simulation simulation({.nodes = 3, .sabotage = sabotage});
    simulation.run(kRounds);
    const NodeId leader = simulation.leader();
    ASSERT_NE(leader, kNobody);
    simulation.propose(leader, "a");
    simulation.run(kRounds);
    EXPECT_EQ(simulation.answered(), 1U);
    const NodeId other = leader == 1 ? 2 : 1;
    simulation.crash(other);
    simulation.propose(leader, "b");
    simulation.run(kRounds);
    EXPECT_EQ(simulation.answered(), sabotage == Sabotage::none ? 2U : 1U);
    simulation.restart(other);
    simulation.run(kRounds);
    EXPECT_EQ(simulation.answered(), 2U);
    EXPECT_TRUE(simulation.violations().empty());
  }
}

// What makes it a bug that only wrong clocks uncover; the core without it needs no right ones.
TEST(RaftLeaseByWallClock, KeepsEveryInvariantWhileClocksAreRight) {
  for (const std::uint64_t seed : seeds(60)) {
    expect_no_violation({.seed = seed, .nodes = 5, .sabotage = Sabotage::lease_by_wall_clock});
  }
}

TEST(RaftRandomSimulation, WrongClocksBreakNothing) {
  for (const std::uint64_t seed : seeds(40)) {
    expect_no_violation({.seed = seed, .nodes = 5, .weights = {.clock = 0.1}});
  }
}

struct SabotageRow {
  Sabotage sabotage;
  Weights weights;
  std::size_t caught_min;  // of kSabotageSeeds; fixed seeds, so the number never varies
};

constexpr std::size_t kSabotageSeeds = 40;

void PrintTo(const SabotageRow& row, std::ostream* out) {
  *out << name_of(row.sabotage);
}

class RaftSabotage : public ::testing::TestWithParam<SabotageRow> {};

TEST_P(RaftSabotage, IsCaughtInMostSeeds) {
  const SabotageRow& row = GetParam();
  std::size_t caught = 0;
  for (std::uint64_t seed = 1; seed <= kSabotageSeeds; ++seed) {
    Generator generator({.seed = seed,
                         .nodes = 5,
                         .sabotage = row.sabotage,
                         .weights = row.weights,
                         .steps = kStepsSabotaged});
    if (!generator.run().violations().empty()) ++caught;
  }
  RecordProperty("caught", static_cast<int>(caught));
  EXPECT_GE(caught, row.caught_min) << "of " << kSabotageSeeds;
}

const SabotageRow kSabotageRows[] = {
    {Sabotage::ack_before_quorum, {}, 30},
    {Sabotage::ack_before_append, {}, 30},
    {Sabotage::stale_read, {}, 30},
    {Sabotage::lease_by_wall_clock, {.read = 10, .clock = 2}, 5},
    // Votes are forgotten when candidates meet crashes.
    {Sabotage::vote_twice,
     {.deliver = 30, .tick = 50, .propose = 1, .read = 1, .crash = 5, .restart = 100, .stall = 0.5},
     21},
    // Messages of old leaders arrive late when links are slow.
    {Sabotage::ignore_term, {.propose = 4, .stall = 0.08}, 21},
    {Sabotage::commit_old_term,
     {.partition = 0.1, .heal = 0.1, .crash = 0.3, .restart = 2, .stall = 0.2},
     21},
};

std::string row_name(const ::testing::TestParamInfo<SabotageRow>& row) {
  std::string name(name_of(row.param.sabotage));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Core, RaftSabotage, ::testing::ValuesIn(kSabotageRows), row_name);

}  // namespace
}  // namespace sunder::nodes::raft
