// Clock faults on a real cluster: the targets' processes see the wrong time, nobody else does, what
// they saw is the evidence, and healing sets them right.

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "nemesis/nemesis.hpp"
#include "tests/cluster/in_universe.hpp"
#include "tests/cluster/test_cluster.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::nemesis {
namespace {

using boost::asio::awaitable;
using cluster::Cluster;
using history::FaultRecord;
using ::testing::HasSubstr;
using tests::ask;
using tests::in_universe;
using tests::with_cluster;

constexpr long long kHour_s = 3600;
constexpr long long kTolerance_s = 30;  // a busy machine

class ClockFaultTest : public tests::InUniverse {};

NemesisContext context_of(Cluster& cluster, const base::RunClock& clock) {
  NemesisContext context{cluster, clock, nullptr, {}, false, nullptr, history::kNever, nullptr};
  context.leader = [] { return std::optional<std::size_t>(0); };
  return context;
}

awaitable<Result<std::unique_ptr<ActiveFault>>> try_begin(NemesisContext& context,
                                                          std::string text) {
  ScheduleOptions options;
  options.nodes = context.cluster.nodes();
  auto schedule = make_schedule(text, options);
  EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  PlannedFault fault = std::move(schedule->front());
  static std::uint32_t faults = 0;
  fault.id = ++faults;
  const FaultInfo* const family = find_fault(fault.family);
  co_return co_await family->apply(context, std::move(fault));
}

awaitable<std::unique_ptr<ActiveFault>> begin(NemesisContext& context, std::string text) {
  auto active = co_await try_begin(context, std::move(text));
  EXPECT_TRUE(active.has_value()) << active.error().message();
  co_return std::move(*active);
}

// By how many seconds a node's clock differs from ours.
awaitable<long long> wrong_by(Cluster& cluster, std::size_t node) {
  const std::string shown = co_await ask(cluster, 0, node, "clock");
  co_return std::atoll(shown.c_str()) - static_cast<long long>(std::time(nullptr));
}

awaitable<void> expect_wrong_by(Cluster& cluster, std::size_t node, long long seconds) {
  const long long wrong = co_await wrong_by(cluster, node);
  EXPECT_NEAR(static_cast<double>(wrong), static_cast<double>(seconds), kTolerance_s)
      << "n" << node + 1;
}

double evidence_of(const FaultRecord& record, std::string_view name) {
  for (const history::Evidence& evidence : record.evidence) {
    if (evidence.name == name) return evidence.value;
  }
  ADD_FAILURE() << "no evidence '" << name << "'";
  return 0;
}

std::string leftovers(const Cluster& cluster) {
  const auto left = cluster.leftovers();
  EXPECT_TRUE(left.has_value());
  return left->empty() ? "" : left->front();
}

awaitable<void> jump_back(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "clock-jump:n2@0s+1s;amount=1h;direction=backward");
  co_await expect_wrong_by(cluster, 0, 0);
  co_await expect_wrong_by(cluster, 1, -kHour_s);
  EXPECT_THAT(leftovers(cluster), HasSubstr("n2: its clock is set -3600000 ms wrong"));
  EXPECT_TRUE(fault->heal().has_value());
  co_await expect_wrong_by(cluster, 1, 0);
  EXPECT_EQ(leftovers(cluster), "");
  const FaultRecord& record = fault->record();
  EXPECT_TRUE(record.exercised) << record.reason;
  EXPECT_TRUE(record.disabled_nodes.empty());
  EXPECT_GE(evidence_of(record, "n2 readings"), 1);
  EXPECT_EQ(evidence_of(record, "n2 furthest offset"), -3'600'000);
  EXPECT_EQ(evidence_of(record, "n2 offset before heal"), -3'600'000);
}

TEST_P(ClockFaultTest, AJumpIsSeenByItsTargetAloneAndHealed) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clocks = true}, &jump_back); });
}

// Faults add up; a node that is killed comes back with the wrong clock; healing one leaves the
// rest.
awaitable<void> compose(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto first = co_await begin(context, "clock-jump:all@0s+1s;amount=2h;direction=forward");
  auto second = co_await begin(context, "clock-jump:n1@0s+1s;amount=1h;direction=backward");
  auto killed = co_await begin(context, "kill:n1@0s+1s");
  EXPECT_TRUE(killed->heal().has_value());
  co_await tests::await_answer(cluster, 0);
  co_await expect_wrong_by(cluster, 0, kHour_s);
  co_await expect_wrong_by(cluster, 1, 2 * kHour_s);
  EXPECT_TRUE(first->heal().has_value());
  co_await expect_wrong_by(cluster, 0, -kHour_s);
  co_await expect_wrong_by(cluster, 1, 0);
  second.reset();
  co_await expect_wrong_by(cluster, 0, 0);
  EXPECT_EQ(leftovers(cluster), "");
}

TEST_P(ClockFaultTest, FaultsAddUpAndOutliveTheProcess) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clocks = true}, &compose); });
}

awaitable<void> every_family(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  for (const char* const text : {"clock-skew:all@0s+1s;amount=2h",
                                 "clock-drift:all@0s+1s;rate=20%;direction=forward",
                                 "clock-strobe:all@0s+1s;amount=3h;period=2ms"}) {
    SCOPED_TRACE(text);
    auto fault = co_await begin(context, text);
    for (int i = 0; i < 20; ++i) {
      for (std::size_t node = 0; node < 2; ++node) (void)co_await wrong_by(cluster, node);
    }
    EXPECT_TRUE(fault->heal().has_value());
    EXPECT_TRUE(fault->record().exercised) << fault->record().reason;
    EXPECT_GE(evidence_of(fault->record(), "n2 readings"), 20);
    EXPECT_NE(evidence_of(fault->record(), "n1 furthest offset"), 0);
    EXPECT_EQ(leftovers(cluster), "");
  }
  co_await expect_wrong_by(cluster, 0, 0);
}

TEST_P(ClockFaultTest, EveryFamilyIsSeenInReadings) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 2, .clocks = true}, &every_family); });
}

// A fault that nobody saw has proved nothing.
awaitable<void> nobody_looks(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  auto fault = co_await begin(context, "clock-skew:n1@0s+1s");
  EXPECT_TRUE(fault->heal().has_value());
  EXPECT_FALSE(fault->record().exercised);
  EXPECT_EQ(fault->record().reason, "n1 did not read its realtime clock");
}

TEST_P(ClockFaultTest, IsNotExercisedWhenNobodyLooks) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 1, .clocks = true}, &nobody_looks); });
}

awaitable<void> no_shim(Cluster& cluster) {
  const base::RunClock clock;
  NemesisContext context = context_of(cluster, clock);
  const auto fault = co_await try_begin(context, "clock-skew:n1@0s+1s");
  EXPECT_TRUE(fault.has_error() && base::is(fault.error(), Errc::unsupported));
}

TEST_P(ClockFaultTest, IsUnsupportedWithoutTheShim) {
  in_universe(GetParam(), [] { with_cluster({.nodes = 1}, &no_shim); });
}

INSTANTIATE_TEST_SUITE_P(Users,
                         ClockFaultTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::nemesis
