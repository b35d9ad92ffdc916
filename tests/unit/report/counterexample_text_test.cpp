#include "harness/report/counterexample_text.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace sunder::report {
namespace {

using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;

void add_write(HistoryBuilder& builder,
               std::int64_t process,
               std::int64_t invoke,
               std::int64_t complete) {
  Operation operation;
  operation.function = history::Function::write;
  operation.process = process;
  operation.invoke = invoke;
  operation.complete = complete;
  operation.outcome = complete == history::kNever ? Outcome::info : Outcome::ok;
  operation.input = Value::integer(process);
  builder.add(operation);
}

checkers::Counterexample all_of(const History& history) {
  checkers::Counterexample example;
  example.title = "a title";
  example.why = "a sentence";
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    example.items.push_back({.operation = i, .core = true, .note = {}});
  }
  return example;
}

TEST(CounterexampleText, BarsShowTheOrderOfEvents) {
  HistoryBuilder builder;
  add_write(builder, 1, 10, 500);
  add_write(builder, 12, 20, 30);
  add_write(builder, 3, 30, history::kNever);
  const History history = builder.finish();
  EXPECT_EQ(counterexample_text(all_of(history), history, 2),
            "  a title: a sentence\n"
            "    p1  ├─────┤   [10, 500] write 1 -> ok\n"
            "    p12   ├─┤     [20, 30] write 12 -> ok\n"
            "    p3      ├───→ [30, …] write 3 -> info\n");
}

TEST(CounterexampleText, TooManyOperationsHaveNoBars) {
  HistoryBuilder builder;
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(kBarsMax); ++i) {
    add_write(builder, i, 2 * i, 2 * i + 1);
  }
  const History history = builder.finish();
  EXPECT_EQ(counterexample_text(all_of(history), history, 0).find("├"), std::string::npos);
}

TEST(CounterexampleText, ContextAndAbsentPartsAreLeftOut) {
  HistoryBuilder builder;
  add_write(builder, 1, 0, 1);
  const History history = builder.finish();
  checkers::Counterexample example = all_of(history);
  example.key = "x";
  example.items[0].core = false;
  EXPECT_EQ(counterexample_text(example, history, 0), "a title of x: a sentence\n");
}

TEST(CounterexampleText, EdgesSayWhy) {
  HistoryBuilder builder;
  add_write(builder, 1, 0, 1);
  const History history = builder.finish();
  checkers::Counterexample example = all_of(history);
  example.items[0].note = "T0";
  example.graph.nodes = {{0, "T0"}, {0, "T1"}};
  example.graph.edges = {{0, 1, "wr x", "T1 read from T0"}, {1, 0, "process", ""}};
  EXPECT_EQ(counterexample_text(example, history, 0),
            "a title: a sentence\n"
            "  p1 [0, 1] write 1 -> ok  ← T0\n"
            "  T0 –wr x→ T1: T1 read from T0\n"
            "  T1 –process→ T0\n");
}

}  // namespace
}  // namespace sunder::report
