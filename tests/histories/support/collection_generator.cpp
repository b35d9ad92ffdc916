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
  std::array<std::int64_t, 2> growing{};  // numbers that only grow
  std::map<Value, Value> cells;           // keys that are written once
  Value cell = Value::nil();              // a register
  std::array<std::vector<Value>, 2> logs;
  std::map<std::pair<std::int64_t, std::size_t>, std::size_t> positions;  // of processes in logs
  std::set<std::string> taken;  // keys that something was inserted under
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
  if (pairs.empty()) return;  // spoiled several times before
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

void ask_growing(Operation& operation, ValuePool&, Draws& draws, std::uint64_t) {
  operation.function = draws.percent(40) ? Function::increment : Function::read;
  // For a read: which of the two, or both.
  operation.input = integer(draws.below(operation.function == Function::read ? 6 : 2));
}

void answer_growing(Store& store, Operation& operation, ValuePool& pool) {
  const auto which = static_cast<std::size_t>(operation.input.raw());
  std::vector<Value> pairs;
  if (operation.function == Function::increment) ++store.growing.at(which);
  for (std::size_t i = 0; i < store.growing.size(); ++i) {
    const std::int64_t value = store.growing.at(i);
    if (which < 2 && which != i) continue;
    pairs.push_back(pool.list({integer(i), value == 0 ? Value::nil() : Value::integer(value)}));
  }
  operation.output = pool.list(pairs);
}

// One part of a list gets another last value.
void spoil_last(Operation& operation, ValuePool& pool, Value value, Draws& draws) {
  if (!operation.output.is_list() || pool.items_of(operation.output).empty()) return;
  const auto span = pool.items_of(operation.output);
  std::vector<Value> items(span.begin(), span.end());
  Value& item = items[draws.below(items.size())];
  const auto inner = pool.items_of(item);
  std::vector<Value> parts(inner.begin(), inner.end());
  parts.back() = value;
  item = pool.list(parts);
  operation.output = pool.list(items);
}

void spoil_growing(Operation& operation, ValuePool& pool, Draws& draws) {
  const std::uint64_t value = draws.below(4);
  spoil_last(operation, pool, value == 0 ? Value::nil() : integer(value), draws);
}

void ask_cells(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t serial) {
  operation.function = Function::txn;
  if (draws.percent(45)) {
    operation.input = pool.list({pool.list({pool.text("w"), integer(serial), integer(serial)})});
    return;
  }
  std::vector<Value> parts;
  for (std::uint64_t key = 1; key <= 6; ++key) {
    const bool wanted = draws.percent(60);
    if (wanted) parts.push_back(pool.list({pool.text("r"), integer(key), Value::nil()}));
  }
  operation.input = pool.list(parts);
}

void answer_cells(Store& store, Operation& operation, ValuePool& pool) {
  std::vector<Value> done;
  const auto span = pool.items_of(operation.input);
  for (const Value part : std::vector<Value>(span.begin(), span.end())) {
    const auto words = pool.items_of(part);
    const Value key = words[1];
    const Value word = words[0];
    if (pool.text_of(word) == "w") store.cells[key] = words[2];
    const auto found = store.cells.find(key);
    done.push_back(
        pool.list({word, key, found == store.cells.end() ? Value::nil() : found->second}));
  }
  operation.output = pool.list(done);
}

void spoil_cells(Operation& operation, ValuePool& pool, Draws& draws) {
  if (!operation.output.is_list() || pool.items_of(operation.output).empty()) return;
  const auto words = pool.items_of(pool.items_of(operation.output)[0]);
  if (pool.text_of(words[0]) == "w") return;
  const Value key = words[1];
  spoil_last(operation, pool, draws.percent(60) ? Value::nil() : key, draws);
}

void ask_cell(Operation& operation, ValuePool&, Draws& draws, std::uint64_t serial) {
  operation.function = draws.percent(serial < 4 ? 70 : 15) ? Function::write : Function::read;
  if (operation.function == Function::write) operation.input = integer(1 + draws.below(4));
}

void answer_cell(Store& store, Operation& operation, ValuePool&) {
  if (operation.function == Function::write) {
    store.cell = operation.input;
  } else {
    operation.output = store.cell;
  }
}

void spoil_cell(Operation& operation, ValuePool&, Draws& draws) {
  if (operation.function != Function::read) return;
  const std::uint64_t value = draws.below(6);
  operation.output = value == 0 ? Value::nil() : integer(value);
}

void ask_settling_set(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t serial) {
  ask_set(operation, pool, draws, serial);
  const bool adds = draws.percent(serial < 4 ? 70 : 15);
  operation.function = adds ? Function::add : Function::read;
  operation.input = adds ? integer(serial) : Value();
}

