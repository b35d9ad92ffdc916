#include "tests/histories/support/searched_generator.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/histories/support/client_slots.hpp"
#include "tests/histories/support/draws.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::HistoryBuilder;
using history::kNever;
using history::Operation;
using history::Outcome;
using history::Value;

struct Planned {
  Operation operation;
  std::uint64_t key = 0;
  std::optional<std::uint64_t> effect;  // when it takes effect
};

class SearchedStore {
 public:
  explicit SearchedStore(const SearchedOptions& options)
      : options_(options),
        draws_(options.seed),
        contents_(options.keys, Value::nil()),
        texts_(options.keys) {}

  History make() {
    plan();
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].effect) order.push_back(i);
    }
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(*all_[i].effect, i); });
    for (const std::size_t i : order) apply(all_[i]);
    for (std::uint64_t left = options_.wrong; left > 0; --left) {
      spoil(all_[draws_.below(all_.size())].operation);
    }
    for (const Planned& planned : all_) builder_.add(planned.operation);
    return builder_.finish();
  }

 private:
  void plan() {
    const std::uint64_t mean = options_.half_service_mean;
    ClientSlots slots(options_.clients, mean, draws_);
    all_.resize(options_.operations);
    for (std::uint64_t i = 0; i < options_.operations; ++i) {
      const auto [time, client, process] = slots.next();
      Planned& planned = all_[i];
      planned.operation.process = process;
      draw(planned, i);
      const std::uint64_t before = 1 + draws_.below(mean);
      const std::uint64_t after = 1 + draws_.below(mean);
      planned.effect = time + before;
      planned.operation.outcome = Outcome::ok;
      planned.operation.invoke = static_cast<std::int64_t>(time);
      planned.operation.complete = static_cast<std::int64_t>(time + before + after);
      std::uint64_t next = time + before + after + draws_.below(mean / 8 + 1) + 1;
      if (draws_.below(1000) < options_.unknown_per_mille) {
        planned.effect = std::nullopt;
        if (draws_.percent(50)) planned.effect = time + 1 + draws_.below(20 * mean);
        planned.operation.outcome = Outcome::info;
        planned.operation.complete = kNever;
        next = time + 2 * mean;
        slots.retire(client);
      }
      slots.again(client, next);
    }
  }

  void draw(Planned& planned, std::uint64_t number) {
    Operation& operation = planned.operation;
    number_ = number;
    if (options_.kind == SearchedKind::transactions) {
      operation.function = Function::txn;
      std::vector<Value> steps;
      for (std::uint64_t left = 1 + draws_.below(options_.steps_max); left > 0; --left) {
        const Value reg = Value::integer(static_cast<std::int64_t>(draws_.below(options_.keys)));
        steps.push_back(draws_.percent(50) ? step("r", reg, Value::nil())
                                           : step("w", reg, written(steps.size())));
      }
      operation.input = pool().list(steps);
      return;
    }
    planned.key = draws_.below(options_.keys);
    operation.key = pool().symbol(std::to_string(planned.key));
    const std::uint64_t roll = draws_.below(100);
    if (roll < 45) {
      operation.function = Function::read;
    } else if (options_.kind == SearchedKind::texts) {
      operation.function = roll < 95 ? Function::append : Function::write;
      operation.input = pool().text("x " + std::to_string(operation.process) + " " +
                                    std::to_string(number) + " y");
    } else if (roll < 70) {
      operation.function = Function::write;
      operation.input = written(0);
    } else {
      operation.function = Function::cas;
      operation.input = pool().list({any_value(), written(0)});
    }
  }

  history::ValuePool& pool() { return builder_.pool(); }

  Value step(std::string_view function, Value reg, Value value) {
    return pool().list({pool().text(function), reg, value});
  }

  // The value of the write at that place of the operation.
  Value written(std::size_t place) {
    const std::uint64_t value = options_.values != 0
                                    ? options_.least + draws_.below(options_.values)
                                    : 1 + number_ * options_.steps_max + place;
    return Value::integer(static_cast<std::int64_t>(value));
  }

  Value any_value() {
    const std::uint64_t bound =
        options_.values != 0 ? options_.values : (number_ + 1) * options_.steps_max;
    return Value::integer(static_cast<std::int64_t>(options_.least + draws_.below(bound)));
  }

  void apply(Planned& planned) {
    Operation& operation = planned.operation;
    const bool known = operation.outcome == Outcome::ok;
    if (operation.function == Function::txn) {
      const Value output = run(operation.input);
      if (known) operation.output = output;
    } else if (options_.kind == SearchedKind::texts) {
      std::string& text = texts_[planned.key];
      if (operation.function == Function::read) {
        if (known) operation.output = pool().text(text);
      } else {
        if (operation.function == Function::write) text.clear();
        text += pool().text_of(operation.input);
      }
    } else {
      apply_compare(operation, contents_[planned.key]);
    }
  }

  void apply_compare(Operation& operation, Value& content) {
    if (operation.function == Function::read) {
      if (operation.outcome == Outcome::ok) operation.output = content;
    } else if (operation.function == Function::write) {
      content = operation.input;
    } else if (content == pool().items_of(operation.input)[0]) {
      content = pool().items_of(operation.input)[1];
    } else if (operation.outcome == Outcome::ok) {
      operation.outcome = Outcome::fail;
      operation.error = pool().symbol("cas-mismatch");
    }
  }

  Value run(Value input) {
    const auto items = pool().items_of(input);
    std::vector<Value> steps(items.begin(), items.end());
    for (Value& each : steps) {
      const Value name = pool().items_of(each)[0];
      const Value reg = pool().items_of(each)[1];
      Value& content = contents_[static_cast<std::size_t>(reg.raw())];
      if (pool().text_of(name) == "w") {
        content = pool().items_of(each)[2];
      } else {
        each = step("r", reg, content);
      }
    }
    return pool().list(steps);
  }

  // Changes a result, if the operation has one.
  void spoil(Operation& operation) {
    if (operation.output.is_none()) {
      if (operation.function == Function::cas && operation.outcome != Outcome::info) {
        operation.outcome = operation.outcome == Outcome::ok ? Outcome::fail : Outcome::ok;
        operation.error = pool().symbol(operation.outcome == Outcome::ok ? "" : "cas-mismatch");
      }
      return;
    }
    if (operation.function == Function::txn) {
      const auto items = pool().items_of(operation.output);
      std::vector<Value> steps(items.begin(), items.end());
      Value& each = steps[draws_.below(steps.size())];
      const Value name = pool().items_of(each)[0];
      const Value reg = pool().items_of(each)[1];
      if (pool().text_of(name) == "r") each = step("r", reg, any_value());
      operation.output = pool().list(steps);
    } else if (operation.output.is_text()) {
      const std::string text(pool().text_of(operation.output));
      operation.output = pool().text(text.substr(0, text.size() / 2));
    } else {
      operation.output = any_value();
    }
  }

  SearchedOptions options_;
  Draws draws_;
  HistoryBuilder builder_;
  std::vector<Planned> all_;
  std::vector<Value> contents_;     // by key or register
  std::vector<std::string> texts_;  // by key
  std::uint64_t number_ = 0;        // of the operation that is drawn
};

}  // namespace

History searched_history(const SearchedOptions& options) {
  return SearchedStore(options).make();
}

}  // namespace sunder::test
