#include "nodes/host/command_line.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace sunder::nodes::host {
namespace {

Result<HostOptions> parse(std::vector<std::string> extra) {
  std::vector<const char*> arguments = {"node",
                                        "--id",
                                        "n2",
                                        "--listen",
                                        "10.0.0.2:6379",
                                        "--peers",
                                        "n1=10.0.0.1:7000,n2=10.0.0.2:7000",
                                        "--data-dir",
                                        "data",
                                        "--mode",
                                        "raft"};
  for (const std::string& argument : extra) arguments.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), [](CLI::App&) {});
}

TEST(CommandLine, ReadsEveryFlag) {
  const auto options = parse({"--seed", "9", "--tick", "5ms", "--sabotage", "stale-read"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->id, "n2");
  EXPECT_EQ(options->number, 2U);
  EXPECT_EQ(options->listen.port(), 6379);
  EXPECT_EQ(options->peers.at(1).address().to_string(), "10.0.0.1");
  EXPECT_EQ(options->data_directory, "data");
  EXPECT_EQ(options->mode, "raft");
  EXPECT_EQ(options->seed, 9U);
  EXPECT_EQ(options->tick, std::chrono::milliseconds(5));
  EXPECT_EQ(options->sabotage, "stale-read");
}

TEST(CommandLine, RefusesWithAUsageError) {
  const std::vector<std::vector<std::string>> rows = {{"--tick", "20"},
                                                      {"--tick", "0ms"},
                                                      {"--tick", "1h"},
                                                      {"--seed", "x"},
                                                      {"--unknown"},
                                                      {"stray"}};
  for (const auto& extra : rows) {
    SCOPED_TRACE(extra.front() + " " + extra.back());
    const auto options = parse(extra);
    ASSERT_TRUE(options.has_error());
    EXPECT_TRUE(base::is(options.error(), Errc::usage));
    EXPECT_EQ(options.error().message().find('\n'), std::string::npos);
  }
}

TEST(NodeNames, AreAnNAndANumber) {
  EXPECT_EQ(parse_node_name("n12").value(), 12U);
  EXPECT_EQ(node_name(12), "n12");
  for (const char* const name :
       {"", "n", "12", "n0", "n01", "n-1", "nx", "n1 ", "n99999999999", "n1001"}) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(parse_node_name(name).has_error());
  }
}

TEST(Peers, NameEachNodeOnceWithAnAddress) {
  EXPECT_EQ(parse_peers("n1=127.0.0.1:1,n3=127.0.0.3:65535").value().size(), 2U);
  for (const char* const text : {"n1",
                                 "n1=host:1",
                                 "n1=127.0.0.1",
                                 "n1=127.0.0.1:65536",
                                 "n1=127.0.0.1:1,n1=127.0.0.1:2",
                                 ","}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(parse_peers(text).has_error());
  }
}

}  // namespace
}  // namespace sunder::nodes::host
