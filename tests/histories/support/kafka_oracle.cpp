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
    for (const Sight& claim : claims_) {
      if (is_proven(claim.operation)) believe(claim);
    }
    for (const Sight& sight : sights_) {
      if (sight.offset >= 0) offsets_[sight.key].insert(sight.offset);
    }
  }

  [[nodiscard]] bool holds(Rules rules) const {
    // Where nobody knows how anything ended, nothing was observed.
    const bool observed = std::ranges::any_of(
        history_->operations(),
        [](const Operation& operation) { return operation.outcome != Outcome::info; });
    if (!observed) return true;
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
    const bool told = operation.output.is_list();
    const bool polls = name == "poll" || name == "txn";
    const bool unknown = operation.outcome == Outcome::info || (ok && operation.output.is_none());
    unknown_polls_ = unknown_polls_ || (polls && unknown);
    if (!polls && name != "send") return;
    for (const Value part : history_->pool().items_of(told ? operation.output : operation.input)) {
      const auto words = history_->pool().items_of(part);
      if (words.size() == 3) {
        Sight sight{index, text(words[1]), text(words[2]), -1, true};
        if ((ok || told) && words[2].is_list()) {
          const auto pair = history_->pool().items_of(words[2]);
          sight.offset = pair[0].raw();
          sight.value = text(pair[1]);
        }
        sights_.push_back(sight);
        if (!ok) sights_.back().offset = -1;
        if (operation.outcome == Outcome::info) claims_.push_back(sight);
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

  [[nodiscard]] Outcome outcome(const Sight& sight) const { return at(sight.operation).outcome; }

  // The operations that may have sent the message.
  [[nodiscard]] std::set<std::size_t> senders(const Sight& message) const {
    std::set<std::size_t> found;
    for (const Sight& sight : sights_) {
      const bool same = sight.sent && sight.message() == message.message();
      if (same && outcome(sight) != Outcome::fail) found.insert(sight.operation);
    }
    return found;
  }

  // Somebody polled for sure what only this operation can have sent.
  [[nodiscard]] bool is_proven(std::size_t operation) const {
    return std::ranges::any_of(sights_, [&](const Sight& sight) {
      return !sight.sent && outcome(sight) == Outcome::ok &&
             senders(sight) == std::set<std::size_t>{operation};
    });
  }

  // The offset that a send of unknown outcome told is right.
  void believe(const Sight& claim) {
    for (Sight& sight : sights_) {
      const bool same = sight.sent && sight.operation == claim.operation;
      if (!same || sight.message() != claim.message() || sight.offset >= 0) continue;
      sight.offset = claim.offset;
      return;
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
      return polled.sent || outcome(polled) != Outcome::ok || !senders(polled).empty();
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
  // without it, where nobody knows what it polled, or where the key was moved. What an operation
  // of unknown outcome sent may come late: nothing has to be behind it. Nor behind what an aborted
  // one polled; but both begin their polls where their process was.
  [[nodiscard]] bool goes_on(bool sent, bool may_skip, Order order) const {
    std::map<std::pair<std::int64_t, std::string>, const Sight*> last;
    for (std::size_t i = 0; i < history_->operations().size(); ++i) {
      const Operation& operation = at(i);
      const bool failed = operation.outcome == Outcome::fail;
      if (failed && sent) continue;
      const std::string_view name = history_->pool().name(operation.function_name);
      const bool crashed = operation.outcome == Outcome::info;
      const bool unknown = !failed && !crashed && operation.output.is_none();
      std::erase_if(last, [&](const auto& entry) {
        if (entry.first.first != operation.process) return false;
        if (!failed && (name == "assign" || name == "subscribe")) {
          return std::ranges::none_of(history_->pool().items_of(operation.input),
                                      [&](Value key) { return text(key) == entry.first.second; });
        }
        return unknown && !sent;
      });
      const auto is_moved = [&](const std::string& key) {
        return !sent && moved_.contains({i, key});
      };
      std::erase_if(last, [&](const auto& entry) {
        return entry.first.first == operation.process && is_moved(entry.first.second);
      });
      const auto kept = last;
      for (const Sight& sight : sights_) {
        if (sight.operation != i || sight.sent != sent) continue;
        const Sight*& before = last[{operation.process, sight.key}];
        const bool inside = before != nullptr && before->operation == i;
        const bool ended = sent || (!failed && !crashed);
        const bool judged = inside ? ended && order != Order::nowhere : order == Order::everywhere;
        const bool known = before != nullptr && rank(*before) >= 0 && rank(sight) >= 0;
        if (judged && known && !(inside && is_moved(sight.key))) {
          const std::int64_t step = rank(sight) - rank(*before);
          if (step < 1 || (step > 1 && !may_skip)) return false;
        }
        before = &sight;
      }
      if (failed || crashed) last = kept;
      if (crashed && !sent && (name == "poll" || name == "txn")) {
        std::erase_if(last,
                      [&](const auto& entry) { return entry.first.first == operation.process; });
      }
    }
    return true;
  }

  [[nodiscard]] bool sends_go_on() const { return goes_on(true, true, Order::everywhere); }

  [[nodiscard]] bool polls_go_on(Order order) const { return goes_on(false, false, order); }

  [[nodiscard]] bool polled(const Sight& sight) const {
    return std::ranges::any_of(sights_, [&](const Sight& other) {
      return !other.sent && other.message() == sight.message() && outcome(other) != Outcome::fail;
    });
  }

  [[nodiscard]] bool nothing_lost() const {
    return std::ranges::none_of(sights_, [&](const Sight& sight) {
      const bool sure = outcome(sight) == Outcome::ok ||
                        (outcome(sight) == Outcome::info && is_proven(sight.operation));
      if (!sight.sent || !sure || polled(sight)) return false;
      std::int64_t offset = -1;
      for (const Sight& same : sights_) {
        if (same.message() == sight.message()) offset = std::max(offset, same.offset);
      }
      return offset >= 0 && std::ranges::any_of(sights_, [&](const Sight& beyond) {
               return !beyond.sent && outcome(beyond) == Outcome::ok && beyond.key == sight.key &&
                      beyond.offset >= offset;
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
        const bool sees = sight.sent && !seen.sent && sight.message() == seen.message();
        const bool only = sees && senders(seen) == std::set<std::size_t>{sight.operation};
        if (only && sight.operation != seen.operation) {
          before[sight.operation][seen.operation] = true;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        const bool ended = at(i).outcome != Outcome::info;
        const bool same = ended && at(i).process == at(j).process && at(i).invoke < at(j).invoke;
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
  std::vector<Sight> claims_;  // sends of unknown outcome that told an offset
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
