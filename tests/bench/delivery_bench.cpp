// How fast the life of every message of a work queue is judged, on a simulated queue that keeps
// every promise.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/draws.hpp"

namespace sunder {
namespace {

using history::Outcome;
using history::Value;

constexpr std::int64_t kStep = 1'000'000;  // between operations
constexpr std::int64_t kVisibilityMs = 50;

// Messages are sent, received, and acknowledged or left to come again after their visibility time;
// every now and then the queue is counted.
class SimulatedQueue {
 public:
  history::History run(std::uint64_t operations) {
    while (builder_.size() < operations) {
      const std::int64_t id = ++last_id_;
      body_ = builder_.pool().text(fmt::format("job-{}", id));
      add("send", body_, Value::integer(id));
      ++there_;
      std::int64_t receipt = 0;
      do {
        receive(id, ++receipt);
        if (draws_.percent(15)) now_ += kVisibilityMs * kStep;
      } while (now_ - received_ > kVisibilityMs * kStep && receipt < 5);
      add("ack", builder_.pool().list({Value::integer(id), Value::integer(receipt)}), {});
      --there_;
      if (draws_.percent(5)) count();
    }
    return builder_.finish();
  }

 private:
  void receive(std::int64_t id, std::int64_t receipt) {
    received_ = now_;
    add("receive",
        Value::integer(kVisibilityMs),
        builder_.pool().list({Value::integer(id), Value::integer(receipt), body_}));
  }

  void count() {
    const Value none = Value::integer(0);
    add("stat", {}, builder_.pool().list({Value::integer(there_), none, none}));
  }

  void add(std::string_view function, Value input, Value output) {
    history::Operation operation;
    operation.process = static_cast<std::int64_t>(draws_.below(32));
    operation.function_name = builder_.pool().symbol(function);
    operation.key = builder_.pool().symbol("q");
    operation.outcome = Outcome::ok;
    operation.input = input;
    operation.output = output;
    operation.invoke = operation.invoke_time = now_;
    operation.complete = operation.complete_time = now_ + kStep / 2;
    builder_.add(operation);
    now_ += kStep;
  }

  history::HistoryBuilder builder_;
  test::Draws draws_{7};
  std::int64_t now_ = 0;
  std::int64_t received_ = 0;
  std::int64_t last_id_ = 0;
  std::int64_t there_ = 0;
  Value body_;  // of the message just sent
};

void BM_Delivery_WorkQueue(benchmark::State& state) {
  const history::History history = SimulatedQueue().run(static_cast<std::uint64_t>(state.range(0)));
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_model(history, "work-queue", {}, {});
    if (!verdict.has_value() || verdict->kind != checkers::VerdictKind::kept) {
      state.SkipWithError(verdict.has_value() ? verdict->summary.c_str() : "no such model");
    }
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(BM_Delivery_WorkQueue)->Apply(test::sizes);

}  // namespace
}  // namespace sunder
