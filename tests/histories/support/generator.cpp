#include "tests/histories/support/generator.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
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

// The draws happen in exactly this order: other implementations of the same generator give the same
// history.
std::vector<Planned> plan(const RegisterOptions& options) {
  Draws draws(options.seed);
  const std::uint64_t mean = options.half_service_mean;
  ClientSlots slots(options.clients, mean, draws);
  std::vector<Planned> all(options.operations);
  for (std::uint64_t i = 0; i < options.operations; ++i) {
    const auto [time, client, process] = slots.next();
    Planned& planned = all[i];
    planned.key = draws.below(options.keys);
    const bool put = draws.percent(options.put_percent);
    const std::uint64_t before = 1 + draws.below(mean);
    const std::uint64_t after = 1 + draws.below(mean);
    const std::uint64_t think = draws.below(mean / 8 + 1);
    Operation& operation = planned.operation;
    operation.process = process;
    operation.function = put ? Function::write : Function::read;
    if (put) operation.input = Value::integer(static_cast<std::int64_t>(i) + 1);
    operation.invoke = static_cast<std::int64_t>(2 * time);
    std::uint64_t next = time + before + after + 1 + think;
    planned.effect = time + before;
    operation.outcome = Outcome::ok;
    operation.complete = static_cast<std::int64_t>(2 * (time + before + after) + 1);
    if (put && options.unknown_per_mille > 0 && draws.below(1000) < options.unknown_per_mille) {
      planned.effect = std::nullopt;
      if (draws.below(2) == 0) planned.effect = time + 1 + draws.below(20 * mean);
      operation.outcome = Outcome::info;
      operation.complete = kNever;
      next = time + 2 * mean;
      slots.retire(client);
    }
    slots.again(client, next);
  }
  return all;
}

void run_store(std::vector<Planned>& all, std::uint64_t keys) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].effect) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(*all[i].effect, i); });
  std::vector<Value> store(keys, Value::nil());
  for (const std::size_t i : order) {
    Value& value = store[all[i].key];
    if (all[i].operation.function == Function::write) {
      value = all[i].operation.input;
    } else {
      all[i].operation.output = value;
    }
  }
}

void plant_stale_read(std::vector<Planned>& all) {
  constexpr std::size_t kSteps = 200'000;
  for (std::size_t g = all.size() * 99 / 100; g < all.size(); ++g) {
    if (all[g].operation.function != Function::read) continue;
    const Operation* newer = nullptr;
    const std::size_t last = g > kSteps ? g - kSteps : 0;
    for (std::size_t j = g; j-- > last;) {
      const Operation& put = all[j].operation;
      const bool completed_put = put.function == Function::write && put.complete != kNever;
      if (all[j].key != all[g].key || !completed_put) continue;
      const std::int64_t limit = newer == nullptr ? all[g].operation.invoke : newer->invoke;
      if (put.complete >= limit) continue;
      if (newer != nullptr) {
        all[g].operation.output = put.input;
        return;
      }
      newer = &put;
    }
  }
}

class SmallHistory {
 public:
  explicit SmallHistory(const SmallOptions& options) : options_(options), draws_(options.seed) {}

  History make() {
    const std::uint64_t count = 2 + draws_.below(options_.operations_max - 1);
    std::vector<std::int64_t> stamps(2 * count);
    std::iota(stamps.begin(), stamps.end(), 0);
    for (std::size_t i = stamps.size(); i > 1; --i)
      std::swap(stamps[i - 1], stamps[draws_.below(i)]);
    // Half of the histories have short operations: long ones are rarely contradictory.
    const bool is_short = draws_.percent(50);
    for (std::uint64_t i = 0; i < count; ++i) {
      Operation operation;
      operation.process = static_cast<std::int64_t>(i);
      const auto [low, high] = std::minmax(stamps[2 * i], stamps[2 * i + 1]);
      operation.invoke = low;
      operation.complete = is_short ? std::min(high, low + 3) : high;
      next_value_ = static_cast<std::int64_t>(i) + 1;
      options_.texts ? fill_text(operation) : fill_register(operation, count);
      if (operation.outcome == Outcome::info) operation.complete = kNever;
      builder_.add(operation);
    }
    return builder_.finish();
  }

 private:
  Outcome outcome() {
    const std::uint64_t roll = draws_.below(10);
    return roll < 8 ? Outcome::ok : roll < 9 ? Outcome::info : Outcome::fail;
  }

  // Any value that the history may hold, nil among them.
  Value any_value(std::uint64_t count) {
    const std::uint64_t bound = options_.unique ? count + 1 : 4;
    const std::uint64_t value = draws_.below(bound);
    return value == 0 ? Value::nil() : Value::integer(static_cast<std::int64_t>(value));
  }

  Value written_value() {
    if (options_.unique) return Value::integer(next_value_);
    return Value::integer(static_cast<std::int64_t>(1 + draws_.below(3)));
  }

  void fill_register(Operation& operation, std::uint64_t count) {
    operation.outcome = outcome();
    const std::uint64_t roll = draws_.below(options_.cas ? 9 : 6);
    if (roll < 3) {
      operation.function = Function::read;
      if (operation.outcome == Outcome::ok && !draws_.percent(5))
        operation.output = any_value(count);
    } else if (roll < 6) {
      operation.function = Function::write;
      operation.input = written_value();
    } else {
      operation.function = Function::cas;
      operation.input = builder_.pool().list({any_value(count), written_value()});
      if (operation.outcome != Outcome::info && draws_.percent(35))
        operation.outcome = Outcome::fail;
      if (operation.outcome != Outcome::fail) return;
      const bool tells = !options_.compares || draws_.percent(50);
      if (draws_.percent(80)) operation.error = builder_.pool().symbol("cas-mismatch");
      if (tells && operation.error != 0) operation.output = any_value(count);
    }
  }

  void fill_text(Operation& operation) {
    const auto text = [&] {
      return std::string(1 + draws_.below(2), draws_.percent(50) ? 'a' : 'b');
    };
    operation.outcome = outcome();
    const std::uint64_t roll = draws_.below(4);
    if (roll < 2) {
      operation.function = Function::read;
      if (operation.outcome != Outcome::ok) return;
      std::string output;
      const std::uint64_t pieces = draws_.below(3);
      for (std::uint64_t i = 0; i < pieces; ++i) output += text();
      operation.output = builder_.pool().text(output);
    } else {
      operation.function = roll == 2 ? Function::write : Function::append;
      operation.input = builder_.pool().text(text());
    }
  }

  SmallOptions options_;
  Draws draws_;
  HistoryBuilder builder_;
  std::int64_t next_value_ = 0;
};

}  // namespace

std::uint64_t case_count() {
  const char* text = std::getenv("SUNDER_CASES");
  return text == nullptr ? 10'000 : std::stoull(text);
}

History register_history(const RegisterOptions& options) {
  std::vector<Planned> all = plan(options);
  run_store(all, options.keys);
  if (options.violation) plant_stale_read(all);
  HistoryBuilder builder;
  builder.reserve(all.size());
  for (Planned& planned : all) {
    planned.operation.key = builder.pool().symbol("k" + std::to_string(planned.key));
    builder.add(planned.operation);
  }
  return builder.finish();
}

History small_history(const SmallOptions& options) {
  return SmallHistory(options).make();
}

}  // namespace sunder::test
