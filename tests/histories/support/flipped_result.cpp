#include "tests/histories/support/flipped_result.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "harness/history/value_copy.hpp"
#include "tests/histories/support/draws.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;
using history::ValueKind;
using history::ValuePool;

bool is_read(const ValuePool& pool, Value item) {
  if (!item.is_list()) return false;
  const auto parts = pool.items_of(item);
  if (parts.size() != 3 || !parts[0].is_text()) return false;
  const std::string_view name = pool.text_of(parts[0]);
  return name == "r" || name == "read";
}

// Where a result is: an operation, and of a transaction one of its reads.
struct Place {
  std::size_t operation = 0;
  std::size_t item = 0;
};

class Flipping {
 public:
  Flipping(const History& history, std::uint64_t seed) : history_(&history), draws_(seed) {
    for (std::size_t i = 0; i < history.operations().size(); ++i) find_places(i);
  }

  [[nodiscard]] std::optional<History> flip() {
    if (places_.empty()) return std::nullopt;
    const Place place = places_[draws_.below(places_.size())];
    for (std::size_t i = 0; i < history_->operations().size(); ++i) {
      Operation operation = copy_of(*history_, history_->operations()[i], builder_);
      if (i == place.operation) change(operation, place);
      builder_.add(operation);
    }
    return builder_.finish();
  }

 private:
  [[nodiscard]] ValuePool& pool() { return builder_.pool(); }

  void find_places(std::size_t index) {
    const Operation& operation = history_->operations()[index];
    if (operation.outcome != Outcome::ok || operation.output.is_none()) return;
    if (operation.function != Function::txn) {
      places_.push_back({.operation = index, .item = 0});
      return;
    }
    if (!operation.output.is_list()) return;
    const auto items = history_->pool().items_of(operation.output);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (is_read(history_->pool(), items[i])) places_.push_back({.operation = index, .item = i});
    }
  }

  void change(Operation& operation, const Place& place) {
    if (operation.function != Function::txn) {
      operation.output = changed(operation.output, place);
      return;
    }
    const auto items = pool().items_of(operation.output);
    std::vector<Value> list(items.begin(), items.end());
    const auto parts = pool().items_of(list[place.item]);
    list[place.item] = pool().list({parts[0], parts[1], changed(parts[2], place)});
    operation.output = pool().list(list);
  }

  // What another operation of the same kind got; else, or as often, something beside it.
  [[nodiscard]] Value changed(Value value, const Place& from) {
    std::vector<Place> alike;
    for (const Place& place : places_) {
      const bool same = function_at(place) == function_at(from);
      if (same && value_at(place) != value_at(from)) alike.push_back(place);
    }
    if (alike.empty() || draws_.percent(50)) return beside(value);
    return history::copy_value(
        pool(), history_->pool(), value_at(alike[draws_.below(alike.size())]));
  }

  [[nodiscard]] Function function_at(const Place& place) const {
    return history_->operations()[place.operation].function;
  }

  // In the history's own pool.
  [[nodiscard]] Value value_at(const Place& place) const {
    const Operation& operation = history_->operations()[place.operation];
    if (operation.function != Function::txn) return operation.output;
    const ValuePool& from = history_->pool();
    return from.items_of(from.items_of(operation.output)[place.item])[2];
  }

  [[nodiscard]] Value beside(Value value) {
    switch (value.kind()) {
      case ValueKind::integer:
        return Value::integer(value.raw() + (draws_.percent(50) ? 1 : -1));
      case ValueKind::boolean:
        return Value::boolean(value.raw() == 0);
      case ValueKind::text:
        return pool().text(std::string(pool().text_of(value)) + "z");
      case ValueKind::list: {
        const auto items = pool().items_of(value);
        if (items.empty()) return pool().list({Value::integer(1)});
        return pool().list(std::vector<Value>(items.begin(), items.end() - 1));
      }
      default:
        return Value::integer(1);
    }
  }

  const History* history_;
  Draws draws_;
  std::vector<Place> places_;
  HistoryBuilder builder_;
};

}  // namespace

std::optional<History> flip_one_result(const History& history, std::uint64_t seed) {
  return Flipping(history, seed).flip();
}

std::optional<History> untell_some_results(const History& history, std::uint64_t seed) {
  constexpr unsigned kUntold = 30;  // percent
  Draws draws(seed);
  HistoryBuilder builder;
  bool any = false;
  for (const Operation& operation : history.operations()) {
    Operation copy = copy_of(history, operation, builder);
    const bool told = copy.function != Function::txn && copy.outcome == Outcome::ok;
    if (told && !copy.output.is_none() && draws.percent(kUntold)) {
      copy.output = Value();
      any = true;
    }
    builder.add(copy);
  }
  if (!any) return std::nullopt;
  return builder.finish();
}

}  // namespace sunder::test
