#include "tests/histories/support/container_generator.hpp"

#include <algorithm>
#include <deque>
#include <numeric>
#include <optional>
#include <queue>
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

struct Words {
  std::string_view model;
  Function add;
  Function take;
};

Words words_of(ContainerKind kind) noexcept {
  switch (kind) {
    case ContainerKind::bag:
      return {"bag", Function::enqueue, Function::dequeue};
    case ContainerKind::queue:
      return {"queue", Function::enqueue, Function::dequeue};
    case ContainerKind::stack:
      return {"stack", Function::push, Function::pop};
    case ContainerKind::priority_queue:
      break;
  }
  return {"priority-queue", Function::insert, Function::poll};
}

struct Planned {
  Operation operation;
  std::uint64_t effect = 0;  // when it takes effect
};

// The draws happen in exactly this order: other implementations of the same generator give the same
// history.
std::vector<Planned> plan(const ContainerOptions& options) {
  Draws draws(options.seed);
  const Words words = words_of(options.kind);
  const std::uint64_t mean = options.half_service_mean;
  ClientSlots slots(options.clients, mean, draws);
  std::vector<Planned> all(options.operations);
  for (Planned& planned : all) {
    const auto [time, client, process] = slots.next();
    const std::uint64_t roll = draws.below(100);
    const std::uint64_t before = 1 + draws.below(mean);
    const std::uint64_t after = 1 + draws.below(mean);
    const std::uint64_t think = draws.below(mean / 8 + 1);
    Operation& operation = planned.operation;
    operation.process = process;
    operation.function = roll < options.add_percent                          ? words.add
                         : roll < options.add_percent + options.peek_percent ? Function::peek
                                                                             : words.take;
    operation.invoke = static_cast<std::int64_t>(2 * time);
    operation.complete = static_cast<std::int64_t>(2 * (time + before + after) + 1);
    operation.outcome = Outcome::ok;
    planned.effect = time + before;
    slots.again(client, time + before + after + 1 + think);
  }
  return all;
}

// The simulated container.
class Store {
 public:
  explicit Store(ContainerKind kind) : kind_(kind) {}

  void add(std::uint64_t value) {
    if (kind_ == ContainerKind::priority_queue) {
      heap_.push(value);
    } else {
      line_.push_back(value);
    }
  }

  Value next() const {
    if (kind_ == ContainerKind::priority_queue) {
      return heap_.empty() ? Value::nil() : integer(heap_.top());
    }
    if (line_.empty()) return Value::nil();
    if (kind_ == ContainerKind::bag) return integer(line_[any()]);
    return integer(kind_ == ContainerKind::queue ? line_.front() : line_.back());
  }

  Value take() {
    const Value value = next();
    if (value.is_nil()) return value;
    if (kind_ == ContainerKind::priority_queue) {
      heap_.pop();
    } else if (kind_ == ContainerKind::bag) {
      std::swap(line_[any()], line_.back());
      line_.pop_back();
    } else if (kind_ == ContainerKind::queue) {
      line_.pop_front();
    } else {
      line_.pop_back();
    }
    return value;
  }

  static Value integer(std::uint64_t value) {
    return Value::integer(static_cast<std::int64_t>(value));
  }

 private:
  // One of them, as good as by chance; the same until something changes.
  [[nodiscard]] std::size_t any() const {
    return (line_.size() * 7 + line_.front() + line_.back() * 3) % line_.size();
  }

  ContainerKind kind_;
  std::deque<std::uint64_t> line_;
  std::priority_queue<std::uint64_t> heap_;
};

std::vector<std::size_t> run_store(std::vector<Planned>& all, ContainerKind kind) {
  const Words words = words_of(kind);
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all[i].effect; });
  Store store(kind);
  std::uint64_t added = 0;
  for (const std::size_t i : order) {
    Operation& operation = all[i].operation;
    if (operation.function == words.add) {
      ++added;
      constexpr std::uint64_t kSpread = 2'654'435'761;
      const bool spread = kind == ContainerKind::priority_queue;
      const std::uint64_t value = spread ? (added * kSpread) % (std::uint64_t{1} << 32U) : added;
      operation.input = Store::integer(value);
      store.add(value);
    } else {
      operation.output = operation.function == words.take ? store.take() : store.next();
    }
  }
  return order;
}

void swap_removals(std::vector<Planned>& all,
                   const std::vector<std::size_t>& order,
                   const ContainerOptions& options) {
  const Function take = words_of(options.kind).take;
  Operation* first = nullptr;
  for (std::size_t turn = order.size() * 99 / 100; turn < order.size(); ++turn) {
    Operation& operation = all[order[turn]].operation;
    if (operation.function != take || operation.output.is_nil()) continue;
    const auto gap = static_cast<std::int64_t>(20 * options.half_service_mean);
    if (first == nullptr) {
      first = &operation;
    } else if (operation.invoke > first->complete + gap) {
      if (options.kind == ContainerKind::bag) {
        operation.output = first->output;
      } else {
        std::swap(first->output, operation.output);
      }
      return;
    }
  }
}

