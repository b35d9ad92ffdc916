// How fast a run of orders is judged: sagas, ledgers and answers, a page of 500 rows at a time.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "tests/bench/peak_memory.hpp"
#include "tests/bench/sizes.hpp"

namespace sunder {
namespace {

using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::size_t kPageRows = 500;

class Orders {
 public:
  // All confirmed and done, so that every row is looked at.
  explicit Orders(std::size_t count) {
    history::ValuePool& pool = builder_.pool();
    std::vector<std::string> sagas;
    std::array<std::vector<std::string>, 3> ledgers;
    for (std::size_t i = 1; i <= count; ++i) {
      const std::string id = fmt::format("o{}", i);
      const std::string item = fmt::format("i{}", i / 20);
      const Value terms = pool.list({pool.text(item),
                                     Value::integer(1),
                                     pool.text("a" + item),
                                     Value::integer(10),
                                     pool.text("h1")});
      add("order", id, terms, pool.text("confirmed"));
      sagas.push_back(fmt::format("{} {} done {} 1 a{} 10 h1 -", i, id, item, item));
      ledgers[0].push_back(fmt::format("{} reserve {} {} 1", i, id, item));
      ledgers[1].push_back(fmt::format("{} charge {} a{} 10", i, id, item));
      ledgers[2].push_back(fmt::format("{} ship {} h1 1", i, id));
    }
    add_pages("sagas", "", sagas);
    add_pages("ledger", "inventory", ledgers[0]);
    add_pages("ledger", "payment", ledgers[1]);
    add_pages("ledger", "shipment", ledgers[2]);
    add_pages("levels", "inventory", {});
    add_pages("levels", "payment", {});
  }

  history::History finish() { return builder_.finish(); }

 private:
  void add(std::string_view function, std::string_view key, Value input, Value output) {
    Operation operation;
    operation.function = history::function_of(function);
    operation.function_name = builder_.pool().symbol(function);
    operation.key = builder_.pool().symbol(key);
    operation.invoke = operation.invoke_time = time_;
    operation.complete = operation.complete_time = time_ + 1;
    operation.outcome = Outcome::ok;
    operation.input = input;
    operation.output = output;
    builder_.add(operation);
    time_ += 2;
  }

  void add_pages(std::string_view function,
                 std::string_view service,
                 const std::vector<std::string>& rows) {
    history::ValuePool& pool = builder_.pool();
    for (std::size_t page = 0; page == 0 || page * kPageRows < rows.size(); ++page) {
      std::vector<Value> items{Value::integer(static_cast<std::int64_t>(rows.size()))};
      for (std::size_t i = page * kPageRows; i < std::min(rows.size(), (page + 1) * kPageRows);
           ++i) {
        items.push_back(pool.text(rows[i]));
      }
      add(function, service, Value::integer(static_cast<std::int64_t>(page)), pool.list(items));
    }
  }

  HistoryBuilder builder_;
  std::int64_t time_ = 0;
};

void BM_Saga(benchmark::State& state, std::string_view checker) {
  const history::History history = Orders(static_cast<std::size_t>(state.range(0))).finish();
  const checkers::CheckerInfo* const info = checkers::find_checker(checker);
  const test::PeakMemory memory;
  for (auto _ : state) {
    const auto verdict = info->check(history, {}, {});
    if (verdict.kind == checkers::VerdictKind::undetermined) state.SkipWithError("not judged");
    benchmark::DoNotOptimize(&verdict);
  }
  memory.tell(state);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(BM_Saga, AllOrNothing, "saga-all-or-nothing")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Saga, AnswersTrue, "saga-answers-true")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Saga, NoOversell, "saga-no-oversell")->Apply(test::sizes);
BENCHMARK_CAPTURE(BM_Saga, Once, "saga-once")->Apply(test::sizes);

}  // namespace
}  // namespace sunder
