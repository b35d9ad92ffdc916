// Random runs of the simulated store: cuts, crashes, lost and reordered messages. Afterwards,
// healed, replicas agree and every acknowledged write is kept or was replaced by a later one;
// strict quorums never read anything stale. Each bug of the core breaks one of these in some runs.

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/quorum/simulation.hpp"

namespace sunder::nodes::quorum {
namespace {

constexpr int kKeys = 4;

struct Findings {
  bool apart = false;     // replicas differ at the end
  bool hinted = false;    // hints are left
  bool lost = false;      // a last read misses an acknowledged write
  bool stale = false;     // a read misses a write that had been acknowledged before it
  bool invented = false;  // a read finds what nobody wrote to that key
  bool stuck = false;     // a command is not answered although nothing is broken any more

  [[nodiscard]] bool any() const { return apart || hinted || lost || stale || invented || stuck; }
};

class RandomRun {
 public:
  RandomRun(const SimulationOptions& options, std::uint64_t seed)
      : options_(options), simulation_(options), random_(seed) {}

  Findings perform() {
    simulation_.run(5);
    for (int i = 0; i < 400; ++i) disturb();
    simulation_.heal();
    for (NodeId node = 1; node <= options_.nodes; ++node) {
      if (!simulation_.is_up(node)) simulation_.restart(node);
    }
    simulation_.run(300);
    findings_.apart = !simulation_.agree();
    const std::size_t before = simulation_.operations().size();
    for (NodeId node = 1; node <= options_.nodes; ++node) {
      findings_.hinted = findings_.hinted || simulation_.core(node).hints() > 0;
      for (int key = 0; key < kKeys; ++key) simulation_.get(node, name(key));
      simulation_.run(30);
    }
    judge(before);
    return findings_;
  }

 private:
  static std::string name(int key) { return "k" + std::to_string(key); }

  NodeId any_node() { return static_cast<NodeId>(1 + random_.below(options_.nodes)); }

  void disturb() {
    const NodeId node = any_node();
    const bool up = simulation_.is_up(node);
    const std::uint64_t die = random_.below(100);
    if (die < 30) {
      for (int i = 0; i < 10; ++i) simulation_.deliver_one(random_);
    } else if (die < 45) {
      simulation_.flush(node);
    } else if (die < 60) {
      simulation_.tick();
    } else if (die < 72 && up) {
      simulation_.set(node, key(), std::to_string(++written_));
    } else if (die < 84 && up) {
      simulation_.get(node, key());
    } else if (die < 87) {
      simulation_.lose_one(random_);
    } else if (die < 89) {
      if (up) simulation_.crash(node);
    } else if (die < 92) {
      if (!up) simulation_.restart(node);
    } else if (die < 94) {
      simulation_.isolate({node, any_node()});
    } else if (die < 96) {
      simulation_.heal();
    } else {
      simulation_.run(2);
    }
  }

  std::string key() { return name(static_cast<int>(random_.below(kKeys))); }

  // By definition, over all pairs.
  void judge(std::size_t final_from) {
    const auto& all = simulation_.operations();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Operation& read = all[i];
      if (!read.read) continue;
      if (i >= final_from && !read.ok()) findings_.stuck = true;
      if (!read.ok()) continue;
      const Operation* source = nullptr;
      for (const Operation& write : all) {
        if (!write.read && write.key == read.key && write.value == read.value) source = &write;
      }
      if (read.value && source == nullptr) findings_.invented = true;
      if (source != nullptr && !source->ok()) continue;
      for (const Operation& write : all) {
        const bool earlier =
            !write.read && write.ok() && write.key == read.key && write.completed < read.invoked;
        if (!earlier) continue;
        const bool older = source == nullptr || source->completed < write.invoked;
        if (older) (i >= final_from ? findings_.lost : findings_.stale) = true;
      }
    }
  }

  SimulationOptions options_;
  Simulation simulation_;
  base::Random random_;
  std::uint64_t written_ = 0;
  Findings findings_;
};

SimulationOptions strict() {
  return {.reads = 2, .writes = 2, .sloppy = false};
}

constexpr std::uint64_t kSeeds = 120;

TEST(QuorumSimulation, SloppyQuorumsConvergeOnTheLastWrite) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const Findings found = RandomRun(SimulationOptions(), seed).perform();
    ASSERT_FALSE(found.apart);
    ASSERT_FALSE(found.hinted);
    ASSERT_FALSE(found.lost);
    ASSERT_FALSE(found.invented);
    ASSERT_FALSE(found.stuck);
  }
}

TEST(QuorumSimulation, StrictQuorumsReadNothingStaleBesides) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_FALSE(RandomRun(strict(), seed).perform().any());
  }
}

// What the promises of `quorum` leave out is there to be seen.
TEST(QuorumSimulation, SloppyQuorumsReadStaleValues) {
  bool stale = false;
  for (std::uint64_t seed = 1; seed <= kSeeds && !stale; ++seed) {
    stale = RandomRun(SimulationOptions(), seed).perform().stale;
  }
  EXPECT_TRUE(stale);
}

struct SabotageRow {
  const char* name;
  bool strict;
  bool Findings::*breaks;
};

class QuorumSabotage : public ::testing::TestWithParam<SabotageRow> {};

TEST_P(QuorumSabotage, IsFoundBySomeRun) {
  SimulationOptions options = GetParam().strict ? strict() : SimulationOptions();
  options.sabotage = sabotage_named(GetParam().name).value();
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 4 * kSeeds && !found; ++seed) {
    found = RandomRun(options, seed).perform().*GetParam().breaks;
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(
    Each,
    QuorumSabotage,
    ::testing::Values(SabotageRow{"ack-below-w", true, &Findings::stale},
                      SabotageRow{"drop-hints-on-restart", false, &Findings::lost},
                      SabotageRow{"no-exchange", false, &Findings::apart},
                      SabotageRow{"repair-with-older", true, &Findings::stale},
                      SabotageRow{"reuse-request-numbers", false, &Findings::invented},
                      SabotageRow{"tie-without-order", false, &Findings::apart}),
    [](const auto& tested) {
      std::string name = tested.param.name;
      std::ranges::replace(name, '-', '_');
      return name;
    });

}  // namespace
}  // namespace sunder::nodes::quorum
