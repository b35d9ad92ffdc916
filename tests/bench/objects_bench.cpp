// How fast sets, counters and locks are judged, on simulated objects of 4 clients.

#include <benchmark/benchmark.h>

#include "checkers/linearizability.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/object_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;

void judge(benchmark::State& state, std::string_view name) {
  test::ObjectOptions options;
  options.model = name;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.clients = 4;
  options.elements = 100;
  options.permits = 4;
  const history::History history = test::object_history(options);
  checkers::CheckOptions check;
  check.parameters["permits"] = static_cast<double>(options.permits);
  const auto* model = checkers::find_search_model(options.model);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_linearizability(history, *model, check, {});
    if (verdict.kind != VerdictKind::kept) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * std::ssize(history.operations()));
}

BENCHMARK_CAPTURE(judge, Counter, "counter")->Name("BM_Object_Counter")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, FetchAdd, "fetch-add")->Name("BM_Object_FetchAdd")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Set, "set")->Name("BM_Object_Set")->Apply(test::sizes);

BENCHMARK_CAPTURE(judge, FencedLease, "fenced-lease")
    ->Name("BM_Lock_FencedLease")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Mutex, "mutex")->Name("BM_Lock_Mutex")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, ReentrantMutex, "reentrant-mutex")
    ->Name("BM_Lock_ReentrantMutex")
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, ReadWrite, "rw-lock")->Name("BM_Lock_ReadWrite")->Apply(test::sizes);
BENCHMARK_CAPTURE(judge, Semaphore, "semaphore")->Name("BM_Lock_Semaphore")->Apply(test::sizes);

}  // namespace
}  // namespace sunder
