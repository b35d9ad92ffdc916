// How fast collections are judged, on simulated stores that keep every promise.

#include <string>

#include <benchmark/benchmark.h>

#include "checkers/checker.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/collection_generator.hpp"

namespace sunder {
namespace {

history::History history_of(const benchmark::State& state, const std::string& type) {
  test::CollectionOptions options;
  options.type = type;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  return test::collection_history(options);
}

void judge(benchmark::State& state, const std::string& model) {
  const history::History history = history_of(state, model.substr(0, model.find('/')));
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_model(history, model, {}, {});
    if (!verdict.has_value() || verdict->kind != checkers::VerdictKind::kept) {
      state.SkipWithError(verdict.has_value() ? verdict->summary.c_str() : "no such model");
    }
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(judge, Bank, "bank/any-balance")->Name("BM_Collection_Bank")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Comments, "comments/exact")
    ->Name("BM_Collection_Comments")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Convergence, "convergence/agreement")
    ->Name("BM_Collection_Convergence")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, ConvergenceLastWrite, "convergence/last-write")
    ->Name("BM_Collection_ConvergenceLastWrite")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Counter, "counter/bounds")
    ->Name("BM_Collection_Counter")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, G2, "g2")->Name("BM_Collection_G2")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Kafka, "kafka/log")->Name("BM_Collection_Kafka")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, LongFork, "long-fork")->Name("BM_Collection_LongFork")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Monotonic, "monotonic/real-time")
    ->Name("BM_Collection_Monotonic")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Sequential, "sequential/exact")
    ->Name("BM_Collection_Sequential")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Set, "set/final-read")->Name("BM_Collection_Set")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, SetLinearizable, "set/linearizable")
    ->Name("BM_Collection_SetLinearizable")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, SetFull, "set-full/fresh")
    ->Name("BM_Collection_SetFull")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, TotalQueue, "total-queue/total")
    ->Name("BM_Collection_TotalQueue")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, UniqueIds, "unique-ids")
    ->Name("BM_Collection_UniqueIds")
    ->Apply(test::sizes);

}  // namespace
}  // namespace sunder
