// How fast list-append histories are judged, on the generator of CHECKERS' list-append.

#include <benchmark/benchmark.h>

#include "checkers/checker.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/list_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;

void judge(benchmark::State& state,
           test::ListLevel store,
           const char* model,
           VerdictKind expected) {
  test::ListOptions options;
  options.level = store;
  options.attempts = static_cast<std::uint64_t>(state.range(0));
  const history::History history = test::list_history(options);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_model(history, model, {}, {}).value();
    if (verdict.kind != expected) state.SkipWithError(verdict.summary.c_str());
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_ListAppend_StrictSerializable(benchmark::State& state) {
  judge(state, test::ListLevel::serializable, "list-append/strict-serializable", VerdictKind::kept);
}

void BM_ListAppend_SnapshotIsolation(benchmark::State& state) {
  judge(state,
        test::ListLevel::snapshot_isolation,
        "list-append/snapshot-isolation",
        VerdictKind::kept);
}

// A store of snapshots is not serializable: one large component, full of cycles.
void BM_ListAppend_SnapshotsAsSerializable(benchmark::State& state) {
  judge(
      state, test::ListLevel::snapshot_isolation, "list-append/serializable", VerdictKind::broken);
}

BENCHMARK(BM_ListAppend_StrictSerializable)->Apply(test::sizes);
BENCHMARK(BM_ListAppend_SnapshotIsolation)->Apply(test::sizes);
BENCHMARK(BM_ListAppend_SnapshotsAsSerializable)->Apply(test::sizes);

}  // namespace
}  // namespace sunder
