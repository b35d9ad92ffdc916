#include <gtest/gtest.h>

#include "harness/history/operation.hpp"
#include "harness/history/text.hpp"

namespace sunder::history {
namespace {

FaultRecord some_fault() {
  FaultRecord fault;
  fault.id = 4;
  fault.family = "partition";
  fault.shape = "halves";
  fault.description = "partition halves: n1,n2 | n3";
  fault.targets = {"n1", "n2"};
  fault.requested = 5;
  fault.applying = {6, 7};
  fault.active = {7, kNever};
  fault.standing = {{7, 8}, {8, kNever}};
  fault.healed = 9;
  fault.exercised = true;
  fault.evidence = {{"packets dropped", 2314, "packets"}, {"applied in", 1.25, "ms"}};
  fault.cut_links = {{"n1", "n3"}, {"c2", "n1"}};
  fault.disabled_nodes = {"n3"};
  fault.porous = true;
  return fault;
}

TEST(ContextText, FaultsSurviveTheRoundTrip) {
  const FaultRecord fault = some_fault();
  const auto read = read_faults(fault_line(fault) + fault_line(fault), "faults.jsonl");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->size(), 2U);
  const FaultRecord& copy = read->back();
  EXPECT_EQ(fault_line(copy), fault_line(fault));
  EXPECT_EQ(copy.active.end, kNever);
  EXPECT_EQ(copy.cut_links, fault.cut_links);
  EXPECT_TRUE(copy.porous);
  ASSERT_EQ(copy.standing.size(), 2U);
  EXPECT_EQ(copy.standing.back().end, kNever);
  EXPECT_EQ(copy.evidence.at(1).value, 1.25);
}

TEST(ContextText, EventsKeepUnknownNumbersAndTexts) {
  const std::string line =
      R"({"v":1,"node":"n1","seq":9,"time":15,"event":"became-leader","term":4,"hash":"9f","x":[1]})"
      "\n";
  const auto read = read_events(line, "events.jsonl");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->begin()->number("term"), 4);
  EXPECT_EQ(read->begin()->text("hash"), "9f");
  EXPECT_EQ(read_events(event_line(*read->begin()), "again")->begin()->number("term"), 4);
}

TEST(ContextText, ContextSurvivesTheRoundTrip) {
  RunContext context;
  context.nodes = {"n1", "n2"};
  context.clients = {"c1"};
  context.process_endpoints = {{0, 0}, {7, 0}};
  context.client_nodes = {1};
  context.clients_see_all = true;
  context.phases = {{"load", {1, 5}}, {"settle", {5, kNever}}};
  context.host = {{3, 1.5, 20}};
  context.dropped_events = 2;
  context.host_overload = "the loop was 3 s late";
  const auto read = read_context(context_to_json(context), "context.json");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(context_to_json(*read), context_to_json(context));
  EXPECT_EQ(read->process_endpoints, context.process_endpoints);
  EXPECT_EQ(read->phases.at(1).window.end, kNever);
}

TEST(ContextText, LeavesOutALineThatWasCutShort) {
  const std::string whole = fault_line(some_fault());
  const auto read = read_faults(whole + whole.substr(0, 40), "faults.jsonl");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->size(), 1U);
}

TEST(ContextText, NamesThePlaceOfAnError) {
  const auto read = read_faults("\n{\"id\": nope}\n", "faults.jsonl");
  ASSERT_TRUE(read.has_error());
  EXPECT_TRUE(base::is(read.error(), Errc::unreadable_input));
  EXPECT_NE(read.error().message().find("faults.jsonl:2:"), std::string::npos)
      << read.error().message();
  EXPECT_TRUE(read_faults("{\"id\": \"x\"}\n", "f").has_error());
  EXPECT_TRUE(read_context("[]", "c").has_error());
}

}  // namespace
}  // namespace sunder::history
