#include "tests/histories/support/list_generator.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"
#include "harness/history/value_copy.hpp"
#include "tests/histories/support/draws.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;

struct MicroStep {
  std::uint64_t key = 0;
  std::int64_t value = 0;  // of an append
  bool append = false;
  std::vector<std::int64_t> found;  // by a read
};

Value number(std::uint64_t value) {
  return Value::integer(static_cast<std::int64_t>(value));
}

// The value of a transaction as Jepsen writes it: [["append" 3 1] ["r" 4 [1 2]]].
Value write_transaction(history::ValuePool& pool, const std::vector<MicroStep>& steps, bool told) {
  std::vector<Value> all;
  for (const MicroStep& step : steps) {
    if (step.append) {
      all.push_back(pool.list({pool.text("append"), number(step.key), Value::integer(step.value)}));
      continue;
    }
    std::vector<Value> items;
    for (const std::int64_t item : step.found) items.push_back(Value::integer(item));
    const Value found = told ? pool.list(items) : Value::nil();
    all.push_back(pool.list({pool.text("r"), number(step.key), found}));
  }
  return pool.list(all);
}

struct Version {
  std::int64_t value = 0;
  std::uint64_t commit = 0;
};

struct Session {
  bool open = false;
  std::vector<MicroStep> steps;
  std::size_t next = 0;  // the step to do
  std::uint64_t snapshot = 0;
};

class ListStore {
 public:
  explicit ListStore(const ListOptions& options)
      : options_(options), draws_(options.seed), sessions_(options.sessions) {
    for (std::uint64_t i = 0; i < options.active_keys; ++i) slots_.push_back(fresh_key());
    builder_.reserve(options.attempts + options.sessions);
  }

  History make() {
    while (ended_ < options_.attempts) {
      const std::uint64_t s = draws_.below(options_.sessions);
      Session& session = sessions_[s];
      if (!session.open) {
        open(session, s);
      } else if (session.next < session.steps.size()) {
        do_step(session);
      } else {
        commit(session, s);
      }
    }
    for (std::uint64_t s = 0; s < sessions_.size(); ++s) {
      if (sessions_[s].open) complete(s, Outcome::info, {});
    }
    return builder_.finish();
  }

 private:
  std::uint64_t fresh_key() {
    lists_.emplace_back();
    issued_.push_back(0);
    return lists_.size() - 1;
  }

  void open(Session& session, std::uint64_t s) {
    session = Session{};
    session.open = true;
    session.snapshot = now_;
    const std::uint64_t count = 1 + draws_.below(options_.operations_max);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint64_t& slot = slots_[draws_.below(options_.active_keys)];
      MicroStep step;
      step.append = draws_.percent(options_.append_percent);
      step.key = slot;
      if (step.append) {
        step.value = static_cast<std::int64_t>(++issued_[slot]);
        if (issued_[slot] == options_.appends_per_key) slot = fresh_key();
      }
      session.steps.push_back(std::move(step));
    }
    HistoryBuilder::Invocation invocation;
    invocation.process = static_cast<std::int64_t>(s);
    invocation.function = "txn";
    invocation.input = write_transaction(builder_.pool(), session.steps, false);
    SUNDER_ASSERT(builder_.invoke(invocation).has_value());
  }

  void do_step(Session& session) {
    MicroStep& step = session.steps[session.next];
    ++session.next;
    if (step.append) return;
    const bool newest = options_.level == ListLevel::read_committed;
    for (const Version& version : lists_[step.key]) {
      if (newest || version.commit <= session.snapshot) step.found.push_back(version.value);
    }
    for (std::size_t i = 0; i + 1 < session.next; ++i) {
      const MicroStep& earlier = session.steps[i];
      if (earlier.append && earlier.key == step.key) step.found.push_back(earlier.value);
    }
  }

  [[nodiscard]] bool conflicts(const Session& session) const {
    if (options_.level == ListLevel::read_committed) return false;
    return std::ranges::any_of(session.steps, [&](const MicroStep& step) {
      const bool counts = step.append || options_.level == ListLevel::serializable;
      const auto& list = lists_[step.key];
      return counts && !list.empty() && list.back().commit > session.snapshot;
    });
  }

  void commit(Session& session, std::uint64_t s) {
    ++ended_;
    session.open = false;
    if (conflicts(session)) {
      complete(s, Outcome::fail, {});
      return;
    }
    ++now_;
    for (const MicroStep& step : session.steps) {
      if (step.append) lists_[step.key].push_back({step.value, now_});
    }
    complete(s, Outcome::ok, write_transaction(builder_.pool(), session.steps, true));
  }

  void complete(std::uint64_t s, Outcome outcome, Value output) {
    HistoryBuilder::Completion completion;
    completion.process = static_cast<std::int64_t>(s);
    completion.outcome = outcome;
    completion.output = output;
    SUNDER_ASSERT(builder_.complete(completion).has_value());
  }

  ListOptions options_;
  Draws draws_;
  HistoryBuilder builder_;
  std::vector<Session> sessions_;
  std::vector<std::uint64_t> slots_;         // the active keys
  std::vector<std::vector<Version>> lists_;  // of each key
  std::vector<std::uint64_t> issued_;        // appends to each key so far
  std::uint64_t now_ = 0;
  std::uint64_t ended_ = 0;
};

