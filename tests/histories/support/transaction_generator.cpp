#include "tests/histories/support/transaction_generator.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "tests/histories/support/draws.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;

struct Item {
  bool write = false;
  std::uint64_t key = 0;
  std::int64_t value = 0;
};

struct Installed {
  std::uint64_t commit = 0;
  std::int64_t value = 0;
  std::uint64_t session = 0;
};

struct Open {
  bool active = false;
  std::uint64_t snapshot = 0;
  std::uint64_t begun = 0;  // the step of the simulation
  std::vector<Item> items;
};

struct Committed {
  std::uint64_t session = 0;
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
  bool unknown = false;
  std::vector<Item> items;
};

// The draws happen in exactly this order: other implementations of the same generator give the same
// history.
class Store {
 public:
  explicit Store(const TransactionOptions& options)
      : options_(options),
        draws_(options.seed),
        versions_(options.keys, std::vector<Installed>{{}}),
        open_(options.sessions) {}

  std::vector<Committed> run() {
    while (committed_.size() < options_.transactions) {
      const std::uint64_t session = draws_.below(options_.sessions);
      Open& open = open_[session];
      ++step_;
      if (!open.active) {
        open = {.active = true, .snapshot = snapshot(), .begun = step_, .items = {}};
      } else if (open.items.size() < options_.operations) {
        add_item(session, open);
      } else {
        commit(session, open);
      }
    }
    return std::move(committed_);
  }

 private:
  [[nodiscard]] std::uint64_t snapshot() const {
    if (options_.level != StoreLevel::causal) return clock_;
    return clock_ - std::min(clock_, options_.lag);
  }

  void add_item(std::uint64_t session, Open& open) {
    const bool write = draws_.percent(options_.write_percent);
    const std::uint64_t key = draws_.below(options_.keys);
    const auto written = std::ranges::find_if(
        open.items, [&](const Item& item) { return item.write && item.key == key; });
    if (written != open.items.end()) {
      open.items.push_back({false, key, written->value});
    } else if (write) {
      open.items.push_back({true, key, ++next_value_});
    } else {
      open.items.push_back({false, key, read(session, key, open.snapshot)});
    }
  }

  [[nodiscard]] std::int64_t read(std::uint64_t session,
                                  std::uint64_t key,
                                  std::uint64_t snapshot) const {
    const std::vector<Installed>& versions = versions_[key];
    if (options_.level == StoreLevel::read_committed) return versions.back().value;
    std::size_t i = versions.size() - 1;
    const bool own = options_.level == StoreLevel::causal;
    while (versions[i].commit > snapshot && !(own && versions[i].session == session)) --i;
    return versions[i].value;
  }

  void commit(std::uint64_t session, Open& open) {
    open.active = false;
    for (const Item& item : open.items) {
      const bool counts = options_.level == StoreLevel::serializable ||
                          (options_.level == StoreLevel::snapshot && item.write);
      if (counts && versions_[item.key].back().commit > open.snapshot) return;
    }
    const bool unknown = options_.unknown_percent > 0 && draws_.percent(options_.unknown_percent);
    const bool late = !unknown && 100 * committed_.size() >= 99 * options_.transactions;
    if (late && options_.bug == StoreBug::stale && !planted_) make_stale(open);
    if (late && options_.bug == StoreBug::fractured && !planted_) make_fractured(open);
    const bool lost = unknown && draws_.percent(50);
    if (!lost) install(session, open);
    committed_.push_back({.session = session,
                          .begun = open.begun,
                          .ended = step_,
                          .unknown = unknown,
                          .items = std::move(open.items)});
  }

  void install(std::uint64_t session, const Open& open) {
    ++clock_;
    for (const Item& item : open.items) {
      if (item.write) versions_[item.key].push_back({clock_, item.value, session});
    }
  }

  [[nodiscard]] static bool reads_another(const Open& open, const Item& item) {
    if (item.write) return false;
    return std::ranges::none_of(
        open.items, [&](const Item& other) { return other.write && other.key == item.key; });
  }

  void make_stale(Open& open) {
    for (const Item& item : open.items) {
      const std::vector<Installed>& versions = versions_[item.key];
      if (!reads_another(open, item) || versions.size() < 4) continue;
      const std::int64_t old = versions[versions.size() - 4].value;
      const std::uint64_t key = item.key;
      for (Item& other : open.items) {
        if (other.key == key) other.value = old;
      }
      planted_ = true;
      return;
    }
  }

