// The sabotages against the promise sheets: every promise has one that breaks it, and each has a
// schedule that a run takes.

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "harness/run/options.hpp"
#include "harness/run/scenario.hpp"
#include "nodes/system.hpp"

namespace sunder::run {
namespace {

TEST(Sabotages, BreakEveryPromiseOfEveryMode) {
  for (const nodes::System& system : nodes::all_systems()) {
    for (const nodes::Mode& mode : system.modes) {
      SCOPED_TRACE(mode.name);
      std::set<std::string> promised;
      for (const nodes::Promise& promise : mode.promises) {
        // What a healthy node does not give needs no bug to be missed.
        if (!promise.price) promised.insert(promise.name);
      }
      std::set<std::string> broken;
      for (const nodes::Sabotage& sabotage : mode.sabotages) {
        SCOPED_TRACE(sabotage.name);
        EXPECT_FALSE(sabotage.breaks.empty());
        for (const std::string& promise : sabotage.breaks) {
          EXPECT_TRUE(promised.contains(promise)) << promise;
          broken.insert(promise);
        }
      }
      EXPECT_EQ(broken, promised);
    }
  }
}

TEST(Sabotages, HaveSchedulesThatResolveAndExerciseWhatTheyBreak) {
  for (const Scenario& scenario : all_scenarios()) {
    const nodes::Mode& mode = mode_of(scenario);
    for (const nodes::Sabotage& sabotage : mode.sabotages) {
      SCOPED_TRACE(std::string(scenario.name) + " " + sabotage.name);
      RunOptions options;
      options.scenario = scenario.name;
      options.sabotage = sabotage.name;
      options.seed = 1;
      options.kernel = "uml";  // another kernel than this machine's, whatever this one lacks
      const auto run = resolve(options);
      ASSERT_TRUE(run.has_value()) << run.error().message();
      EXPECT_FALSE(run->schedule.empty());
      for (const nodes::Promise& promise : mode.promises) {
        const auto& breaks = sabotage.breaks;
        if (std::ranges::find(breaks, promise.name) == breaks.end() || promise.needs.empty()) {
          continue;
        }
        EXPECT_TRUE(std::ranges::any_of(promise.needs,
                                        [&](const std::string& family) {
                                          return std::ranges::find(run->families, family) !=
                                                 run->families.end();
                                        }))
            << promise.name << " would not apply";
      }
    }
  }
}

}  // namespace
}  // namespace sunder::run
