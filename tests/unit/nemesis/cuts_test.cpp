// Cuts of all kinds on a fake cluster: which links each shape means, what each family asks of the
// network, evidence, moving, flapping, and what happens when the network cannot.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "nemesis/cut.hpp"
#include "tests/unit/nemesis/fake_cluster.hpp"

namespace sunder::nemesis {
namespace {

using cluster::DirectedLink;
using history::FaultRecord;
using netlink::FilterAction;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Cuts : public ::testing::Test {
 protected:
  FaultRecord run(std::string_view text) {
    ScheduleOptions options;
    options.nodes = cluster.nodes();
    options.clients = cluster.clients();
    auto schedule = make_schedule(text, options);
    EXPECT_TRUE(schedule.has_value()) << schedule.error().message();
    std::vector<FaultRecord> records;
    auto task = run_schedule(context, std::move(*schedule));
    auto keep = [&](const std::exception_ptr& error, Result<std::vector<FaultRecord>> result) {
      if (error) std::rethrow_exception(error);
      EXPECT_TRUE(result.has_value()) << result.error().message();
      if (result.has_value()) records = std::move(*result);
    };
    boost::asio::co_spawn(loop, std::move(task), std::move(keep));
    loop.restart();
    loop.run();
    EXPECT_THAT(records, SizeIs(1));
    EXPECT_TRUE(network().filters.empty());
    EXPECT_TRUE(network().down.empty());
    EXPECT_TRUE(cluster.overlays.empty());
    return records.empty() ? FaultRecord() : records.front();
  }

  Cut cut(std::string shape, std::string target = {}) {
    PlannedFault fault;
    fault.family = "refuse";
    fault.shape = std::move(shape);
    fault.target = std::move(target);
    base::Random random(5);
    auto planned = plan_cut(context, fault, random);
    EXPECT_TRUE(planned.has_value()) << planned.error().message();
    return std::move(*planned);
  }

  FakeNetwork& network() { return cluster.fake_network; }

  boost::asio::io_context loop;
  FakeCluster cluster{3, 3};  // clients are endpoints 3 to 5
  base::RunClock clock;
  NemesisContext context{cluster,
                         clock,
                         [] { return std::optional<std::size_t>(1); },
                         {0, 1, 2},
                         false,
                         nullptr,
                         history::kNever,
                         nullptr};
};

double evidence(const FaultRecord& record, std::string_view name) {
  for (const history::Evidence& item : record.evidence) {
    if (item.name == name) return item.value;
  }
  ADD_FAILURE() << "no evidence '" << name << "' of " << record.description;
  return -1;
}

TEST_F(Cuts, TheKeyLinkIsThatOfTheLeaderAndConcernsNoClient) {
  const Cut key = cut("link");
  ASSERT_THAT(key.links, SizeIs(2));
  EXPECT_EQ(key.links[0].first == 1 || key.links[0].second == 1, true);
  EXPECT_EQ(key.links[0], DirectedLink(key.links[1].second, key.links[1].first));
  EXPECT_THAT(key.sides, HasSubstr("n2 <> "));
}

TEST_F(Cuts, AClientLinkConcernsOneNodeAndItsClients) {
  const Cut own = cut("client-link");
  ASSERT_THAT(own.links, SizeIs(2));
  EXPECT_EQ(own.links[0].first, own.links[0].second + 3);
  EXPECT_THAT(own.sides, HasSubstr("its clients"));
}

TEST_F(Cuts, LinksAreNamedWithClientsAmongThem) {
  EXPECT_THAT(cut("groups", "c1>n2").links, UnorderedElementsAre(Pair(3, 1)));
  EXPECT_THAT(cut("groups", "n2>c1+c3").links, UnorderedElementsAre(Pair(1, 3), Pair(1, 5)));
  EXPECT_THAT(cut("groups", "n1<>n3").links, UnorderedElementsAre(Pair(0, 2), Pair(2, 0)));
  EXPECT_THAT(cut("groups", "n1>n3").links, SizeIs(3)) << "one direction; clients follow";
}

TEST_F(Cuts, PairsNameTheFirstEndFirst) {
  EXPECT_THAT(pairs_of(cut("groups", "c1<>n2")), UnorderedElementsAre(Pair(3, 1)));
  EXPECT_THAT(pairs_of(cut("groups", "n2<>c1")), UnorderedElementsAre(Pair(1, 3)));
  EXPECT_THAT(pairs_of(cut("groups", "n3>n1")), ::testing::Contains(Pair(2, 0)));
}

TEST_F(Cuts, RefuseInstallsOneFilterAndCounts) {
  const FaultRecord record = run("refuse:n1>n2+n3@0s+10ms");
  ASSERT_THAT(network().installed, SizeIs(1));
  EXPECT_EQ(network().installed[0].action, FilterAction::refuse);
  EXPECT_THAT(network().installed[0].links, SizeIs(6));
  EXPECT_TRUE(record.exercised);
  EXPECT_FALSE(record.porous);
  EXPECT_EQ(evidence(record, "packets refused"), 7);
}

TEST_F(Cuts, WhatNoPacketMetIsNotExercised) {
  network().hits = 0;
  const FaultRecord record = run("refuse:one@0s+10ms");
  EXPECT_FALSE(record.exercised);
  EXPECT_EQ(record.reason, "no packet came over a refused link");
}

TEST_F(Cuts, WhatTheKernelCannotDoIsSkipped) {
  network().unsupported = true;
  const FaultRecord record = run("refuse:one@0s+10ms");
  EXPECT_FALSE(record.exercised);
  EXPECT_THAT(record.reason, HasSubstr("no nf_tables"));
}

TEST_F(Cuts, NewConnectionsAloneFailAndSomeAreLost) {
  const FaultRecord record = run("no-new-connections:leader@0s+10ms;lose=50%;answer=refuse");
  EXPECT_EQ(network().installed.at(0).action, FilterAction::refuse_new);
  ASSERT_THAT(network().destroyed, SizeIs(1));
  // Cut pairs: two of nodes, two of c2 and the others, two of n2 and the other clients.
  EXPECT_THAT(network().destroyed[0], SizeIs(3));
  EXPECT_TRUE(record.porous);
  EXPECT_EQ(evidence(record, "connections lost"), 2);
}

TEST_F(Cuts, HalfOpenWithholdsResetsOfTheEndThatIsTold) {
  const FaultRecord first = run("half-open:n1<>n2@0s+5ms");
  EXPECT_EQ(network().installed.at(0).action, FilterAction::withhold_reset);
  EXPECT_THAT(network().installed.at(0).links, UnorderedElementsAre(Pair(0, 1)));
  EXPECT_THAT(network().destroyed.at(0), UnorderedElementsAre(Pair(0, 1)));
  EXPECT_TRUE(first.exercised);
  (void)run("half-open:n1<>n2@0s+5ms;told=second");
  EXPECT_THAT(network().destroyed.at(1), UnorderedElementsAre(Pair(1, 0)));
}

TEST_F(Cuts, DisconnectComesAgainEachPeriod) {
  const FaultRecord record = run("disconnect:n1<>n2@0s+110ms;period=25ms");
  EXPECT_GE(network().destroyed.size(), 2U);
  EXPECT_EQ(evidence(record, "connections destroyed"),
            2.0 * static_cast<double>(network().destroyed.size()));
  EXPECT_EQ(evidence(record, "repetitions"), static_cast<double>(network().destroyed.size()) - 1);
}

TEST_F(Cuts, AMovingCutGoesElsewhereEachTime) {
  const FaultRecord record = run("refuse:moving@0s+150ms;every=25ms");
  ASSERT_GE(network().installed.size(), 3U);
  for (std::size_t i = 1; i < network().installed.size(); ++i) {
    EXPECT_NE(network().installed[i].links, network().installed[i - 1].links);
  }
  EXPECT_EQ(record.standing.size(), network().installed.size());
  EXPECT_TRUE(record.porous) << "its links are cut in turn, not all at once";
  EXPECT_THAT(record.description, HasSubstr(", then "));
}

TEST_F(Cuts, LinkDownTakesTheNodesInterfaceAndAllItsLinks) {
  const FaultRecord record = run("link-down:leader@0s+10ms");
  EXPECT_THAT(network().ever_down, UnorderedElementsAre(1));
  EXPECT_EQ(record.description, "link-down leader: n2");
  EXPECT_EQ(evidence(record, "interfaces seen down"), 1);
  EXPECT_EQ(evidence(record, "packets without a route"), 3);
  EXPECT_THAT(record.cut_links, SizeIs(10));
}

}  // namespace
}  // namespace sunder::nemesis
