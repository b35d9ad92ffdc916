#include "tests/histories/support/kafka_oracle.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sunder::test {
namespace {

using history::History;
using history::Operation;
using history::Outcome;
using history::Value;

struct Sight {
  std::size_t operation = 0;
  std::string key;
  std::string value;
  std::int64_t offset = -1;
  bool sent = false;

  [[nodiscard]] std::string message() const { return key + ":" + value; }
};

enum class Order { everywhere, inside, nowhere };

struct Rules {
  bool poll_order_always = false;
  bool unseen = true;
};

class Oracle {
 public:
  explicit Oracle(const History& history) : history_(&history) {
    for (std::size_t i = 0; i < history.operations().size(); ++i) read(i);
    for (const Sight& sight : sights_) {
      if (sight.offset >= 0) offsets_[sight.key].insert(sight.offset);
    }
  }

  [[nodiscard]] bool holds(Rules rules) const {
    // A consumer may be moved between operations, and inside of them as long as nobody tells when.
    const bool strict = !subscribed_ || rules.poll_order_always;
    const Order order = strict            ? Order::everywhere
                        : !moved_.empty() ? Order::inside
                                          : Order::nowhere;
    const bool excused = subscribed_ && unknown_polls_;
    return offsets_agree() && senders_exist() && !sees_its_own() && sends_go_on() &&
           polls_go_on(order) && (excused || nothing_lost()) &&
           (excused || !rules.unseen || nothing_unseen()) && no_circle();
  }

