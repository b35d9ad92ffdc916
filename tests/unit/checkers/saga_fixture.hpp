// SagaFixture: a run of orders written by hand: what clients were told, what the services held.
//
// Rows are as the nodes answer them: sagas "17 o17 done i5 2 a3 40 home4 -", ledgers
// "17 reserve o17 i5 2", levels "i5 58". Times in milliseconds.

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"
#include "harness/history/history.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {

struct SagaFixture {
  std::vector<std::string> sagas;
  std::array<std::vector<std::string>, 3> ledgers;
  std::array<std::vector<std::string>, 2> levels;
  std::size_t saga_total = 0;  // 0: as many as there are rows
  RunFixture run{4, 2};
  std::int64_t time = 0;
  std::int64_t page_takes = 5;  // ms
  bool asks_open = true;        // at the end, and is told that none is
  history::History judged;      // what check() saw

  // An order and its answer; empty: nobody knows.
  void order(std::string_view id,
             std::string_view answer,
             std::string_view item = "i1",
             std::int64_t quantity = 2,
             std::string_view account = "a1",
             std::int64_t price = 50,
             std::string_view address = "h1") {
    history::ValuePool& pool = run.builder.pool();
    const std::array terms{pool.text(item),
                           history::Value::integer(quantity),
                           pool.text(account),
                           history::Value::integer(price),
                           pool.text(address)};
    run.call({.function = "order",
              .key = id,
              .begin = time,
              .end = time + 5,
              .outcome = answer.empty() ? history::Outcome::info : history::Outcome::ok,
              .input = pool.list(terms),
              .output = answer.empty() ? history::Value() : pool.text(answer)});
    time += 10;
  }

  // A saga of such an order with the effects that its end asks for.
  void saga(std::uint64_t number, std::string_view phase, std::string_view reason = "-") {
    const std::string id = "o" + std::to_string(number);
    const std::string mark = std::to_string(number) + " ";
    sagas.push_back(mark + id + " " + std::string(phase) + " i1 2 a1 50 h1 " + std::string(reason));
    const bool done = phase == "done";
    const bool undone = phase == "undone" && !reason.starts_with("inventory: sold");
    if (done || undone) ledgers[0].push_back(mark + "reserve " + id + " i1 2");
    if (undone) ledgers[0].push_back(mark + "release " + id + " i1 2");
    if (done) ledgers[1].push_back(mark + "charge " + id + " a1 50");
    if (done) ledgers[2].push_back(mark + "ship " + id + " h1 1");
  }

  Verdict check(std::string_view checker) {
    if (asks_open) page("open", "", {}, 0);
    page("sagas", "", sagas, saga_total > 0 ? saga_total : sagas.size());
    page("ledger", "inventory", ledgers[0], ledgers[0].size());
    page("ledger", "payment", ledgers[1], ledgers[1].size());
    page("ledger", "shipment", ledgers[2], ledgers[2].size());
    page("levels", "inventory", levels[0], levels[0].size());
    page("levels", "payment", levels[1], levels[1].size());
    return run.check(checker, judged);
  }

  void page(std::string_view function,
            std::string_view service,
            const std::vector<std::string>& rows,
            std::size_t total) {
    history::ValuePool& pool = run.builder.pool();
    std::vector<history::Value> items{history::Value::integer(static_cast<std::int64_t>(total))};
    for (const std::string& row : rows) items.push_back(pool.text(row));
    run.call({.function = function,
              .key = service,
              .begin = time,
              .end = time + page_takes,
              .input = history::Value::integer(0),
              .output = function == "open" ? items.front() : pool.list(items)});
    time += 10;
  }
};

}  // namespace sunder::checkers
