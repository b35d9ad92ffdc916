#include "tests/cluster/standing_fault.hpp"

#include <gtest/gtest.h>

#include "harness/history/operation.hpp"

// g++ 12 mistakes Asio's own allocation of a coroutine's frame for a mismatch once it is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sunder::tests {

using cluster::Cluster;
using nemesis::ActiveFault;
using nemesis::NemesisContext;

NemesisContext context_of(Cluster& cluster, const base::RunClock& clock) {
  NemesisContext context{cluster, clock, nullptr, {}, false, nullptr, history::kNever, nullptr};
  context.leader = [] { return std::optional<std::size_t>(0); };
  for (std::size_t client = 0; client < cluster.clients(); ++client) {
    context.client_nodes.push_back(client % cluster.nodes());
  }
  return context;
}

static nemesis::PlannedFault planned(const Cluster& cluster, std::string_view text) {
  nemesis::ScheduleOptions options;
  options.nodes = cluster.nodes();
  options.clients = cluster.clients();
  const auto schedule = nemesis::make_schedule(text, options);
  EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
  return schedule->front();
}

boost::asio::awaitable<std::unique_ptr<ActiveFault>> begin(NemesisContext& context,
                                                           std::string text) {
  static std::uint32_t count = 0;
  nemesis::PlannedFault fault = planned(context.cluster, text);
  fault.id = ++count;  // several may stand at once
  const nemesis::FaultInfo* const family = nemesis::find_fault(fault.family);
  auto active = co_await family->apply(context, std::move(fault));
  EXPECT_TRUE(active.has_value()) << active.error().message();
  co_return std::move(*active);
}

void heal(ActiveFault& fault) {
  const auto healed = fault.heal();
  EXPECT_TRUE(healed.has_value()) << healed.error().message();
  EXPECT_TRUE(fault.record().exercised) << fault.record().reason;
}

double evidence_of(const history::FaultRecord& record, std::string_view name) {
  for (const history::Evidence& item : record.evidence) {
    if (item.name == name) return item.value;
  }
  ADD_FAILURE() << "no evidence '" << name << "' of " << record.description;
  return -1;
}

void expect_healed(const Cluster& cluster) {
  const auto left = cluster.leftovers();
  ASSERT_TRUE(left.has_value()) << left.error().message();
  EXPECT_TRUE(left->empty()) << left->front();
  for (std::size_t node = 0; node < cluster.nodes(); ++node) {
    EXPECT_EQ(cluster.state(node), cluster::NodeState::running);
  }
}

}  // namespace sunder::tests