// Time stamps become their ranks 1…2n; equal ones by invocation first, then position.
void rank_stamps(std::vector<Planned>& all) {
  struct Stamp {
    std::int64_t time;
    bool end;
    std::size_t index;
  };

  std::vector<Stamp> stamps;
  stamps.reserve(2 * all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    stamps.push_back({all[i].operation.invoke, false, i});
    stamps.push_back({all[i].operation.complete, true, i});
  }
  std::ranges::sort(stamps, {}, [](const Stamp& s) { return std::tuple(s.time, s.end, s.index); });
  for (std::size_t rank = 0; rank < stamps.size(); ++rank) {
    Operation& operation = all[stamps[rank].index].operation;
    (stamps[rank].end ? operation.complete : operation.invoke) =
        static_cast<std::int64_t>(rank) + 1;
  }
}

// Draws a small history whose results come from some order, so that many are linearizable, then
// spoils one result of every other.
class SmallContainer {
 public:
  explicit SmallContainer(const SmallContainerOptions& options)
      : options_(options), words_(words_of(options.kind)), draws_(options.seed) {}

  History make() {
    const std::uint64_t count = 2 + draws_.below(options_.operations_max - 1);
    draw_intervals(count);
    for (std::size_t i = 0; i < all_.size(); ++i) draw_function(all_[i].operation, i);
    run();
    for (std::uint64_t left = draws_.below(4); left > 0; --left) spoil();
    for (Planned& planned : all_) hide(planned.operation);
    HistoryBuilder builder;
    for (const Planned& planned : all_) builder.add(planned.operation);
    return builder.finish();
  }

 private:
  void draw_intervals(std::uint64_t count) {
    std::vector<std::int64_t> stamps(2 * count);
    std::iota(stamps.begin(), stamps.end(), 0);
    for (std::size_t i = stamps.size(); i > 1; --i) {
      std::swap(stamps[i - 1], stamps[draws_.below(i)]);
    }
    const bool is_short = draws_.percent(50);
    all_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Operation& operation = all_[i].operation;
      const auto [low, high] = std::minmax(stamps[2 * i], stamps[2 * i + 1]);
      operation.process = static_cast<std::int64_t>(i);
      operation.invoke = low;
      operation.complete = is_short ? std::min(high, low + 3) : high;
      operation.outcome = Outcome::ok;
      const auto width = static_cast<std::uint64_t>(operation.complete - low + 1);
      all_[i].effect = static_cast<std::uint64_t>(low) + draws_.below(width);
    }
  }

  void draw_function(Operation& operation, std::size_t i) {
    const std::uint64_t roll = draws_.below(10);
    operation.function = roll < 5                     ? words_.add
                         : roll < 7 && options_.peeks ? Function::peek
                                                      : words_.take;
    if (operation.function != words_.add) return;
    // Distinct, but not in order of invocation: 5 and 7 have inverses modulo 17.
    const std::uint64_t value = options_.unique ? (i * 5 + 3) % 17 : 1 + draws_.below(3);
    operation.input = Store::integer(value);
  }

  void run() {
    std::vector<std::size_t> order(all_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all_[i].effect; });
    Store store(options_.kind);
    for (const std::size_t i : order) {
      Operation& operation = all_[i].operation;
      if (operation.function == words_.add) {
        store.add(static_cast<std::uint64_t>(operation.input.raw()));
      } else {
        operation.output = operation.function == words_.take ? store.take() : store.next();
      }
    }
  }

  // One removal or look, if there is any, gets another's result, or some value, or nothing.
  void spoil() {
    Operation* found = nullptr;
    for (int tries = 0; tries < 4 && (found == nullptr || found->function == words_.add); ++tries) {
      found = &all_[draws_.below(all_.size())].operation;
    }
    Operation& operation = *found;
    if (operation.function == words_.add) return;
    const Operation& other = all_[draws_.below(all_.size())].operation;
    operation.output = other.function == words_.add ? other.input : other.output;
  }

  void hide(Operation& operation) {
    const bool adds = operation.function == words_.add;
    if (operation.output.is_nil() && !options_.empties) {
      operation.outcome = Outcome::fail;
      operation.output = Value();
      return;
    }
    const bool may = adds ? options_.unknown_adds : options_.unknown_takes;
    if (may && draws_.percent(20)) {
      operation.outcome = Outcome::info;
      operation.output = Value();
      operation.complete = kNever;
    } else if (!adds && options_.unknown_takes && draws_.percent(5)) {
      operation.output = Value();
    } else if (draws_.percent(4)) {
      operation.outcome = Outcome::fail;
      operation.output = Value();
    }
  }

  SmallContainerOptions options_;
  Words words_;
  Draws draws_;
  std::vector<Planned> all_;
};

}  // namespace

std::string_view model_of(ContainerKind kind) noexcept {
  return words_of(kind).model;
}

History container_history(const ContainerOptions& options) {
  std::vector<Planned> all = plan(options);
  const std::vector<std::size_t> order = run_store(all, options.kind);
  if (options.violation) swap_removals(all, order, options);
  rank_stamps(all);
  HistoryBuilder builder;
  builder.reserve(all.size());
  for (const Planned& planned : all) builder.add(planned.operation);
  return builder.finish();
}

History small_container_history(const SmallContainerOptions& options) {
  return SmallContainer(options).make();
}

}  // namespace sunder::test