void ask_log(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t serial) {
  const std::uint64_t roll = draws.below(20);
  const auto send = [&](std::uint64_t value) {
    return pool.list({pool.text("send"), integer(draws.below(2)), integer(value)});
  };
  const Value poll = pool.list({pool.text("poll")});
  const auto is = [&](std::string_view name, std::initializer_list<Value> parts) {
    operation.function = history::function_of(name);
    operation.function_name = pool.symbol(name);
    operation.input = pool.list(parts);
  };
  if (roll < 9) {
    is("send", {send(serial)});
  } else if (roll < 16) {
    is("poll", {poll});
  } else if (roll < 19) {
    is("txn", {send(serial), poll, send(10 + serial)});
  } else {
    is(draws.percent(50) ? "assign" : "subscribe", {integer(draws.below(2))});
  }
}

void answer_log(Store& store, Operation& operation, ValuePool& pool) {
  const std::string name(pool.name(operation.function_name));
  if (name == "assign" || name == "subscribe") return;
  const auto span = pool.items_of(operation.input);
  std::vector<Value> done;
  for (const Value part : std::vector<Value>(span.begin(), span.end())) {
    const auto inner = pool.items_of(part);
    const std::vector<Value> words(inner.begin(), inner.end());
    if (words.size() == 3) {
      std::vector<Value>& log = store.logs.at(static_cast<std::size_t>(words[1].raw()));
      const Value place = pool.list({integer(2 * log.size()), words[2]});
      log.push_back(words[2]);
      done.push_back(pool.list({words[0], words[1], place}));
      continue;
    }
    std::vector<Value> keys;
    for (std::size_t key = 0; key < store.logs.size(); ++key) {
      std::size_t& position = store.positions[{operation.process, key}];
      std::vector<Value> messages;
      for (; position < store.logs.at(key).size() && messages.size() < 2; ++position) {
        messages.push_back(pool.list({integer(2 * position), store.logs.at(key)[position]}));
      }
      if (!messages.empty()) keys.push_back(pool.list({integer(key), pool.list(messages)}));
    }
    done.push_back(pool.list({words[0], pool.list(keys)}));
  }
  operation.output = pool.list(done);
}

// A polled message gets another offset or value, or is left out; or a send another offset; or a key
// is said to have been moved meanwhile.
void spoil_log(Operation& operation, ValuePool& pool, Draws& draws) {
  if (!operation.output.is_list()) return;
  const auto copy = [&](Value list) {
    const auto span = pool.items_of(list);
    return std::vector<Value>(span.begin(), span.end());
  };
  const auto wrong = [&](Value message) {
    std::vector<Value> pair = copy(message);
    pair[draws.below(2)] = integer(draws.below(8));
    return pool.list(pair);
  };
  std::vector<Value> parts = copy(operation.output);
  if (draws.percent(30)) {
    // The messages of a key come the other way round, and that or another key was moved.
    const std::uint64_t moved = draws.below(2);
    for (Value& part : parts) {
      std::vector<Value> words = copy(part);
      if (words.size() != 2) continue;
      std::vector<Value> keys = copy(words[1]);
      for (Value& key : keys) {
        if (!key.is_list()) continue;
        std::vector<Value> of_key = copy(key);
        std::vector<Value> messages = copy(of_key[1]);
        std::ranges::reverse(messages);
        of_key[1] = pool.list(messages);
        if (draws.percent(80)) key = pool.list(of_key);
      }
      words[1] = pool.list(keys);
      part = pool.list(words);
    }
    if (draws.percent(80)) {
      parts.push_back(pool.list({pool.text("rebalance"), pool.list({integer(moved)})}));
    }
    operation.output = pool.list(parts);
    return;
  }
  Value& part = parts[draws.below(parts.size())];
  std::vector<Value> words = copy(part);
  if (pool.text_of(words[0]) == "rebalance") return;
  if (words.size() == 3) {
    words[2] = wrong(words[2]);
  } else {
    std::vector<Value> keys = copy(words[1]);
    if (keys.empty()) return;
    Value& key = keys[draws.below(keys.size())];
    std::vector<Value> of_key = copy(key);
    std::vector<Value> messages = copy(of_key[1]);
    if (messages.empty()) return;
    const std::size_t which = draws.below(messages.size());
    if (draws.percent(50)) {
      messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(which));
    } else {
      messages[which] = wrong(messages[which]);
    }
    of_key[1] = pool.list(messages);
    key = pool.list(of_key);
    words[1] = pool.list(keys);
  }
  part = pool.list(words);
  operation.output = pool.list(parts);
}

void ask_comments(Operation& operation, ValuePool&, Draws& draws, std::uint64_t serial) {
  operation.function = draws.percent(55) ? Function::write : Function::read;
  if (operation.function == Function::read) return;
  operation.input = integer(draws.percent(85) ? serial : 1 + draws.below(3));
}

