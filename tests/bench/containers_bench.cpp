// How fast queues, stacks and priority queues are judged, on the generator of CHECKERS' containers.

#include <benchmark/benchmark.h>

#include "checkers/linearizability.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/container_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;
using test::ContainerKind;

void judge(benchmark::State& state, test::ContainerOptions options, VerdictKind expected) {
  options.operations = static_cast<std::uint64_t>(state.range(0));
  const history::History history = test::container_history(options);
  const auto* model = checkers::find_search_model(test::model_of(options.kind));
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_linearizability(history, *model, {}, {});
    if (verdict.kind != expected) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <ContainerKind kind>
void BM_Container(benchmark::State& state) {
  test::ContainerOptions options;
  options.kind = kind;
  judge(state, options, VerdictKind::kept);
}

template <ContainerKind kind>
void BM_Container_WithLooks(benchmark::State& state) {
  test::ContainerOptions options;
  options.kind = kind;
  options.add_percent = 40;
  options.peek_percent = 20;
  judge(state, options, VerdictKind::kept);
}

// Two removals near the end got each other's values. Fewer operations have no such pair.
template <ContainerKind kind>
void BM_Container_SwappedAtTheEnd(benchmark::State& state) {
  test::ContainerOptions options;
  options.kind = kind;
  options.violation = true;
  judge(state, options, VerdictKind::broken);
}

BENCHMARK(BM_Container<ContainerKind::bag>)->Apply(test::sizes);
BENCHMARK(BM_Container<ContainerKind::queue>)->Apply(test::sizes);
BENCHMARK(BM_Container<ContainerKind::stack>)->Apply(test::sizes);
BENCHMARK(BM_Container<ContainerKind::priority_queue>)->Apply(test::sizes);
BENCHMARK(BM_Container_WithLooks<ContainerKind::bag>)->Apply(test::sizes);
BENCHMARK(BM_Container_WithLooks<ContainerKind::queue>)->Apply(test::sizes);
BENCHMARK(BM_Container_WithLooks<ContainerKind::stack>)->Apply(test::sizes);
BENCHMARK(BM_Container_WithLooks<ContainerKind::priority_queue>)->Apply(test::sizes);
BENCHMARK(BM_Container_SwappedAtTheEnd<ContainerKind::bag>)
    ->Apply(test::measure_all_threads)
    ->Arg(100'000);
BENCHMARK(BM_Container_SwappedAtTheEnd<ContainerKind::queue>)
    ->Apply(test::measure_all_threads)
    ->Arg(100'000);
BENCHMARK(BM_Container_SwappedAtTheEnd<ContainerKind::stack>)
    ->Apply(test::measure_all_threads)
    ->Arg(100'000);
BENCHMARK(BM_Container_SwappedAtTheEnd<ContainerKind::priority_queue>)
    ->Apply(test::measure_all_threads)
    ->Arg(100'000);

}  // namespace
}  // namespace sunder
