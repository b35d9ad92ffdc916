// Goal: a cycle can be read as text, DOT and SVG, and nothing in it escapes from them.

#include "harness/report/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sunder::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Sample {
  history::History history;
  checkers::Graph graph;
};

// Two transactions that missed each other's append, on a key of a hostile name.
Sample write_skew() {
  Sample sample;
  history::HistoryBuilder builder;
  auto& pool = builder.pool();
  const auto key = pool.text("<y>\"");
  const auto add = [&](std::int64_t process, std::initializer_list<history::Value> micro) {
    history::Operation operation;
    operation.function = history::Function::txn;
    operation.process = process;
    operation.outcome = history::Outcome::ok;
    operation.input = operation.output = pool.list(micro);
    operation.complete = 1;
    builder.add(operation);
  };
  add(3,
      {pool.list({pool.text("append"), key, history::Value::integer(1)}),
       pool.list({pool.text("r"), pool.text("x"), pool.list({})})});
  add(4, {pool.list({pool.text("r"), key, pool.list({})})});
  sample.history = builder.finish();
  sample.graph.nodes = {{0, "T1"}, {1, "T2"}};
  sample.graph.edges = {{0, 1, "rw x", "T1 read x as []"}, {1, 0, "rw <y>\"", "T2 read <y>\""}};
  return sample;
}

TEST(CycleGraph, IsToldAsText) {
  const Sample sample = write_skew();
  EXPECT_EQ(graph_text(sample.history, sample.graph),
            "T1 p3  append <y>\" 1 · r x []\n"
            "T2 p4  r <y>\" []\n"
            "T1 → T2  rw x: T1 read x as []\n"
            "T2 → T1  rw <y>\": T2 read <y>\"\n");
}

TEST(CycleGraph, IsWrittenForGraphviz) {
  const Sample sample = write_skew();
  const std::string dot = graph_dot(sample.history, sample.graph);
  EXPECT_TRUE(dot.starts_with("digraph cycle {\n"));
  EXPECT_THAT(dot, HasSubstr("n0 [label=\"T1 p3: append <y>\\\" 1 · r x []\"];"));
  EXPECT_THAT(dot, HasSubstr("n1 -> n0 [label=\"rw <y>\\\"\", tooltip=\"T2 read <y>\\\"\"];"));
}

TEST(CycleGraph, IsDrawnWithoutTrustInNames) {
  const Sample sample = write_skew();
  const std::string svg = graph_svg(sample.history, sample.graph);
  EXPECT_THAT(svg, HasSubstr("<title>T1 → T2 (rw x), T2 → T1 (rw &lt;y&gt;&quot;)</title>"));
  EXPECT_THAT(svg, HasSubstr("append &lt;y&gt;&quot; 1 · r x []"));
  EXPECT_THAT(svg, Not(HasSubstr("<y>")));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace sunder::report
