#include "checkers/saga/record.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace sunder::checkers::saga {
namespace {

using history::History;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::size_t kPageRows = 500;

// Takes the first word from the front.
std::string_view take(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return word;
}

template <typename Number>
Number number(std::string_view word) {
  Number value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

template <typename Names>
std::size_t index_of(const Names& names, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

Take take_of(std::string_view object, std::string_view amount) {
  return {.object = object, .amount = number<std::int64_t>(amount)};
}

}  // namespace

std::string_view name_of(const History& history, const Operation& operation) {
  return history.pool().name(operation.function_name);
}

std::optional<bool> told_confirmed(const History& history, const Operation& operation) {
  if (operation.outcome != Outcome::ok || !operation.output.is_text()) return std::nullopt;
  const std::string_view text = history.pool().text_of(operation.output);
  if (text == "confirmed") return true;
  if (text.starts_with("refused")) return false;
  return std::nullopt;
}

Record Record::read(const History& history) {
  Record record;
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    const std::string_view function = name_of(history, history.operations()[i]);
    if (function == "order") record.read_order(history, i);
    if (function == "sagas" || function == "ledger" || function == "levels") {
      record.read_page(history, i);
    }
  }
  record.check_whole();
  record.sum_up();
  return record;
}

// Pages count, not rows: a broken log may have left out a number.
bool Record::has_all_sagas() const noexcept {
  return !saga_pages_.empty() && saga_pages_.size() * kPageRows >= sagas_told_;
}

void Record::read_order(const History& history, std::size_t index) {
  orders_.emplace(history.pool().name(history.operations()[index].key), index);
}

void Record::read_page(const History& history, std::size_t index) {
  const Operation& operation = history.operations()[index];
  if (operation.outcome != Outcome::ok || !operation.output.is_list()) return;
  const auto items = history.pool().items_of(operation.output);
  if (items.empty() || !items.front().is_integer()) return;
  const auto total = static_cast<std::size_t>(std::max<std::int64_t>(0, items.front().raw()));
  const std::string_view function = name_of(history, operation);
  const std::size_t step = index_of(kServices, history.pool().name(operation.key));
  const auto page = static_cast<std::size_t>(operation.input.raw());
  if (function != "sagas" && step >= kSteps) return;
  if (function == "sagas") {
    saga_pages_.insert(page);
    sagas_told_ = std::max<std::uint64_t>(sagas_told_, total);
  } else if (function == "ledger") {
    ledgers_told_[step] = true;
    ledger_totals_[step] = std::max(ledger_totals_[step], total);
  } else {
    levels_told_[step] = true;
    level_totals_[step] = std::max(level_totals_[step], total);
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    if (!items[i].is_text()) continue;
    std::string_view row = history.pool().text_of(items[i]);
    if (function == "sagas") {
      read_saga(row, index);
    } else if (function == "ledger") {
      read_effect(step, page * kPageRows + i - 1, row, index);
    } else {
      const std::string_view object = take(row);
      levels_[step][object] = number<std::int64_t>(row);
    }
  }
}

void Record::read_saga(std::string_view row, std::size_t operation) {
  constexpr std::array<std::string_view, 4> phases{"forward", "undoing", "done", "undone"};
  Saga saga;
  saga.operation = operation;
  saga.number = number<std::uint64_t>(take(row));
  saga.order = take(row);
  const std::size_t phase = index_of(phases, take(row));
  if (phase >= phases.size()) return;
  saga.phase = static_cast<Phase>(phase);
  for (std::size_t step = 0; step + 1 < kSteps; ++step) {
    const std::string_view object = take(row);
    saga.terms[step] = take_of(object, take(row));
  }
  saga.terms[kSteps - 1] = {.object = take(row), .amount = 1};
  saga.reason = row;
  sagas_.insert_or_assign(saga.number, saga);
}

void Record::read_effect(std::size_t step,
                         std::size_t at,
                         std::string_view row,
                         std::size_t operation) {
  Effect effect;
  effect.operation = operation;
  effect.saga = number<std::uint64_t>(take(row));
  effect.undo = take(row) == kUndoNames[step];
  effect.order = take(row);
  const std::string_view object = take(row);
  effect.take = take_of(object, row);
  Ledger& ledger = ledgers_[step];
  if (ledger.size() <= at) ledger.resize(at + 1);
  ledger[at] = effect;
}

void Record::check_whole() {
  const auto lacks = [this](std::string_view what, std::size_t read, std::size_t total) {
    if (read >= total || !missing_.empty()) return;
    missing_ = fmt::format("{} of {} rows of {} were read", read, total, what);
  };
  if (saga_pages_.empty()) missing_ = "the sagas were not read at the end";
  // Pages count, not rows: a broken log may have left out a number.
  lacks("the pages of sagas", saga_pages_.size(), (sagas_told_ + kPageRows - 1) / kPageRows);
  for (std::size_t step = 0; step < kSteps; ++step) {
    const auto read = static_cast<std::size_t>(std::ranges::count_if(
        ledgers_[step], [](const Effect& effect) { return !effect.order.empty(); }));
    if (!ledgers_told_[step] && missing_.empty()) {
      missing_ = fmt::format("the ledger of {} was not read at the end", kServices[step]);
    }
    lacks(fmt::format("the ledger of {}", kServices[step]), read, ledger_totals_[step]);
    if (step + 1 == kSteps) continue;  // nothing runs out of addresses
    if (!levels_told_[step] && missing_.empty()) {
      missing_ = fmt::format("what is left of {} was not read at the end", kServices[step]);
    }
    lacks(fmt::format("what is left of {}", kServices[step]),
          levels_[step].size(),
          level_totals_[step]);
  }
}

void Record::sum_up() {
  for (const auto& [number, saga] : sagas_) numbers_.insert_or_assign(saga.order, number);
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < ledgers_[step].size(); ++i) {
      const Effect& effect = ledgers_[step][i];
      if (effect.order.empty() || is_too_late(effect)) continue;
      Done& done = done_[step][effect.order];
      done.step_after_undo = done.step_after_undo || (!effect.undo && done.undos > 0);
      ++(effect.undo ? done.undos : done.steps);
      const Saga* const saga = saga_of(effect.order);
      done.other_terms = done.other_terms || (saga != nullptr && saga->terms[step] != effect.take);
      done.last = i;
    }
  }
  for (const auto& [number, saga] : sagas_) {
    bool undid = false;
    for (std::size_t step = 0; step < kSteps; ++step) {
      undid = undid || done(step, saga.order).undos > 0;
    }
    if (saga.phase == Phase::undone && undid) ++compensated_;
  }
}

