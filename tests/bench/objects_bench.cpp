// How fast sets, counters and locks are judged, on simulated objects of 4 clients.

#include <benchmark/benchmark.h>

#include "checkers/linearizability.hpp"
#include "tests/histories/support/object_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;

constexpr std::string_view kModels[] = {
    "set", "counter", "fetch-add", "mutex", "semaphore", "rw-lock", "fenced-lease"};

void BM_Object(benchmark::State& state) {
  test::ObjectOptions options;
  options.model = kModels[static_cast<std::size_t>(state.range(0))];
  options.operations = static_cast<std::uint64_t>(state.range(1));
  options.clients = 4;
  options.elements = 100;
  options.permits = 4;
  const history::History history = test::object_history(options);
  checkers::CheckOptions check;
  check.parameters["permits"] = static_cast<double>(options.permits);
  const auto* model = checkers::find_search_model(options.model);
  for (auto _ : state) {
    const auto verdict = checkers::check_linearizability(history, *model, check, {});
    if (verdict.kind != VerdictKind::kept) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  state.SetItemsProcessed(state.iterations() * std::ssize(history.operations()));
  state.SetLabel(std::string(options.model));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"model", "ops"})->Unit(benchmark::kMillisecond);
  for (const std::int64_t operations : {1000, 10'000, 100'000, 1'000'000}) {
    for (std::int64_t model = 0; model < std::ssize(kModels); ++model) {
      benchmark->Args({model, operations});
    }
  }
}

BENCHMARK(BM_Object)->Apply(sizes);

}  // namespace
}  // namespace sunder
