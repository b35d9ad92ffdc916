#include "tests/histories/support/collection_generator.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <queue>
#include <set>
#include <string>
#include <vector>

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
using history::ValuePool;

Value integer(std::uint64_t value) {
  return Value::integer(static_cast<std::int64_t>(value));
}

// What every type of store holds of one key.
struct Store {
  std::set<Value> elements;
  std::array<std::int64_t, 3> balances{5, 3, 2};
  std::int64_t sum = 0;
  std::vector<Value> queue;
  std::uint64_t identifiers = 0;
};

// A type of collection: what clients ask it, what it answers, and how an answer goes wrong.
struct Type {
  std::string_view name;
  // Function and input; `serial` is the operation's number in the history.
  void (*ask)(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t serial);
  void (*answer)(Store& store, Operation& operation, ValuePool& pool);
  void (*spoil)(Operation& operation, ValuePool& pool, Draws& draws);
};

void ask_set(Operation& operation, ValuePool&, Draws& draws, std::uint64_t serial) {
  operation.function = draws.percent(50) ? Function::add : Function::read;
  if (operation.function == Function::read) return;
  operation.input = integer(draws.percent(80) ? serial : draws.below(3));
}

void answer_set(Store& store, Operation& operation, ValuePool& pool) {
  if (operation.function == Function::add) {
    store.elements.insert(operation.input);
    return;
  }
  const std::vector<Value> items(store.elements.begin(), store.elements.end());
  operation.output = items.empty() ? Value::nil() : pool.list(items);
}

// An element less, or one more, or one twice.
void spoil_list(Operation& operation, ValuePool& pool, Draws& draws) {
  if (!operation.output.is_list() && !operation.output.is_nil()) return;
  std::vector<Value> items;
  if (operation.output.is_list()) {
    const auto span = pool.items_of(operation.output);
    items.assign(span.begin(), span.end());
  }
  const std::uint64_t roll = draws.below(8);
  if (roll < 5 && !items.empty()) {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(draws.below(items.size())));
  } else if (roll == 5 && !items.empty()) {
    items.push_back(items[draws.below(items.size())]);
  } else {
    items.push_back(integer(draws.below(8)));
  }
  operation.output = pool.list(items);
}

void ask_bank(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t) {
  operation.function = draws.percent(40) ? Function::transfer : Function::read;
  if (operation.function == Function::read) return;
  const auto pair = [&](std::string_view name, std::uint64_t value) {
    return pool.list({pool.text(name), integer(value)});
  };
  operation.input = pool.list({pair("from", draws.below(3)),
                               pair("to", draws.below(3)),
                               pair("amount", 1 + draws.below(4))});
}

void answer_bank(Store& store, Operation& operation, ValuePool& pool) {
  if (operation.function == Function::transfer) {
    const auto field = [&](std::size_t i) {
      return pool.items_of(pool.items_of(operation.input)[i])[1].raw();
    };
    store.balances.at(static_cast<std::size_t>(field(0))) -= field(2);
    store.balances.at(static_cast<std::size_t>(field(1))) += field(2);
    return;
  }
  std::vector<Value> pairs;
  for (std::size_t i = 0; i < store.balances.size(); ++i) {
    pairs.push_back(pool.list({integer(i), Value::integer(store.balances.at(i))}));
  }
  operation.output = pool.list(pairs);
}

void spoil_bank(Operation& operation, ValuePool& pool, Draws& draws) {
  if (operation.function != Function::read || !operation.output.is_list()) return;
  const auto span = pool.items_of(operation.output);
  std::vector<Value> pairs(span.begin(), span.end());
  const std::uint64_t which = draws.below(pairs.size());
  const Value account = integer(draws.percent(90) ? which : 7);
  const Value amount = draws.percent(10) ? Value::nil() : integer(draws.below(9));
  pairs[which] = pool.list({account, amount});
  if (draws.percent(10)) pairs.pop_back();
  operation.output = pool.list(pairs);
}

void ask_counter(Operation& operation, ValuePool&, Draws& draws, std::uint64_t) {
  operation.function = draws.percent(60) ? Function::add : Function::read;
  if (operation.function == Function::read) return;
  operation.input = Value::integer(static_cast<std::int64_t>(draws.below(6)) - 2);
}

void answer_counter(Store& store, Operation& operation, ValuePool&) {
  if (operation.function == Function::add) {
    store.sum += operation.input.raw();
  } else {
    operation.output = store.sum == 0 ? Value::nil() : Value::integer(store.sum);
  }
}

void spoil_counter(Operation& operation, ValuePool&, Draws& draws) {
  if (operation.function != Function::read) return;
  operation.output = Value::integer(static_cast<std::int64_t>(draws.below(9)) - 3);
}

void ask_queue(Operation& operation, ValuePool&, Draws& draws, std::uint64_t serial) {
  const std::uint64_t roll = draws.below(10);
  operation.function = roll < 5   ? Function::enqueue
                       : roll < 8 ? Function::dequeue
                                  : Function::drain;
  if (operation.function != Function::enqueue) return;
  operation.input = integer(draws.percent(70) ? serial : draws.below(3));
}

