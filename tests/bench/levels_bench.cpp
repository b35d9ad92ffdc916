// How fast registers are judged below linearizability, by each level's own test, on simulated
// stores that keep what they promise and no more.

#include <benchmark/benchmark.h>

#include "checkers/levels/register_levels.hpp"
#include "checkers/levels/stale_search.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/session_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;

void judge(benchmark::State& state,
           const history::History& history,
           std::string_view level,
           VerdictKind expected) {
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::levels::check_register(
        history, *checkers::find_search_model("register"), level, {}, {}, {.linearizable = false});
    if (verdict.kind != expected) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

test::StoreOptions store_of(const benchmark::State& state, test::StoreKind kind) {
  test::StoreOptions options;
  options.kind = kind;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.processes = 32;
  options.keys = 100;
  options.lag = 200;
  return options;
}

void BM_Level_Causal(benchmark::State& state, std::string_view level) {
  judge(state,
        test::store_history(store_of(state, test::StoreKind::causal)),
        level,
        VerdictKind::kept);
}

void BM_Level_Convergent(benchmark::State& state, std::string_view level) {
  judge(
      state, test::store_history(store_of(state, test::StoreKind::last)), level, VerdictKind::kept);
}

void BM_Level_LinearizableOneKey(benchmark::State& state, std::string_view level) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  judge(state, test::register_history(options), level, VerdictKind::kept);
}

// How stale the reads of a store are whose copies get writes late.
void BM_Staleness_Lagging(benchmark::State& state, std::string_view level, VerdictKind expected) {
  judge(state, test::store_history(store_of(state, test::StoreKind::causal)), level, expected);
}

// How stale the reads of a store are that has one copy, but for one of them near the end.
void BM_Staleness_OneStaleRead(benchmark::State& state, std::string_view level) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.violation = true;
  options.keys = 10;
  const history::History history = test::register_history(options);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::levels::check_register(
        history, *checkers::find_search_model("register"), level, {}, {}, {.linearizable = false});
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// The same read as the search sees it: what registers with values that are written again cost.
void BM_Staleness_Searched(benchmark::State& state, bool versions) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.violation = true;
  options.keys = 10;
  const history::History history = test::register_history(options);
  const checkers::ModelRow& row = *checkers::find_search_model("register");
  const test::PeakMemory memory;
  for (auto _ : state) {
    const checkers::Verdict verdict =
        versions ? checkers::levels::search_k_atomic(history, 1, {}, {})
                 : checkers::levels::search_delta_atomic(
                       history, row, checkers::levels::Clock::stamps, 1 << 30, {}, {});
    if (verdict.kind == VerdictKind::undetermined) state.SkipWithError(verdict.summary.c_str());
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// The same store with one value from another copy near the end.
void BM_Level_WrongAtTheEnd(benchmark::State& state, std::string_view level) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.violation = true;
  options.keys = 10;
  const history::History history = test::register_history(options);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::levels::check_register(
        history, *checkers::find_search_model("register"), level, {}, {});
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(BM_Level_Causal, read_your_writes, "read-your-writes")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, monotonic_reads, "monotonic-reads")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, monotonic_writes, "monotonic-writes")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, writes_follow_reads, "writes-follow-reads")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, pram, "pram")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, causal, "causal")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Causal, causal_memory, "causal-memory")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_Convergent, ccv, "ccv")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_LinearizableOneKey, causal_memory, "causal-memory")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_LinearizableOneKey, ccv, "ccv")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_LinearizableOneKey, sequential, "sequential")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_Lagging, delta, "delta-atomicity", VerdictKind::kept)
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_Lagging, versions, "k-atomicity", VerdictKind::broken)
    ->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_OneStaleRead, delta, "delta-atomicity")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_OneStaleRead, versions, "k-atomicity")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_Searched, versions, true)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Staleness_Searched, delta, false)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_WrongAtTheEnd, causal, "causal")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Level_WrongAtTheEnd, pram, "pram")->Apply(test::sizes);

}  // namespace
}  // namespace sunder
