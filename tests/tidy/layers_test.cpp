// The table of include edges on single lines: every kind of allowed and forbidden edge.

#include "tests/tidy/layers.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sunder::tidy {
namespace {

struct IncludeRow {
  const char* name;
  const char* path;
  const char* header;  // with its quotes or angles
  bool allowed;
};

class Includes : public testing::TestWithParam<IncludeRow> {};

TEST_P(Includes, FollowTheTable) {
  const IncludeRow& row = GetParam();
  const Source source = make_source(row.path, std::string("#include ") + row.header + "\n");
  EXPECT_EQ(check_includes(source).empty(), row.allowed);
}

INSTANTIATE_TEST_SUITE_P(
    Layers,
    Includes,
    testing::Values(
        IncludeRow{"Own", "harness/base/a.cpp", "\"harness/base/error.hpp\"", true},
        IncludeRow{"BaseOfOurs", "harness/base/a.cpp", "\"harness/history/value.hpp\"", false},
        IncludeRow{"Below", "checkers/a.cpp", "\"harness/history/history.hpp\"", true},
        IncludeRow{"CheckerOnWire", "checkers/a.cpp", "\"harness/wire/resp.hpp\"", false},
        IncludeRow{"CheckerOnAsio", "checkers/a.cpp", "<boost/asio/awaitable.hpp>", false},
        IncludeRow{"CheckerOnFiles", "checkers/a.cpp", "<fstream>", false},
        IncludeRow{
            "ModelsBelongToCheckers", "checkers/models/a.cpp", "\"checkers/checker.hpp\"", true},
        IncludeRow{"WorkloadOnNemesis", "workloads/a.cpp", "\"nemesis/nemesis.hpp\"", false},
        IncludeRow{"WorkloadOnWire", "workloads/a.cpp", "\"harness/wire/resp.hpp\"", true},
        IncludeRow{"NemesisOnCluster", "nemesis/a.cpp", "\"harness/cluster/cluster.hpp\"", true},
        IncludeRow{"NemesisOnCheckers", "nemesis/a.cpp", "\"checkers/verdict.hpp\"", false},
        IncludeRow{"NodeOnHistory", "nodes/kv/a.cpp", "\"harness/history/value.hpp\"", false},
        IncludeRow{"NodeOnItsCore", "nodes/replica/a.cpp", "\"nodes/raft/core.hpp\"", true},
        IncludeRow{"CoreOnHost", "nodes/raft/a.cpp", "\"nodes/host/loop.hpp\"", false},
        IncludeRow{"CoreOnSockets", "nodes/raft/a.cpp", "<boost/asio/ip/tcp.hpp>", false},
        IncludeRow{"ReportOnVerdict", "harness/report/a.cpp", "\"checkers/verdict.hpp\"", true},
        IncludeRow{"ReportOnCheckers", "harness/report/a.cpp", "\"checkers/checker.hpp\"", false},
        IncludeRow{"RunOnNemesis", "harness/run/a.cpp", "\"nemesis/nemesis.hpp\"", true},
        IncludeRow{"RunOnCli", "harness/run/a.cpp", "\"harness/cli/main.hpp\"", false},
        IncludeRow{"CliOnEverything", "harness/cli/a.cpp", "\"nodes/system.hpp\"", true},
        IncludeRow{"TestsOnEverything", "tests/unit/a.cpp", "\"harness/run/run.hpp\"", true},
        IncludeRow{"NotFromTheRoot", "harness/base/a.cpp", "\"error.hpp\"", false},
        IncludeRow{"Generated", "harness/report/a.cpp", "\"generated/assets.hpp\"", true},
        IncludeRow{"NetlinkAtHome", "harness/netlink/a.cpp", "<netlink/route/link.h>", true},
        IncludeRow{"NetlinkElsewhere", "harness/cluster/a.cpp", "<netlink/route/link.h>", false},
        IncludeRow{"OperatorsAtHome",
                   "harness/base/deadline.hpp",
                   "<boost/asio/experimental/awaitable_operators.hpp>",
                   true},
        IncludeRow{"OperatorsElsewhere",
                   "nodes/host/a.cpp",
                   "<boost/asio/experimental/awaitable_operators.hpp>",
                   false},
        IncludeRow{"AllOfAsio", "nodes/host/a.cpp", "<boost/asio.hpp>", false}),
    [](const auto& row) { return row.param.name; });

TEST(Layers, NameTheDeepestFolder) {
  EXPECT_EQ(folder_of("nodes/raft/core.hpp"), "nodes/raft");
  EXPECT_EQ(folder_of("nodes/system.hpp"), "nodes");
  EXPECT_EQ(folder_of("harness/basement/a.hpp"), "");
  EXPECT_EQ(check_includes(make_source("stray/a.cpp", "")).size(), 1U);
}

TEST(Layers, HoldForLinksToo) {
  const auto links = [](const char* path, const char* text) {
    return check_links(make_source(path, text)).size();
  };
  EXPECT_EQ(links("checkers/CMakeLists.txt", "LINK sunder::history"), 0U);
  EXPECT_EQ(links("checkers/CMakeLists.txt", "LINK sunder::wire"), 1U);
  EXPECT_EQ(links("checkers/CMakeLists.txt", "# not sunder::wire"), 0U);
  EXPECT_EQ(links("harness/report/CMakeLists.txt", "LINK sunder::checkers"), 0U);
  EXPECT_EQ(links("harness/report/CMakeLists.txt", "LINK sunder::nemesis"), 1U);
  EXPECT_EQ(links("tests/unit/base/CMakeLists.txt", "LINK sunder::nemesis"), 0U);
}

}  // namespace
}  // namespace sunder::tidy
