#include "tests/histories/support/session_generator.hpp"

#include <algorithm>
#include <deque>
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

Value number(std::uint64_t value) {
  return value == 0 ? Value::nil() : Value::integer(static_cast<std::int64_t>(value));
}

}  // namespace

History session_history(const SessionOptions& options) {
  Draws draws(options.seed);
  HistoryBuilder builder;
  const std::uint64_t count = 2 + draws.below(options.operations_max - 1);
  const std::uint64_t processes = 1 + draws.below(options.processes);
  const std::uint64_t keys = 1 + draws.below(options.keys);
  for (std::uint64_t i = 0; i < count; ++i) {
    Operation operation;
    operation.process = static_cast<std::int64_t>(draws.below(processes));
    operation.key = builder.pool().symbol("k" + std::to_string(draws.below(keys)));
    operation.invoke = static_cast<std::int64_t>(2 * i);
    operation.complete = operation.invoke + 1;
    operation.outcome = Outcome::ok;
    const std::uint64_t fate = draws.below(12);
    if (options.unknown && fate == 0) operation.outcome = Outcome::info;
    if (fate == 1) operation.outcome = Outcome::fail;
    if (operation.outcome == Outcome::info) operation.complete = kNever;
    // Values of other keys are among those read: a few reads find what nobody wrote.
    const auto any = [&] { return number(draws.below(options.unique ? count + 1 : 4)); };
    const Value fresh = number(options.unique ? i + 1 : 1 + draws.below(3));
    const std::uint64_t roll = draws.below(options.cas ? 20 : 16);
    if (roll < 9) {
      operation.function = Function::read;
      if (operation.outcome == Outcome::ok) operation.output = any();
    } else if (roll < 16) {
      operation.function = Function::write;
      operation.input = draws.percent(2) ? Value::nil() : fresh;
    } else {
      operation.function = Function::cas;
      operation.input = builder.pool().list({any(), fresh});
      if (operation.outcome == Outcome::ok && draws.percent(30)) operation.outcome = Outcome::fail;
      if (operation.outcome == Outcome::fail && draws.percent(80)) {
        operation.error = builder.pool().symbol("cas-mismatch");
        if (draws.percent(50)) operation.output = any();
      }
    }
    builder.add(operation);
  }
  return builder.finish();
}

namespace {

struct Write {
  std::uint64_t process = 0;
  std::uint64_t key = 0;
  std::uint64_t value = 0;
  std::uint64_t stamp = 0;
  std::vector<std::uint64_t> seen;  // how many writes of each process came before it
};

// One process' copy of the store.
struct Copy {
  std::vector<std::uint64_t> seen;   // writes of each process applied
  std::vector<std::uint64_t> value;  // by key
  std::vector<std::uint64_t> stamp;  // of that value
  std::uint64_t clock = 0;
};

class Store {
 public:
  explicit Store(const StoreOptions& options) : options_(options), draws_(options.seed) {
    Copy copy;
    copy.seen.assign(options.processes, 0);
    copy.value.assign(options.keys, 0);
    copy.stamp.assign(options.keys, 0);
    copies_.assign(options.processes, copy);
    written_.resize(options.processes);
  }

  History run() {
    HistoryBuilder builder;
    builder.reserve(options_.operations);
    std::vector<history::Symbol> names;
    for (std::uint64_t key = 0; key < options_.keys; ++key) {
      names.push_back(builder.pool().symbol("k" + std::to_string(key)));
    }
    const std::uint64_t wrong_every =
        options_.wrong == 0 ? 0 : std::max<std::uint64_t>(options_.operations / options_.wrong, 1);
    for (std::uint64_t i = 0; i < options_.operations; ++i) {
      const std::uint64_t process = draws_.below(options_.processes);
      const std::uint64_t key = draws_.below(options_.keys);
      Operation operation;
      operation.process = static_cast<std::int64_t>(process);
      operation.key = names[key];
      operation.invoke = static_cast<std::int64_t>(2 * i);
      operation.complete = operation.invoke + 1;
      operation.outcome = Outcome::ok;
      if (draws_.percent(options_.write_percent)) {
        operation.function = Function::write;
        operation.input = number(write(process, key));
      } else {
        operation.function = Function::read;
        std::uint64_t value = copies_[process].value[key];
        const bool errs = wrong_every != 0 && i % wrong_every == wrong_every - 1;
        if (errs) value = copies_[draws_.below(options_.processes)].value[key];
        operation.output = number(value);
      }
      builder.add(operation);
      deliver();
    }
    return builder.finish();
  }

 private:
  std::uint64_t write(std::uint64_t process, std::uint64_t key) {
    Copy& copy = copies_[process];
    Write write{process, key, ++values_, 0, copy.seen};
    write.stamp = ++copy.clock * options_.processes + process;
    written_[process].push_back(write);
    apply(copy, write);
    return values_;
  }

  void apply(Copy& copy, const Write& write) const {
    ++copy.seen[write.process];
    copy.clock = std::max(copy.clock, write.stamp / options_.processes);
    if (options_.kind == StoreKind::last && copy.stamp[write.key] > write.stamp) return;
    copy.value[write.key] = write.value;
    copy.stamp[write.key] = write.stamp;
  }

  // A few deliveries of single writes to single copies.
  void deliver() {
    const std::uint64_t tries = 2 * options_.processes * options_.processes / options_.lag + 1;
    for (std::uint64_t n = 0; n < tries; ++n) {
      Copy& copy = copies_[draws_.below(options_.processes)];
      const std::uint64_t from = draws_.below(options_.processes);
      if (copy.seen[from] >= written_[from].size()) continue;
      const Write& next = written_[from][copy.seen[from]];
      bool ready = true;
      for (std::uint64_t p = 0; p < options_.processes; ++p) {
        if (options_.kind != StoreKind::fifo && next.seen[p] > copy.seen[p]) ready = false;
      }
      if (ready) apply(copy, next);
    }
  }

  StoreOptions options_;
  Draws draws_;
  std::vector<Copy> copies_;
  std::vector<std::vector<Write>> written_;  // by process
  std::uint64_t values_ = 0;
};

}  // namespace

History store_history(const StoreOptions& options) {
  return Store(options).run();
}

}  // namespace sunder::test