  // Two keys read whose newest versions come from one commit.
  void make_fractured(Open& open) {
    for (Item& first : open.items) {
      for (Item& second : open.items) {
        if (first.key == second.key || !reads_another(open, first) ||
            !reads_another(open, second)) {
          continue;
        }
        const std::vector<Installed>& one = versions_[first.key];
        const std::vector<Installed>& two = versions_[second.key];
        if (one.back().commit != two.back().commit || one.back().commit == 0) continue;
        const std::int64_t old = one[one.size() - 2].value;
        const std::int64_t fresh = two.back().value;
        const std::uint64_t old_key = first.key;
        const std::uint64_t fresh_key = second.key;
        for (Item& other : open.items) {
          if (other.key == old_key) other.value = old;
          if (other.key == fresh_key) other.value = fresh;
        }
        planted_ = true;
        return;
      }
    }
  }

  TransactionOptions options_;
  Draws draws_;
  std::vector<std::vector<Installed>> versions_;
  std::vector<Open> open_;
  std::vector<Committed> committed_;
  std::uint64_t clock_ = 0;
  std::uint64_t step_ = 0;
  std::int64_t next_value_ = 0;
  bool planted_ = false;
};

// Makes [function key value].
class Items {
 public:
  explicit Items(history::ValuePool& pool)
      : pool_(&pool), read_(pool.text("r")), write_(pool.text("w")) {}

  Value item(bool write, Value key, Value value) {
    const std::array item{write ? write_ : read_, key, value};
    return pool_->record(item);
  }

 private:
  history::ValuePool* pool_;
  Value read_;
  Value write_;
};

}  // namespace

History transaction_history(const TransactionOptions& options) {
  HistoryBuilder builder;
  builder.reserve(options.transactions);
  Items items(builder.pool());
  std::vector<Value> done;
  std::vector<Value> tried;
  std::int64_t line = 0;
  std::vector<std::uint64_t> lengths(options.sessions, 0);
  std::vector<std::uint64_t> processes(options.sessions);
  std::iota(processes.begin(), processes.end(), std::uint64_t{0});
  for (const Committed& transaction : Store(options).run()) {
    done.clear();
    tried.clear();
    for (const Item& item : transaction.items) {
      const Value key = Value::integer(static_cast<std::int64_t>(item.key));
      const Value value = Value::integer(item.value);
      if (!transaction.unknown) done.push_back(items.item(item.write, key, value));
      if (transaction.unknown || options.asks) {
        tried.push_back(items.item(item.write, key, item.write ? value : Value::nil()));
      }
    }
    Operation operation;
    std::uint64_t& process = processes[transaction.session];
    std::uint64_t& length = lengths[transaction.session];
    operation.process = static_cast<std::int64_t>(process);
    operation.function = Function::txn;
    operation.outcome = transaction.unknown ? Outcome::info : Outcome::ok;
    if (!transaction.unknown) operation.output = builder.pool().record(done);
    operation.input = tried.empty() ? operation.output : builder.pool().record(tried);
    operation.invoke = options.timed ? static_cast<std::int64_t>(transaction.begun) : line;
    operation.complete = options.timed ? static_cast<std::int64_t>(transaction.ended) : line;
    if (transaction.unknown) operation.complete = history::kNever;
    ++line;
    builder.add(operation);
    if (++length == options.session_length || transaction.unknown) {
      process += options.sessions;
      length = 0;
    }
  }
  return builder.finish();
}

namespace {

// Copies a history's transactions; `change` may replace the value of an item.
template <typename Change>
void copy_items(const History& from,
                const Operation& operation,
                HistoryBuilder& to,
                const Change& change) {
  Items make(to.pool());
  std::vector<Value> list;
  for (const Value item : from.pool().items_of(operation.output)) {
    const auto parts = from.pool().items_of(item);
    const bool write = from.pool().text_of(parts[0]) == "w";
    list.push_back(make.item(write, parts[1], change(write, parts[1], parts[2])));
  }
  Operation copy = operation;
  copy.output = to.pool().record(list);
  copy.input = copy.output;
  to.add(copy);
}

}  // namespace

History by_session(const History& history) {
  std::vector<Operation> operations = history.operations();
  std::ranges::stable_sort(operations, {}, &Operation::process);
  HistoryBuilder builder;
  std::int64_t line = 0;
  for (Operation& operation : operations) {
    operation.invoke = operation.complete = line++;
    copy_items(history, operation, builder, [](bool, Value, Value value) { return value; });
  }
  return builder.finish();
}

History flip_one_read(const History& history, std::uint64_t seed) {
  Draws draws(seed);
  std::map<std::int64_t, std::vector<Value>> written;
  std::uint64_t reads = 0;
  for (const Operation& operation : history.operations()) {
    for (const Value item : history.pool().items_of(operation.output)) {
      const auto parts = history.pool().items_of(item);
      const bool write = history.pool().text_of(parts[0]) == "w";
      if (write) written[parts[1].raw()].push_back(parts[2]);
      reads += write ? 0U : 1U;
    }
  }
  const std::uint64_t chosen = reads == 0 ? 0 : draws.below(reads);
  const std::uint64_t other = draws.below(1000);
  HistoryBuilder builder;
  std::uint64_t next = 0;
  for (const Operation& operation : history.operations()) {
    copy_items(history, operation, builder, [&](bool write, Value key, Value value) {
      if (write || next++ != chosen) return value;
      const std::vector<Value>& values = written[key.raw()];
      const std::size_t index = other % (values.size() + 1);
      return index == values.size() ? Value::integer(0) : values[index];
    });
  }
  return builder.finish();
}