const Saga* Record::saga_of(std::string_view order) const {
  const auto found = numbers_.find(order);
  return found == numbers_.end() ? nullptr : &sagas_.at(found->second);
}

const Done& Record::done(std::size_t step, std::string_view order) const {
  static const Done nothing;
  const auto found = done_.at(step).find(order);
  return found == done_.at(step).end() ? nothing : found->second;
}

std::optional<std::size_t> Record::placed_by(std::string_view order) const {
  const auto found = orders_.find(order);
  if (found == orders_.end()) return std::nullopt;
  return found->second;
}

Counterexample example_of(const Record& record,
                          std::string title,
                          std::string_view order,
                          std::string why) {
  Counterexample example;
  example.title = std::move(title);
  example.why = std::move(why);
  example.key = order;
  if (const auto placed = record.placed_by(order)) {
    example.items.push_back({*placed, true, "the order"});
    example.first_error = *placed;
  }
  if (const Saga* const saga = record.saga_of(order)) {
    example.items.push_back({saga->operation, false, "reads its saga"});
    example.first_error = saga->operation;
  }
  for (std::size_t step = 0; step < kSteps; ++step) {
    const Done& done = record.done(step, order);
    if (done.steps + done.undos == 0) continue;
    const std::size_t operation = record.ledger(step)[done.last].operation;
    const bool known = std::ranges::any_of(
        example.items, [&](const auto& item) { return item.operation == operation; });
    if (known) continue;
    example.items.push_back({operation, true, fmt::format("reads what {} did", kServices[step])});
    example.first_error = std::max(example.first_error, operation);
  }
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
  return example;
}

Verdict not_read(const Record& record) {
  Verdict verdict;
  verdict.kind = VerdictKind::undetermined;
  verdict.summary = fmt::format("what the services hold is not known: {}", record.missing());
  return verdict;
}

void Findings::add(Counterexample example) {
  ++count_;
  if (examples_.size() < kCounterexamplesMax) examples_.push_back(std::move(example));
}

void Findings::break_it(Verdict& verdict, std::string summary) {
  verdict.kind = VerdictKind::broken;
  verdict.summary = std::move(summary);
  verdict.counterexamples = std::move(examples_);
}

}  // namespace sunder::checkers::saga
