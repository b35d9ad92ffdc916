// How fast histories are read, from a file of each of the great forms, and how much memory they
// then take: `times_own_size` is that of the history by its operations' own (history_texts.hpp).
//
// `first` is the speed of the first read by the process, in bytes a second: memory that is touched
// for the first time is much of it, and costs what the machine makes of it. What is measured are
// the reads behind it.

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/history/text.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/history_texts.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder {
namespace {

history::History generated(std::int64_t operations) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(operations);
  options.keys = 64;
  return test::register_history(options);
}

// Processor time, in seconds.
double now() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void read(benchmark::State& state, const std::string& text) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("sunder_history_bench_{}", ::getpid());
  std::ofstream(path, std::ios::binary) << text;
  const test::PeakMemory memory;
  history::History history;
  const auto read_once = [&] {
    history = {};
    auto read = history::read_history_file(path);
    if (read.has_error()) return false;
    history = std::move(read->history);
    benchmark::DoNotOptimize(&history);
    return true;
  };
  const double begin = now();
  bool readable = read_once();
  state.counters["first"] = static_cast<double>(text.size()) / (now() - begin);
  for (auto _ : state) readable = read_once();
  if (!readable) state.SkipWithError("unreadable");
  memory.tell(state);
  state.counters["times_own_size"] =
      static_cast<double>(history.memory()) / static_cast<double>(test::own_size(history));
  std::filesystem::remove(path);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_History_ReadJsonl(benchmark::State& state) {
  read(state, history::to_jsonl(generated(state.range(0))));
}

void BM_History_ReadEdn(benchmark::State& state) {
  read(state, test::to_edn(history::to_jsonl(generated(state.range(0)))));
}

// Transactions of eight reads and writes, by 50 sessions.
history::History transactions(std::int64_t count) {
  test::TransactionOptions options;
  options.transactions = static_cast<std::uint64_t>(count);
  options.keys = 10'000;
  options.timed = true;
  options.asks = true;
  return test::transaction_history(options);
}

void BM_History_ReadJsonlTransactions(benchmark::State& state) {
  read(state, history::to_jsonl(transactions(state.range(0))));
}

void BM_History_ReadEdnTransactions(benchmark::State& state) {
  read(state, test::to_edn(history::to_jsonl(transactions(state.range(0)))));
}

// Transactions of up to four appends and reads of whole lists.
history::History list_transactions(std::int64_t count) {
  test::ListOptions options;
  options.attempts = static_cast<std::uint64_t>(count);
  return test::list_history(options);
}

void BM_History_ReadJsonlLists(benchmark::State& state) {
  read(state, history::to_jsonl(list_transactions(state.range(0))));
}

void BM_History_ReadEdnLists(benchmark::State& state) {
  read(state, test::to_edn(history::to_jsonl(list_transactions(state.range(0)))));
}

void BM_History_ReadPlume(benchmark::State& state) {
  read(state, test::plume_text(state.range(0)));
}

// One register's calls, each a line with its start and end.
void BM_History_ReadIntervals(benchmark::State& state) {
  read(state, test::intervals_text(generated(state.range(0))));
}

BENCHMARK(BM_History_ReadJsonl)->Apply(test::sizes);
BENCHMARK(BM_History_ReadEdn)->Apply(test::sizes);
BENCHMARK(BM_History_ReadJsonlTransactions)->Apply(test::sizes);
BENCHMARK(BM_History_ReadEdnTransactions)->Apply(test::sizes);
BENCHMARK(BM_History_ReadJsonlLists)->Apply(test::sizes);
BENCHMARK(BM_History_ReadEdnLists)->Apply(test::sizes);
BENCHMARK(BM_History_ReadPlume)->Apply(test::sizes);
BENCHMARK(BM_History_ReadIntervals)->Apply(test::sizes);

}  // namespace
}  // namespace sunder
