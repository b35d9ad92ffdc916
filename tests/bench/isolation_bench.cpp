// How fast levels of isolation are judged, on the generator of CHECKERS' key-value transactions:
// 8 operations each, 50 sessions, 10,000 keys.
//
// "Guessed" histories are right and come in the order of their commits; "Forced" ones are judged
// without that guess, by the exact test of the level.

#include <benchmark/benchmark.h>

#include "checkers/isolation/isolation.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;
using checkers::isolation::Axiom;
using test::StoreBug;
using test::StoreLevel;

struct Case {
  Axiom axiom = Axiom::serializable;
  StoreLevel store = StoreLevel::serializable;
  StoreBug bug = StoreBug::none;
  bool witness = true;
  bool by_session = false;  // the order of commits is not told
  std::uint64_t session_length = 0;
  std::uint64_t unknown_percent = 0;
};

void judge(benchmark::State& state, const Case& judged) {
  test::TransactionOptions options;
  options.level = judged.store;
  options.bug = judged.bug;
  options.transactions = static_cast<std::uint64_t>(state.range(0));
  options.keys = 10'000;
  options.session_length = judged.session_length;
  options.unknown_percent = judged.unknown_percent;
  options.timed = judged.unknown_percent > 0;  // else their place would tell when they committed
  history::History history = test::transaction_history(options);
  if (judged.by_session) history = test::by_session(history);
  const checkers::isolation::Question question{.level = "the level",
                                               .rules = {.axiom = judged.axiom},
                                               .dialect = {},
                                               .routes = {.witness = judged.witness}};
  const bool small = options.transactions < 100'000;  // may have no chance for its bug
  const VerdictKind expected =
      judged.bug == StoreBug::none ? VerdictKind::kept : VerdictKind::broken;
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::isolation::check_isolation(history, question, {}, {});
    if (verdict.kind != expected && !small) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_Isolation_ReadCommitted(benchmark::State& state) {
  judge(state, {.axiom = Axiom::read_committed});
}

void BM_Isolation_ReadAtomic(benchmark::State& state) {
  judge(state, {.axiom = Axiom::read_atomic});
}

void BM_Isolation_CausalGuessed(benchmark::State& state) {
  judge(state, {.axiom = Axiom::causal});
}

void BM_Isolation_CausalForced(benchmark::State& state) {
  judge(state, {.axiom = Axiom::causal, .witness = false});
}

// 50 sessions at once, of ten transactions each.
void BM_Isolation_CausalShortSessions(benchmark::State& state) {
  judge(state, {.axiom = Axiom::causal, .witness = false, .session_length = 10});
}

// Copies of the store are a thousand commits behind.
void BM_Isolation_CausalLagging(benchmark::State& state) {
  judge(state, {.axiom = Axiom::causal, .store = StoreLevel::causal});
}

void BM_Isolation_CausalUnknown(benchmark::State& state, std::uint64_t percent) {
  judge(state, {.axiom = Axiom::causal, .witness = false, .unknown_percent = percent});
}

void BM_Isolation_CausalFractured(benchmark::State& state) {
  judge(state, {.axiom = Axiom::causal, .bug = StoreBug::fractured});
}

void BM_Isolation_SnapshotGuessed(benchmark::State& state) {
  judge(state, {.axiom = Axiom::snapshot, .store = StoreLevel::snapshot});
}

void BM_Isolation_SerializableGuessed(benchmark::State& state) {
  judge(state, {});
}

void BM_Isolation_SerializableStale(benchmark::State& state) {
  judge(state, {.bug = StoreBug::stale});
}

// Nobody heard of so many percent of the transactions.
void BM_Isolation_SnapshotUnknown(benchmark::State& state, std::uint64_t percent) {
  judge(state,
        {.axiom = Axiom::snapshot, .store = StoreLevel::snapshot, .unknown_percent = percent});
}

void BM_Isolation_SerializableUnknown(benchmark::State& state, std::uint64_t percent) {
  judge(state, {.unknown_percent = percent});
}

void BM_Isolation_SerializableUnknownStale(benchmark::State& state, std::uint64_t percent) {
  judge(state, {.bug = StoreBug::stale, .unknown_percent = percent});
}

// One session after the other, as some text forms have it: nothing tells the order of commits.
void BM_Isolation_SerializableBySession(benchmark::State& state) {
  judge(state, {.by_session = true});
}

void BM_Isolation_SnapshotBySession(benchmark::State& state) {
  judge(state, {.axiom = Axiom::snapshot, .store = StoreLevel::snapshot, .by_session = true});
}

BENCHMARK(BM_Isolation_ReadCommitted)->Apply(test::sizes);
BENCHMARK(BM_Isolation_ReadAtomic)->Apply(test::sizes);
BENCHMARK(BM_Isolation_CausalGuessed)->Apply(test::sizes);
BENCHMARK(BM_Isolation_CausalForced)->Apply(test::sizes);
BENCHMARK(BM_Isolation_CausalShortSessions)->Apply(test::sizes);
BENCHMARK(BM_Isolation_CausalLagging)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_CausalUnknown, tenth, 10)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_CausalUnknown, half, 50)->Apply(test::sizes);
BENCHMARK(BM_Isolation_CausalFractured)->Apply(test::sizes);
BENCHMARK(BM_Isolation_SnapshotGuessed)->Apply(test::sizes);
BENCHMARK(BM_Isolation_SerializableGuessed)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_SnapshotUnknown, tenth, 10)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_SnapshotUnknown, half, 50)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_SerializableUnknown, tenth, 10)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_SerializableUnknown, half, 50)->Apply(test::sizes);
BENCHMARK(BM_Isolation_SerializableStale)->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Isolation_SerializableUnknownStale, tenth, 10)->Apply(test::sizes);
BENCHMARK(BM_Isolation_SerializableBySession)->Apply(test::sizes);
BENCHMARK(BM_Isolation_SnapshotBySession)->Apply(test::sizes);

}  // namespace
}  // namespace sunder
