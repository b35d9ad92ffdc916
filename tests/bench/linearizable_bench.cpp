// How fast histories are judged, on the generator of CHECKERS' key-value register and on the
// published logs.

#include <filesystem>
#include <vector>

#include <benchmark/benchmark.h>

#include "checkers/linearizability.hpp"
#include "harness/history/text.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/searched_generator.hpp"

namespace sunder {
namespace {

using checkers::VerdictKind;

void judge(benchmark::State& state, const test::RegisterOptions& generated, VerdictKind expected) {
  const history::History history = test::register_history(generated);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict =
        checkers::check_linearizability(history, *checkers::find_search_model("register"), {}, {});
    if (verdict.kind != expected) state.SkipWithError("wrong verdict");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

test::RegisterOptions options_of(const benchmark::State& state, std::uint64_t keys) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(state.range(0));
  options.keys = keys;
  return options;
}

void BM_Linearizable_OneKey(benchmark::State& state) {
  judge(state, options_of(state, 1), VerdictKind::kept);
}

BENCHMARK(BM_Linearizable_OneKey)->Apply(test::sizes);

void BM_Linearizable_ManyKeys(benchmark::State& state) {
  judge(state, options_of(state, 10'000), VerdictKind::kept);
}

BENCHMARK(BM_Linearizable_ManyKeys)->Apply(test::sizes);

void BM_Linearizable_StaleReadAtTheEnd(benchmark::State& state) {
  test::RegisterOptions options = options_of(state, 1);
  options.unknown_per_mille = 50;
  options.violation = true;
  judge(state, options, VerdictKind::broken);
}

BENCHMARK(BM_Linearizable_StaleReadAtTheEnd)->Apply(test::sizes);

// The search alone, four clients on each key.
void BM_Search_FourClientsAKey(benchmark::State& state) {
  test::RegisterOptions options = options_of(state, 10);
  options.clients = 40;
  const history::History history = test::register_history(options);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_linearizability(
        history, *checkers::find_search_model("register"), {}, {}, {.closed_form = false});
    if (verdict.kind != VerdictKind::kept) state.SkipWithError("wrong verdict");
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(BM_Search_FourClientsAKey)->Apply(test::sizes<100'000>);

// Judges a generated store's history by the search alone.
void search_generated(benchmark::State& state,
                      test::SearchedOptions options,
                      std::string_view model) {
  options.operations = static_cast<std::uint64_t>(state.range(0));
  const history::History history = test::searched_history(options);
  checkers::CheckOptions check;
  check.threads = 1;
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = checkers::check_linearizability(
        history, *checkers::find_search_model(model), check, {}, {.closed_form = false});
    if (verdict.kind != VerdictKind::kept) state.SkipWithError("wrong verdict");
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// 50 clients append to and read 10 texts, as in porcupine's c50-ok (1,712 operations).
void BM_Search_ContendedTexts(benchmark::State& state) {
  search_generated(state, test::kContended_texts, "kv-append");
}

BENCHMARK(BM_Search_ContendedTexts)
    ->Apply(test::measure_all_threads)
    ->Arg(1000)
    ->Arg(1712)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000);

// Eight clients, five values that repeat, compare-and-sets that do not tell what they found.
void BM_Search_Compares(benchmark::State& state) {
  search_generated(state,
                   {.kind = test::SearchedKind::compares, .clients = 8, .unknown_per_mille = 10},
                   "cas-register");
}

BENCHMARK(BM_Search_Compares)->Apply(test::sizes);

// Six clients, transactions over 20 registers.
void BM_Search_Transactions(benchmark::State& state) {
  search_generated(
      state,
      {.kind = test::SearchedKind::transactions, .clients = 6, .keys = 20, .unknown_per_mille = 10},
      "multi-register");
}

BENCHMARK(BM_Search_Transactions)->Apply(test::sizes);

// Judging 102 logs like etcd's, every other one with a result changed.
void BM_Search_CompareLogs(benchmark::State& state) {
  std::vector<history::History> logs;
  for (std::uint64_t seed = 1; seed <= 102; ++seed) {
    test::SearchedOptions options = test::kCompare_log;
    options.seed = seed;
    options.wrong = seed % 2;
    logs.push_back(test::searched_history(options));
  }
  const test::PeakMemory memory;
  for (auto _ : state) {
    for (const history::History& log : logs) {
      const auto verdict = checkers::check_model(log, "cas-register", {}, {});
      benchmark::DoNotOptimize(&verdict);
    }
  }
  memory.tell(state);
}

BENCHMARK(BM_Search_CompareLogs)->Apply(test::measure_all_threads)->Arg(1000);

// Reading and judging the published etcd logs, all of them; `ops` only gives it a place in the
// smoke run.
void BM_Search_EtcdLogs(benchmark::State& state) {
  const std::filesystem::path folder = std::filesystem::path(SUNDER_SOURCE_DIR) /
                                       "tests/histories/published/porcupine/test_data/jepsen";
  const test::PeakMemory memory;
  for (auto _ : state) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto read = history::read_history_file(entry.path());
      if (read.has_error()) {
        state.SkipWithError("unreadable");
        break;
      }
      const auto verdict = checkers::check_model(read->history, "cas-register", {}, {});
      benchmark::DoNotOptimize(&verdict);
    }
  }
  memory.tell(state);
}

BENCHMARK(BM_Search_EtcdLogs)->Apply(test::measure_all_threads)->Arg(1000);

}  // namespace
}  // namespace sunder