void answer_comments(Store& store, Operation& operation, ValuePool& pool) {
  if (operation.function == Function::write) {
    store.elements.insert(operation.input);
  } else {
    answer_set(store, operation, pool);
  }
}

// Mostly the read loses the element that was likely written first.
void spoil_comments(Operation& operation, ValuePool& pool, Draws& draws) {
  if (draws.percent(30) || !operation.output.is_list()) return spoil_list(operation, pool, draws);
  const auto items = pool.items_of(operation.output);
  if (items.size() < 2) return;
  const std::vector<Value> rest(items.begin() + 1, items.end());
  operation.output = pool.list(rest);
}

constexpr std::uint64_t kSubkeys = 3;

void ask_subkeys(Operation& operation, ValuePool&, Draws& draws, std::uint64_t serial) {
  operation.function = draws.percent(45) ? Function::write : Function::read;
  const bool fresh = operation.function == Function::write && serial > 3;
  operation.input = integer(fresh ? serial : 1 + draws.below(3));
}

// The last subkey first; `from` is the first that is there.
Value subkeys_of(ValuePool& pool, Value key, std::uint64_t from) {
  std::vector<Value> values;
  for (std::uint64_t i = 0; i < kSubkeys; ++i) {
    const std::string name = std::to_string(key.raw()) + "_" + std::to_string(kSubkeys - 1 - i);
    values.push_back(i < from ? Value::nil() : pool.text(name));
  }
  return pool.list({key, pool.list(values)});
}

void answer_subkeys(Store& store, Operation& operation, ValuePool& pool) {
  if (operation.function == Function::write) {
    store.elements.insert(operation.input);
    return;
  }
  const bool written = store.elements.contains(operation.input);
  operation.output = subkeys_of(pool, operation.input, written ? 0 : kSubkeys);
}

// A part of the subkeys, mostly one that a write in progress explains.
void spoil_subkeys(Operation& operation, ValuePool& pool, Draws& draws) {
  if (operation.function != Function::read || !operation.output.is_list()) return;
  operation.output = subkeys_of(pool, operation.input, draws.below(kSubkeys + 1));
  if (draws.percent(60)) return;
  const auto pair = pool.items_of(operation.output);
  const Value key = pair[0];
  const auto span = pool.items_of(pair[1]);
  std::vector<Value> values(span.begin(), span.end());
  values[draws.below(values.size())] = Value::nil();
  operation.output = pool.list({key, pool.list(values)});
}

void ask_pairs(Operation& operation, ValuePool& pool, Draws&, std::uint64_t serial) {
  operation.function = Function::insert;
  const bool first = serial % 2 == 1;
  operation.key = pool.symbol(std::to_string((serial + 1) / 2));
  operation.input =
      pool.list({first ? integer(serial) : Value::nil(), first ? Value::nil() : integer(serial)});
}

// Of small histories: few keys.
void ask_few_pairs(Operation& operation, ValuePool& pool, Draws& draws, std::uint64_t serial) {
  ask_pairs(operation, pool, draws, serial);
  operation.key = 0;
  operation.input = pool.list({integer(draws.below(3)), operation.input});
}

void answer_pair(Store& store, Operation& operation, ValuePool& pool) {
  const bool keyed = operation.key != 0;
  const std::string key = keyed ? std::string(pool.name(operation.key))
                                : pool.describe(pool.items_of(operation.input)[0]);
  if (!store.taken.insert(key).second) operation.outcome = Outcome::fail;
}

void spoil_pair(Operation& operation, ValuePool&, Draws& draws) {
  if (draws.percent(60)) operation.outcome = Outcome::ok;
}

constexpr std::array kTypes{
    Type{"bank", ask_bank, answer_bank, spoil_bank},
    Type{"comments", ask_comments, answer_comments, spoil_comments},
    Type{"convergence", ask_cell, answer_cell, spoil_cell},
    Type{"convergence-of-sets", ask_settling_set, answer_set, spoil_list},
    Type{"counter", ask_counter, answer_counter, spoil_counter},
    Type{"g2", ask_few_pairs, answer_pair, spoil_pair},
    Type{"kafka", ask_log, answer_log, spoil_log},
    Type{"long-fork", ask_cells, answer_cells, spoil_cells},
    Type{"monotonic", ask_growing, answer_growing, spoil_growing},
    Type{"sequential", ask_subkeys, answer_subkeys, spoil_subkeys},
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
    const std::uint64_t wrong_count = draws_.percent(40) ? 0 : draws_.percent(60) ? 1 : 4;
    for (std::uint64_t i = 0; i < wrong_count; ++i) {
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
    // Parts of a transaction on logs tell their results before its own outcome is known.
    const bool told = type_->name == "kafka" && draws_.percent(60);
    const Value known = told ? operation.output : Value();
    if (roll < 12 && (changes || draws_.percent(30))) {
      operation.outcome = Outcome::info;
      operation.complete = kNever;
      operation.output = known;
    } else if (roll < 15) {
      operation.outcome = Outcome::fail;
      operation.output = known;
    }
  }

  const Type* type_;
  std::uint64_t operations_max_;
  Draws draws_;
  HistoryBuilder builder_;
  std::vector<Operation> operations_;
};