void answer_queue(Store& store, Operation& operation, ValuePool& pool) {
  if (operation.function == Function::enqueue) {
    store.queue.push_back(operation.input);
  } else if (operation.function == Function::drain) {
    operation.output = pool.list(store.queue);
    store.queue.clear();
  } else if (store.queue.empty()) {
    operation.output = Value::nil();
  } else {
    operation.output = store.queue.front();
    store.queue.erase(store.queue.begin());
  }
}

void spoil_queue(Operation& operation, ValuePool& pool, Draws& draws) {
  if (operation.function == Function::drain) return spoil_list(operation, pool, draws);
  if (operation.function != Function::dequeue) return;
  operation.output = draws.percent(50) ? Value::nil() : integer(draws.below(7));
}

void ask_identifier(Operation& operation, ValuePool& pool, Draws&, std::uint64_t) {
  operation.function = Function::other;
  operation.function_name = pool.symbol("generate");
}

void answer_identifier(Store& store, Operation& operation, ValuePool&) {
  operation.output = integer(++store.identifiers);
}

void spoil_identifier(Operation& operation, ValuePool&, Draws& draws) {
  operation.output = integer(draws.below(8));
}

constexpr std::array kTypes{
    Type{"bank", ask_bank, answer_bank, spoil_bank},
    Type{"counter", ask_counter, answer_counter, spoil_counter},
    Type{"set", ask_set, answer_set, spoil_list},
    Type{"set-full", ask_set, answer_set, spoil_list},
    Type{"total-queue", ask_queue, answer_queue, spoil_queue},
    Type{"unique-ids", ask_identifier, answer_identifier, spoil_identifier},
};

const Type& type_of(std::string_view name) {
  return *std::ranges::find(kTypes, name, &Type::name);
}

class SmallCollection {
 public:
  explicit SmallCollection(const SmallCollectionOptions& options)
      : type_(&type_of(options.type)),
        operations_max_(options.operations_max),
        draws_(options.seed * 7 + 1) {}

  History make() {
    draw_intervals(2 + draws_.below(operations_max_ - 1));
    name_processes();
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      type_->ask(operations_[i], builder_.pool(), draws_, i + 1);
    }
    run();
    if (draws_.percent(60)) {
      Operation& wrong = operations_[draws_.below(operations_.size())];
      type_->spoil(wrong, builder_.pool(), draws_);
    }
    for (Operation& operation : operations_) {
      hide(operation);
      builder_.add(operation);
    }
    return builder_.finish();
  }

 private:
  void draw_intervals(std::uint64_t count) {
    std::vector<std::int64_t> stamps(2 * count);
    std::iota(stamps.begin(), stamps.end(), 0);
    for (std::size_t i = stamps.size(); i > 1; --i) {
      std::swap(stamps[i - 1], stamps[draws_.below(i)]);
    }
    const bool is_short = draws_.percent(60);
    for (std::size_t i = 0; i < count; ++i) {
      Operation operation;
      const auto [low, high] = std::minmax(stamps[2 * i], stamps[2 * i + 1]);
      operation.invoke = low;
      operation.complete = is_short ? std::min(high, low + 2) : high;
      operation.outcome = Outcome::ok;
      operations_.push_back(operation);
    }
    std::ranges::sort(operations_, {}, &Operation::invoke);
  }

  // Few processes, each with one operation at a time.
  void name_processes() {
    std::vector<std::int64_t> free_from(operations_.size() + 2, -1);
    for (Operation& operation : operations_) {
      std::size_t process = draws_.below(2);
      while (free_from[process] >= operation.invoke) ++process;
      free_from[process] = operation.complete;
      operation.process = static_cast<std::int64_t>(process);
    }
  }

  // Everything takes effect at an instant of its own; most reads may be a little stale or not.
  void run() {
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      const auto width = static_cast<std::uint64_t>(operation.complete - operation.invoke + 1);
      order.emplace_back(static_cast<std::uint64_t>(operation.invoke) + draws_.below(width), i);
    }
    std::ranges::sort(order);
    Store store;
    for (const auto& [instant, i] : order) type_->answer(store, operations_[i], builder_.pool());
  }

  void hide(Operation& operation) {
    const std::uint64_t roll = draws_.below(100);
    if (roll >= 20) return;
    if (roll < 3) {  // acknowledged, but nobody knows what it said
      operation.output = Value();
      return;
    }
    const bool changes = !operation.input.is_none();
    if (roll < 12 && (changes || draws_.percent(30))) {
      operation.outcome = Outcome::info;
      operation.complete = kNever;
      operation.output = Value();
    } else if (roll < 15) {
      operation.outcome = Outcome::fail;
      operation.output = Value();
    }
  }

  const Type* type_;
  std::uint64_t operations_max_;
  Draws draws_;
  HistoryBuilder builder_;
  std::vector<Operation> operations_;
};

}  // namespace

History small_collection_history(const SmallCollectionOptions& options) {
  return SmallCollection(options).make();
}

}  // namespace sunder::test
