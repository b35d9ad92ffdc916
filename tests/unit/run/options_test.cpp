// The inputs of a run: defaults, limits, errors that say what to do, and run.json that gives the
// same run again.

#include "harness/run/options.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

RunOptions valid() {
  RunOptions options;
  options.scenario = "raft/register";
  options.seed = 7;
  options.duration = 30s;
  options.faults = "partition,kill";
  return options;
}

TEST(RunOptions, ResolvesTheSameScheduleFromTheSameSeed) {
  const auto a = resolve(valid());
  const auto b = resolve(valid());
  ASSERT_TRUE(a.has_value()) << a.error().message();
  EXPECT_FALSE(a->schedule.empty());
  EXPECT_EQ(nemesis::to_text(a->schedule), nemesis::to_text(b->schedule));
  RunOptions other = valid();
  other.seed = 8;
  EXPECT_NE(nemesis::to_text(resolve(other)->schedule), nemesis::to_text(a->schedule));
}

TEST(RunOptions, StoredInputsGiveExactlyTheSameSchedule) {
  const auto run = resolve(valid());
  ASSERT_TRUE(run.has_value());
  const auto stored = read_inputs(to_json(*run, "2026-01-31T23:59:59Z"), "run.json");
  ASSERT_TRUE(stored.has_value()) << stored.error().message();
  const auto again = resolve(*stored);
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(nemesis::to_text(again->schedule), nemesis::to_text(run->schedule));
  EXPECT_EQ(again->families, run->families);
  EXPECT_EQ(again->seed, run->seed);
  EXPECT_EQ(again->mix, run->mix);
}

TEST(RunOptions, TheKernelIsPartOfTheInputs) {
  RunOptions options = valid();
  options.kernel = "uml";
  const auto run = resolve(options);
  ASSERT_TRUE(run.has_value()) << run.error().message();
  EXPECT_NE(command_line(*run).find(" --kernel uml"), std::string::npos);
  const auto stored = read_inputs(to_json(*run, "2026-01-31T23:59:59Z"), "run.json");
  ASSERT_TRUE(stored.has_value()) << stored.error().message();
  EXPECT_EQ(stored->options.kernel, "uml");
  const auto plain = resolve(valid());
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(command_line(*plain).find("--kernel"), std::string::npos);
}

TEST(RunOptions, RefusesWhatCannotBeRun) {
  struct Row {
    const char* name;
    void (*change)(RunOptions&);
    const char* says;
  };

  const Row rows[] = {
      {"scenario", [](RunOptions& o) { o.scenario = "raft/regster"; }, "unknown scenario"},
      {"nodes", [](RunOptions& o) { o.nodes = 0; }, "--nodes 0"},
      {"many nodes", [](RunOptions& o) { o.nodes = 1000; }, "--nodes 1000"},
      {"clients", [](RunOptions& o) { o.clients = 0; }, "--clients 0"},
      {"kernel", [](RunOptions& o) { o.kernel = "mars"; }, "--kernel mars"},
      {"keys", [](RunOptions& o) { o.keys = 0; }, "--keys 0"},
      {"duration", [](RunOptions& o) { o.duration = 0s; }, "--duration"},
      {"rate", [](RunOptions& o) { o.rate = -1; }, "--rate"},
      {"mix name", [](RunOptions& o) { o.mix = "raed=1"; }, "raed"},
      {"mix number", [](RunOptions& o) { o.mix = "read=x"; }, "read=x"},
      {"mix nothing", [](RunOptions& o) { o.mix = "read=0"; }, "--mix"},
      {"sabotage", [](RunOptions& o) { o.sabotage = "nonsense"; }, "unknown sabotage"},
      {"faults", [](RunOptions& o) { o.faults = "meteor"; }, "meteor"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RunOptions options = valid();
    row.change(options);
    const auto run = resolve(options);
    ASSERT_TRUE(run.has_error());
    EXPECT_TRUE(base::is(run.error(), Errc::usage));
    EXPECT_NE(run.error().message().find(row.says), std::string::npos) << run.error().message();
  }
}

TEST(RunOptions, NodesOfDifferentRolesAreAsManyAsThereAreRoles) {
  RunOptions options = valid();
  options.scenario = "saga/order";
  options.faults = "kill:inventory@1s+1s,partition:payment>order@3s+1s";
  const auto run = resolve(options);
  ASSERT_TRUE(run.has_value()) << run.error().message();
  EXPECT_EQ(run->nodes, 4U);
  ASSERT_EQ(run->schedule.size(), 2U);
  EXPECT_EQ(run->schedule[0].target, "n2");
  EXPECT_EQ(run->schedule[1].target, "n3>n1");
  options.nodes = 3;
  const auto refused = resolve(options);
  ASSERT_TRUE(refused.has_error());
  EXPECT_TRUE(base::is(refused.error(), Errc::usage));
  EXPECT_NE(refused.error().message().find("one of each: order, inventory, payment, shipment"),
            std::string::npos);
}

TEST(RunOptions, AnAtlasKnowsRoles) {
  RunOptions options = valid();
  options.scenario = "saga/order";
  options.faults = "atlas:kill";
  options.duration.reset();
  const auto run = resolve(options);
  ASSERT_TRUE(run.has_value()) << run.error().message();
  EXPECT_FALSE(run->schedule.empty());
}

TEST(RunOptions, WhatAPromiseNeedsMayWaitForAnEvent) {
  RunOptions options = valid();
  options.scenario = "saga/order";
  options.faults = "kill";
  const auto run = resolve(options);
  ASSERT_TRUE(run.has_value()) << run.error().message();
  const auto undoing = std::ranges::find_if(run->schedule, [](const nemesis::PlannedFault& fault) {
    return fault.at.event == "compensating" && fault.target == "n2";
  });
  ASSERT_NE(undoing, run->schedule.end());
  EXPECT_LE(undoing->duration, 1500ms);
  const auto stored = read_inputs(to_json(*run, "2026-01-31T23:59:59Z"), "run.json");
  ASSERT_TRUE(stored.has_value()) << stored.error().message();
  const auto again = resolve(*stored);
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(nemesis::to_text(again->schedule), nemesis::to_text(run->schedule));
}

TEST(RunOptions, RefusesARunJsonThatIsNone) {
  for (const char* text : {"", "{", "[]", "{}", R"({"scenario":1})"}) {
    SCOPED_TRACE(text);
    const auto stored = read_inputs(text, "x/run.json");
    ASSERT_TRUE(stored.has_error());
    EXPECT_TRUE(base::is(stored.error(), Errc::unreadable_input));
  }
}

}  // namespace
}  // namespace sunder::run
