// The sizes that benchmarks of histories and checkers run at, and what they count: the processor
// time of all threads of the process, since checkers judge keys side by side. ("/process_time" in
// their names is Google Benchmark's word for it.)

#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

namespace sunder::test {

inline void measure_all_threads(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("ops")->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}

// 1,000, 10,000 and so on.
template <std::int64_t most = 1'000'000>
void sizes(benchmark::internal::Benchmark* benchmark) {
  measure_all_threads(benchmark);
  benchmark->RangeMultiplier(10)->Range(1000, most);
}

}  // namespace sunder::test