struct SmallTransaction {
  std::vector<MicroStep> steps;
  std::int64_t process = 0;
  Outcome outcome = Outcome::ok;
};

class SmallLists {
 public:
  explicit SmallLists(std::uint64_t seed) : draws_(seed) {}

  History make(bool equals) {
    const std::uint64_t count = 2 + draws_.below(4);
    keys_ = 1 + draws_.below(2);
    for (std::uint64_t t = 0; t < count; ++t) all_.push_back(plan());
    draws_.percent(50) ? simulate() : invent();
    if (draws_.percent(15)) spoil();
    if (equals) make_equal();
    return record();
  }

 private:
  SmallTransaction plan() {
    SmallTransaction one;
    const std::uint64_t roll = draws_.below(12);
    one.outcome = roll < 10 ? Outcome::ok : roll < 11 ? Outcome::info : Outcome::fail;
    const std::uint64_t count = 1 + draws_.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      MicroStep step;
      step.key = draws_.below(keys_);
      step.append = draws_.percent(45) && appended_ < 6;
      if (step.append) step.value = static_cast<std::int64_t>(++appended_);
      one.steps.push_back(step);
    }
    return one;
  }

  // A serial order, or snapshots of it that may be old.
  void simulate() {
    const bool old = draws_.percent(50);
    std::vector<std::vector<std::vector<std::int64_t>>> states{
        std::vector<std::vector<std::int64_t>>(keys_)};
    for (SmallTransaction& one : all_) {
      const std::size_t age = old ? draws_.below(std::min<std::size_t>(states.size(), 3)) : 0;
      const auto snapshot = states[states.size() - 1 - age];
      auto state = states.back();
      std::vector<std::vector<std::int64_t>> own(keys_);
      for (MicroStep& step : one.steps) {
        if (step.append) {
          own[step.key].push_back(step.value);
          state[step.key].push_back(step.value);
        } else {
          step.found = snapshot[step.key];
          step.found.insert(step.found.end(), own[step.key].begin(), own[step.key].end());
        }
      }
      const bool applied =
          one.outcome == Outcome::ok || draws_.percent(one.outcome == Outcome::info ? 50 : 5);
      if (applied) states.push_back(state);
    }
    shuffle(all_);
  }

  // Any order of the appends to each key, and prefixes of it.
  void invent() {
    std::vector<std::vector<std::int64_t>> orders(keys_);
    for (const SmallTransaction& one : all_) {
      for (const MicroStep& step : one.steps) {
        const bool seen = one.outcome == Outcome::fail ? draws_.percent(10) : draws_.percent(75);
        if (step.append && seen) orders[step.key].push_back(step.value);
      }
    }
    if (draws_.percent(60)) {
      for (auto& order : orders) shuffle(order);
    }
    for (SmallTransaction& one : all_) {
      for (std::size_t i = 0; i < one.steps.size(); ++i) {
        MicroStep& step = one.steps[i];
        if (step.append) continue;
        const auto& order = orders[step.key];
        step.found.assign(
            order.begin(),
            order.begin() + static_cast<std::ptrdiff_t>(draws_.below(order.size() + 1)));
        for (std::size_t j = 0; j < i && draws_.percent(80); ++j) {
          const MicroStep& earlier = one.steps[j];
          if (earlier.key != step.key) continue;
          if (!earlier.append) step.found = earlier.found;
          const auto place = std::ranges::find(order, earlier.value);
          if (earlier.append && place != order.end()) step.found.assign(order.begin(), place + 1);
        }
      }
    }
  }

  // One read of what cannot be.
  void spoil() {
    SmallTransaction& one = all_[draws_.below(all_.size())];
    MicroStep& step = one.steps[draws_.below(one.steps.size())];
    if (step.append) return;
    switch (draws_.below(4)) {
      case 0:
        step.found.push_back(99);
        break;
      case 1:
        if (!step.found.empty()) step.found.push_back(step.found.front());
        break;
      case 2:
        if (!step.found.empty()) step.found.erase(step.found.begin());
        break;
      default:
        shuffle(step.found);
    }
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[draws_.below(i)]);
  }

  // Another element of a list becomes one that was appended to it, too.
  void make_equal() {
    std::vector<MicroStep*> appends;
    for (SmallTransaction& one : all_) {
      for (MicroStep& step : one.steps) {
        if (step.append) appends.push_back(&step);
      }
    }
    if (appends.empty()) return;
    const MicroStep kept = *appends[draws_.below(appends.size())];
    const MicroStep other = *appends[draws_.below(appends.size())];
    if (kept.key != other.key) return;
    for (SmallTransaction& one : all_) {
      for (MicroStep& step : one.steps) {
        if (step.key != kept.key) continue;
        if (step.append && step.value == other.value) step.value = kept.value;
        if (!step.append) std::ranges::replace(step.found, other.value, kept.value);
      }
    }
  }

  // Up to three processes at once; one whose outcome is unknown is followed by a fresh one.
  History record() {
    HistoryBuilder builder;
    const std::uint64_t slots = 1 + draws_.below(3);
    std::vector<std::int64_t> processes;
    for (std::uint64_t s = 0; s < slots; ++s) processes.push_back(static_cast<std::int64_t>(s));
    std::vector<std::size_t> running(slots, all_.size());
    std::int64_t fresh = 10;
    std::size_t next = 0;
    std::size_t done = 0;
    while (done < all_.size()) {
      const std::uint64_t s = draws_.below(slots);
      if (running[s] == all_.size()) {
        if (next == all_.size()) continue;
        running[s] = next++;
        HistoryBuilder::Invocation invocation;
        invocation.process = processes[s];
        invocation.function = "txn";
        invocation.input = write_transaction(builder.pool(), all_[running[s]].steps, false);
        SUNDER_ASSERT(builder.invoke(invocation).has_value());
        continue;
      }
      const SmallTransaction& one = all_[running[s]];
      HistoryBuilder::Completion completion;
      completion.process = processes[s];
      completion.outcome = one.outcome;
      if (one.outcome == Outcome::ok) {
        completion.output = write_transaction(builder.pool(), one.steps, true);
      }
      SUNDER_ASSERT(builder.complete(completion).has_value());
      if (one.outcome == Outcome::info) processes[s] = fresh++;
      running[s] = all_.size();
      ++done;
    }
    return builder.finish();
  }

  Draws draws_;
  std::uint64_t keys_ = 1;
  std::uint64_t appended_ = 0;
  std::vector<SmallTransaction> all_;
};