// What a client of a large history asks: few operations of whatever makes results large.
void ask_large(const Type& type,
               Operation& operation,
               ValuePool& pool,
               Draws& draws,
               std::uint64_t serial,
               std::uint64_t count) {
  if (type.name == "set") {
    const bool adds = serial < count;
    operation.function = adds ? Function::add : Function::read;
    if (adds) operation.input = integer(serial);
  } else if (type.name == "total-queue") {
    ask_queue(operation, pool, draws, serial);
    if (operation.function != Function::enqueue) operation.function = Function::dequeue;
    if (serial == count) operation.function = Function::drain;
    if (serial == count) operation.input = Value();
  } else if (type.name == "long-fork") {
    operation.function = Function::txn;
    const std::uint64_t first = serial < 8 ? 1 : serial - draws.below(8);
    const bool writes = draws.percent(50);
    std::vector<Value> parts;
    for (std::uint64_t key = first; key < first + 4 && !writes; ++key) {
      parts.push_back(pool.list({pool.text("r"), integer(key), Value::nil()}));
    }
    if (writes) parts.push_back(pool.list({pool.text("w"), integer(serial), integer(serial)}));
    operation.input = pool.list(parts);
  } else if (type.name == "g2") {
    ask_pairs(operation, pool, draws, serial);
  } else if (type.name == "sequential") {
    operation.function = draws.percent(50) ? Function::write : Function::read;
    const bool writes = operation.function == Function::write;
    operation.input = integer(writes ? serial : serial - std::min(serial - 1, draws.below(16)));
  } else if (type.name == "kafka") {
    const bool sends = draws.percent(50);
    operation.function_name = pool.symbol(sends ? "send" : "poll");
    operation.function = sends ? Function::other : Function::poll;
    const Value part =
        sends ? pool.list({pool.text("send"), integer(draws.below(2)), integer(serial)})
              : pool.list({pool.text("poll")});
    operation.input = pool.list({part});
  } else {
    type.ask(operation, pool, draws, serial);
  }
}

}  // namespace

History collection_history(const CollectionOptions& options) {
  constexpr std::uint64_t kServiceMean = 1000;
  constexpr std::uint64_t kOperationsOfAKey = 40;
  const Type& type = type_of(options.type);
  const bool keyed =
      type.name == "set-full" || type.name == "convergence" || type.name == "comments";
  Draws draws(options.seed);
  HistoryBuilder builder;
  std::priority_queue<std::pair<std::uint64_t, std::uint64_t>,
                      std::vector<std::pair<std::uint64_t, std::uint64_t>>,
                      std::greater<>>
      clients;
  for (std::uint64_t i = 0; i < options.clients; ++i) clients.push({draws.below(kServiceMean), i});
  std::vector<std::pair<std::uint64_t, Operation>> planned;  // by effect
  std::uint64_t latest = 0;
  for (std::uint64_t i = 0; i < options.operations; ++i) {
    auto [time, client] = clients.top();
    clients.pop();
    if (i + 1 == options.operations) time = latest + 1;  // after everything else
    const std::uint64_t effect = time + 1 + draws.below(kServiceMean);
    const std::uint64_t end = effect + 1 + draws.below(kServiceMean);
    Operation operation;
    operation.process = static_cast<std::int64_t>(client);
    operation.invoke = static_cast<std::int64_t>(2 * time);
    operation.complete = static_cast<std::int64_t>(2 * end + 1);
    operation.invoke_time = operation.invoke;
    operation.complete_time = operation.complete;
    operation.outcome = Outcome::ok;
    if (keyed) operation.key = builder.pool().symbol(std::to_string(i / kOperationsOfAKey));
    ask_large(type, operation, builder.pool(), draws, i + 1, options.operations);
    planned.emplace_back(effect, operation);
    clients.push({end + 1, client});
    latest = std::max(latest, end);
  }
  std::ranges::stable_sort(planned, {}, &std::pair<std::uint64_t, Operation>::first);
  std::map<history::Symbol, Store> stores;
  for (auto& [effect, operation] : planned) {
    type.answer(stores[operation.key], operation, builder.pool());
    builder.add(operation);
  }
  return builder.finish();
}

History small_collection_history(const SmallCollectionOptions& options) {
  return SmallCollection(options).make();
}

}  // namespace sunder::test