namespace {

class SmallTransactions {
 public:
  explicit SmallTransactions(const SmallTransactionOptions& options)
      : options_(options),
        draws_(options.seed),
        make_(builder_.pool()),
        all_(1 + draws_.below(options.transactions_max)),
        free_at_(options.sessions, 0) {}

  History history() {
    for (std::vector<Item>& items : all_) draw_writes(items);
    for (std::vector<Item>& items : all_) draw_reads(items);
    for (std::size_t i = 0; i < all_.size(); ++i) record(i);
    return builder_.finish();
  }

 private:
  // All writes come first, so that a read may see any of them.
  void draw_writes(std::vector<Item>& items) {
    items.resize(1 + draws_.below(options_.items_max));
    for (Item& item : items) {
      item.key = draws_.below(options_.keys);
      item.write = draws_.percent(45);
      if (!item.write) continue;
      const bool again = options_.repeated && next_ > 0 && draws_.percent(25);
      item.value =
          again ? 1 + static_cast<std::int64_t>(draws_.below(static_cast<std::uint64_t>(next_)))
                : ++next_;
      written_[item.key].push_back(item.value);
    }
  }

  // Mostly plausible: the values follow one another as the transactions do, a little shaken.
  void draw_reads(std::vector<Item>& items) {
    std::map<std::uint64_t, std::int64_t> seen;
    std::map<std::uint64_t, std::int64_t> own;
    for (Item& item : items) {
      if (item.write) {
        own[item.key] = item.value;
        continue;
      }
      const std::vector<std::int64_t>& past = so_far_[item.key];
      const std::vector<std::int64_t>& any = written_[item.key];
      if (own.contains(item.key) && !(options_.faults && draws_.below(60) == 0)) {
        item.value = own[item.key];
      } else if (seen.contains(item.key) && draws_.percent(90)) {
        item.value = seen[item.key];
      } else if (options_.faults && draws_.below(80) == 0) {
        item.value = 99;
      } else if (!any.empty() && draws_.percent(15)) {
        item.value = any[draws_.below(any.size())];
      } else if (!past.empty() && draws_.percent(80)) {
        item.value = past[past.size() - 1 - draws_.below(std::min<std::size_t>(past.size(), 2))];
      }
      seen[item.key] = item.value;
    }
    for (const auto& [key, value] : own) so_far_[key].push_back(value);
  }

  void record(std::size_t i) {
    std::vector<Value> done;
    std::vector<Value> tried;
    for (const Item& item : all_[i]) {
      const Value key = Value::integer(static_cast<std::int64_t>(item.key));
      const bool nil = item.value == 0 && draws_.percent(50);
      const Value value = nil ? Value::nil() : Value::integer(item.value);
      done.push_back(make_.item(item.write, key, value));
      tried.push_back(make_.item(item.write, key, item.write ? value : Value::nil()));
    }
    Operation operation;
    const std::uint64_t session = draws_.below(options_.sessions);
    operation.process = static_cast<std::int64_t>(session);
    operation.function = Function::txn;
    operation.input = builder_.pool().record(tried);
    operation.outcome = Outcome::ok;
    operation.invoke = std::max(free_at_[session], static_cast<std::int64_t>(2 * i)) +
                       static_cast<std::int64_t>(draws_.below(3));
    operation.complete = operation.invoke + 1 + static_cast<std::int64_t>(draws_.below(8));
    free_at_[session] = operation.complete + 1;
    const std::uint64_t roll = draws_.below(100);
    if (options_.unknown && roll < 12) {
      operation.outcome = Outcome::info;
      operation.complete = history::kNever;
    } else if (options_.faults && roll < 18) {
      operation.outcome = Outcome::fail;
    } else {
      operation.output = builder_.pool().record(done);
    }
    builder_.add(operation);
  }

  SmallTransactionOptions options_;
  Draws draws_;
  HistoryBuilder builder_;
  Items make_;
  std::vector<std::vector<Item>> all_;
  std::vector<std::int64_t> free_at_;
  std::int64_t next_ = 0;
  std::map<std::uint64_t, std::vector<std::int64_t>> written_;  // by key
  std::map<std::uint64_t, std::vector<std::int64_t>> so_far_;   // the last of each transaction
};

}  // namespace

History small_transaction_history(const SmallTransactionOptions& options) {
  return SmallTransactions(options).history();
}

}  // namespace sunder::test