// A copy of a value in another pool, with one read of lists changed.
class Flip {
 public:
  Flip(const history::ValuePool& from, history::ValuePool& to) : from_(&from), to_(&to) {}

  Value copy(Value value) const { return history::copy_value(*to_, *from_, value); }

  // The transaction with its read number `index` without its last element.
  Value shorten(Value transaction, std::size_t index) const {
    std::vector<Value> all;
    for (const Value item : from_->items_of(transaction)) {
      const auto parts = from_->items_of(item);
      const bool reads = from_->text_of(parts[0]) == "r";
      if (!reads || index-- != 0) {
        all.push_back(copy(item));
        continue;
      }
      std::vector<Value> found;
      for (const Value element : from_->items_of(parts[2])) found.push_back(copy(element));
      found.pop_back();
      all.push_back(to_->list({copy(parts[0]), copy(parts[1]), to_->list(found)}));
    }
    return to_->list(all);
  }

 private:
  const history::ValuePool* from_;
  history::ValuePool* to_;
};

}  // namespace

History list_history(const ListOptions& options) {
  return ListStore(options).make();
}

History small_list_history(std::uint64_t seed) {
  return SmallLists(seed).make(false);
}

History small_list_history_with_equals(std::uint64_t seed) {
  return SmallLists(seed).make(true);
}

History with_flipped_read(const History& valid, std::uint64_t seed) {
  struct Place {
    std::size_t operation;
    std::size_t read;
  };

  std::vector<Place> places;  // reads of something
  for (std::size_t i = 0; i < valid.operations().size(); ++i) {
    const Operation& operation = valid.operations()[i];
    if (!operation.output.is_list()) continue;
    std::size_t read = 0;
    for (const Value item : valid.pool().items_of(operation.output)) {
      const auto parts = valid.pool().items_of(item);
      if (valid.pool().text_of(parts[0]) != "r") continue;
      if (!valid.pool().items_of(parts[2]).empty()) places.push_back({i, read});
      ++read;
    }
  }
  HistoryBuilder builder;
  const Flip flip(valid.pool(), builder.pool());
  Draws draws(seed);
  const Place chosen =
      places.empty() ? Place{valid.operations().size(), 0} : places[draws.below(places.size())];
  for (std::size_t i = 0; i < valid.operations().size(); ++i) {
    Operation operation = valid.operations()[i];
    const Value output = operation.output;
    operation.input = flip.copy(operation.input);
    operation.output =
        i == chosen.operation ? flip.shorten(output, chosen.read) : flip.copy(output);
    operation.key = operation.error = operation.node = 0;
    operation.function_name = builder.pool().symbol("txn");
    builder.add(operation);
  }
  return builder.finish();
}

}  // namespace sunder::test
