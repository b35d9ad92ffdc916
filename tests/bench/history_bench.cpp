// How fast histories are read.

#include <benchmark/benchmark.h>

#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder {
namespace {

void BM_History_ReadJsonl(benchmark::State& state) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.keys = 64;
  const std::string text = history::to_jsonl(test::register_history(options));
  for (auto _ : state) {
    const auto read = history::read_history(text, "bench");
    if (read.has_error()) state.SkipWithError("unreadable");
    benchmark::DoNotOptimize(&read);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(BM_History_ReadJsonl)
    ->ArgName("ops")
    ->RangeMultiplier(10)
    ->Range(1000, 1'000'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sunder
