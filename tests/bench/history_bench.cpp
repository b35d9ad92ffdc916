// How fast histories are read, from a file of each of the great forms, and how much memory they
// then take: `times_own_size` is that of the history by that of its operations alone.

#include <filesystem>
#include <fstream>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/history/text.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder {
namespace {

history::History generated(std::int64_t operations) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(operations);
  options.keys = 64;
  return test::register_history(options);
}

// Jepsen's maps of the same events, one a line: {:process 3, :type :ok, :value [[:r 7 1]]}.
std::string to_edn(std::string jsonl) {
  std::string edn;
  edn.reserve(jsonl.size());
  bool in_name = false;     // of a field
  bool in_keyword = false;  // the function of a transaction's item
  std::size_t depth = 0;    // of lists
  for (std::size_t i = 0; i < jsonl.size(); ++i) {
    const char character = jsonl[i];
    if (character == '[') ++depth;
    if (character == ']') --depth;
    if (in_keyword && character == '"') {
      in_keyword = false;
    } else if (character == '"' && jsonl[i - 1] == '[') {
      in_keyword = true;
      edn += ':';
    } else if (character == '"' && depth == 0 && (jsonl[i - 1] == '{' || jsonl[i - 1] == ',')) {
      in_name = true;
      edn += ':';
    } else if (character == '"' && in_name) {
      in_name = false;
      ++i;  // the colon
      edn += ' ';
      const bool keyword = jsonl[i + 1] == '"' && (edn.ends_with(":type ") || edn.ends_with(":f "));
      if (keyword) {
        edn += ':';
        ++i;
        while (jsonl[i + 1] != '"') edn += jsonl[++i];
        ++i;
      }
    } else if (character == ',') {
      edn += depth == 0 ? ", " : " ";
    } else {
      edn += character;
    }
  }
  for (auto at = edn.find("null"); at != std::string::npos; at = edn.find("null", at)) {
    edn.replace(at, 4, "nil");
  }
  return edn;
}

// Transactions of eight events, by 50 sessions in turn.
std::string plume_text(std::int64_t transactions) {
  std::string text;
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < transactions; ++i) {
    for (std::int64_t event = 0; event < 8; ++event) {
      const bool writes = event % 2 == 0;
      text += fmt::format("{}({},{},{},{})\n",
                          writes ? 'w' : 'r',
                          (i * 7 + event / 2 * 13) % 1000,
                          writes ? ++value : value,
                          i % 50,
                          i);
    }
  }
  return text;
}

void read(benchmark::State& state, const std::string& text) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("sunder_history_bench_{}", ::getpid());
  std::ofstream(path, std::ios::binary) << text;
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto read = history::read_history_file(path);
    if (read.has_error()) {
      state.SkipWithError("unreadable");
      break;
    }
    const auto own =
        static_cast<double>(read->history.operations().size() * sizeof(history::Operation));
    state.counters["times_own_size"] = static_cast<double>(read->history.memory()) / own;
    benchmark::DoNotOptimize(&read);
  }
  memory.tell(state);
  std::filesystem::remove(path);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_History_ReadJsonl(benchmark::State& state) {
  read(state, history::to_jsonl(generated(state.range(0))));
}

void BM_History_ReadEdn(benchmark::State& state) {
  read(state, to_edn(history::to_jsonl(generated(state.range(0)))));
}

// Transactions of eight reads and writes, by 50 sessions.
history::History transactions(std::int64_t count) {
  test::TransactionOptions options;
  options.transactions = static_cast<std::uint64_t>(count);
  options.keys = 10'000;
  options.timed = true;
  return test::transaction_history(options);
}

void BM_History_ReadJsonlTransactions(benchmark::State& state) {
  read(state, history::to_jsonl(transactions(state.range(0))));
}

void BM_History_ReadEdnTransactions(benchmark::State& state) {
  read(state, to_edn(history::to_jsonl(transactions(state.range(0)))));
}

void BM_History_ReadPlume(benchmark::State& state) {
  read(state, plume_text(state.range(0)));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("ops")
      ->RangeMultiplier(10)
      ->Range(1000, 1'000'000)
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_History_ReadJsonl)->Apply(sizes);
BENCHMARK(BM_History_ReadEdn)->Apply(sizes);
BENCHMARK(BM_History_ReadJsonlTransactions)->Apply(sizes);
BENCHMARK(BM_History_ReadEdnTransactions)->Apply(sizes);
BENCHMARK(BM_History_ReadPlume)->Apply(sizes);

}  // namespace
}  // namespace sunder