 private:
  [[nodiscard]] const Operation& at(std::size_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::string text(Value value) const { return history_->pool().describe(value); }

  void read(std::size_t index) {
    const Operation& operation = at(index);
    const std::string_view name = history_->pool().name(operation.function_name);
    subscribed_ = subscribed_ || name == "subscribe";
    const bool ok = operation.outcome == Outcome::ok;
    const bool told = ok && operation.output.is_list();
    const bool polls = name == "poll" || name == "txn";
    const bool unknown = operation.outcome == Outcome::info || (ok && operation.output.is_none());
    unknown_polls_ = unknown_polls_ || (polls && unknown);
    if (!polls && name != "send") return;
    for (const Value part : history_->pool().items_of(told ? operation.output : operation.input)) {
      const auto words = history_->pool().items_of(part);
      if (words.size() == 3) {
        Sight sight{index, text(words[1]), text(words[2]), -1, true};
        if (ok && words[2].is_list()) {
          const auto pair = history_->pool().items_of(words[2]);
          sight.offset = pair[0].raw();
          sight.value = text(pair[1]);
        }
        sights_.push_back(sight);
      } else if (told && text(words[0]) == "\"rebalance\"") {
        for (const Value key : history_->pool().items_of(words[1])) {
          moved_.insert({index, text(key)});
        }
      } else if (told) {
        for (const Value key : history_->pool().items_of(words[1])) {
          const auto of_key = history_->pool().items_of(key);
          for (const Value message : history_->pool().items_of(of_key[1])) {
            const auto pair = history_->pool().items_of(message);
            sights_.push_back({index, text(of_key[0]), text(pair[1]), pair[0].raw(), false});
          }
        }
      }
    }
  }

  [[nodiscard]] bool offsets_agree() const {
    for (const Sight& one : sights_) {
      for (const Sight& other : sights_) {
        if (one.key != other.key || one.offset < 0 || other.offset < 0) continue;
        if ((one.value == other.value) != (one.offset == other.offset)) return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool senders_exist() const {
    return std::ranges::all_of(sights_, [&](const Sight& polled) {
      return polled.sent || std::ranges::any_of(sights_, [&](const Sight& sight) {
               return sight.sent && sight.message() == polled.message() &&
                      at(sight.operation).outcome != Outcome::fail;
             });
    });
  }

  [[nodiscard]] bool sees_its_own() const {
    for (const Sight& one : sights_) {
      for (const Sight& other : sights_) {
        const bool own = one.operation == other.operation && one.sent && !other.sent;
        if (own && one.message() == other.message()) return true;
      }
    }
    return false;
  }

  // Ranks among the known offsets of the key; -1: the message has none.
  [[nodiscard]] std::int64_t rank(const Sight& sight) const {
    std::set<std::int64_t> known;
    for (const Sight& other : sights_) {
      if (other.message() == sight.message() && other.offset >= 0) known.insert(other.offset);
    }
    if (known.size() != 1) return -1;
    const std::set<std::int64_t>& all = offsets_.at(sight.key);
    return std::distance(all.begin(), all.find(*known.begin()));
  }

  // Each process' sights of a key in order, with a new list where its keys were assigned anew
  // without it, where nobody knows what it polled, or where the key was moved.
  [[nodiscard]] bool goes_on(bool sent, bool may_skip, Order order) const {
    std::map<std::pair<std::int64_t, std::string>, const Sight*> last;
    for (std::size_t i = 0; i < history_->operations().size(); ++i) {
      const Operation& operation = at(i);
      if (operation.outcome == Outcome::fail) continue;
      const std::string_view name = history_->pool().name(operation.function_name);
      const bool unknown = operation.outcome == Outcome::ok && operation.output.is_none();
      std::erase_if(last, [&](const auto& entry) {
        if (entry.first.first != operation.process) return false;
        if (name == "assign" || name == "subscribe") {
          return std::ranges::none_of(history_->pool().items_of(operation.input),
                                      [&](Value key) { return text(key) == entry.first.second; });
        }
        return unknown && !sent;
      });
      if (operation.outcome != Outcome::ok) continue;
      const auto is_moved = [&](const std::string& key) {
        return !sent && moved_.contains({i, key});
      };
      std::erase_if(last, [&](const auto& entry) {
        return entry.first.first == operation.process && is_moved(entry.first.second);
      });
      for (const Sight& sight : sights_) {
        if (sight.operation != i || sight.sent != sent) continue;
        const Sight*& before = last[{operation.process, sight.key}];
        const bool inside = before != nullptr && before->operation == i;
        const bool judged = order == Order::everywhere || (order == Order::inside && inside);
        const bool known = before != nullptr && rank(*before) >= 0 && rank(sight) >= 0;
        if (judged && known && !(inside && is_moved(sight.key))) {
          const std::int64_t step = rank(sight) - rank(*before);
          if (step < 1 || (step > 1 && !may_skip)) return false;
        }
        before = &sight;
      }
    }
    return true;
  }

  [[nodiscard]] bool sends_go_on() const { return goes_on(true, true, Order::everywhere); }

  [[nodiscard]] bool polls_go_on(Order order) const { return goes_on(false, false, order); }

  [[nodiscard]] bool polled(const Sight& sight) const {
    return std::ranges::any_of(sights_, [&](const Sight& other) {
      return !other.sent && other.message() == sight.message();
    });
  }

  [[nodiscard]] bool nothing_lost() const {
    return std::ranges::none_of(sights_, [&](const Sight& sight) {
      const bool sure = sight.sent && at(sight.operation).outcome == Outcome::ok;
      if (!sure || polled(sight)) return false;
      return std::ranges::any_of(sights_, [&](const Sight& beyond) {
        return !beyond.sent && beyond.key == sight.key && sight.offset >= 0 &&
               beyond.offset >= sight.offset;
      });
    });
  }

  [[nodiscard]] bool nothing_unseen() const {
    return std::ranges::none_of(sights_, [&](const Sight& sight) {
      return sight.sent && at(sight.operation).outcome == Outcome::ok && !polled(sight);
    });
  }

  // Sends before polls of the same message, processes and real time in one order.
  [[nodiscard]] bool no_circle() const {
    const std::size_t count = history_->operations().size();
    std::vector<std::vector<bool>> before(count, std::vector<bool>(count, false));
    for (const Sight& sight : sights_) {
      for (const Sight& seen : sights_) {
        const bool may = at(sight.operation).outcome != Outcome::fail;
        const bool sees = sight.sent && !seen.sent && sight.message() == seen.message();
        if (may && sees && sight.operation != seen.operation) {
          before[sight.operation][seen.operation] = true;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        if (at(i).outcome == Outcome::fail || at(j).outcome == Outcome::fail) continue;
        const bool same = at(i).process == at(j).process && at(i).invoke < at(j).invoke;
        if (same || at(i).precedes(at(j))) before[i][j] = true;
      }
    }
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
          if (before[i][k] && before[k][j]) before[i][j] = true;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (before[i][i]) return false;
    }
    return true;
  }

  const History* history_;
  std::vector<Sight> sights_;
  std::map<std::string, std::set<std::int64_t>> offsets_;
  std::set<std::pair<std::size_t, std::string>> moved_;  // operation, key
  bool subscribed_ = false;
  bool unknown_polls_ = false;
};

}  // namespace

bool kafka_delivered(const History& history) {
  return Oracle(history).holds({});
}

bool kafka_ordered(const History& history) {
  return Oracle(history).holds({.poll_order_always = true});
}

bool kafka_log(const History& history) {
  return Oracle(history).holds({.unseen = false});
}

}  // namespace sunder::test
