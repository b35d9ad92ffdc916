#include "tests/histories/support/collection_oracle.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"
#include "tests/histories/support/kafka_oracle.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

bool is_known(const Operation& operation) {
  return operation.outcome == Outcome::ok && !operation.output.is_none();
}

std::string text(const History& history, history::Value value) {
  return history.pool().describe(value);
}

// What a read or a drain showed.
std::vector<std::string> list_of(const History& history, const Operation& operation) {
  std::vector<std::string> items;
  if (!operation.output.is_list()) return items;
  for (const history::Value item : history.pool().items_of(operation.output)) {
    items.push_back(text(history, item));
  }
  return items;
}

// Operations of one function that may have happened.
std::vector<const Operation*> all_of(const History& history, Function function) {
  std::vector<const Operation*> found;
  for (const Operation& operation : history.operations()) {
    const bool may = operation.outcome != Outcome::fail;
    if (operation.function == function && may) found.push_back(&operation);
  }
  return found;
}

std::vector<const Operation*> known_reads(const History& history) {
  std::vector<const Operation*> reads = all_of(history, Function::read);
  std::erase_if(reads, [](const Operation* read) { return !is_known(*read); });
  return reads;
}

// Whether some order of the operations respects real time and is allowed: `apply` changes the state
// or says no. Operations of unknown outcome may be left out.
template <typename State, typename Apply>
bool order_exists(const std::vector<const Operation*>& operations,
                  std::uint32_t done,
                  const State& state,
                  const Apply& apply) {
  bool all = true;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (((done >> i) & 1U) != 0) continue;
    if (operations[i]->outcome != Outcome::info) all = false;
    bool waits = false;
    for (std::size_t j = 0; j < operations.size(); ++j) {
      const bool open = ((done >> j) & 1U) == 0 && j != i;
      waits = waits || (open && operations[j]->precedes(*operations[i]));
    }
    if (waits) continue;
    State next = state;
    if (apply(*operations[i], next) && order_exists(operations, done | (1U << i), next, apply)) {
      return true;
    }
  }
  return all;
}

// One element alone: it is out, until an addition takes effect.
bool element_alone(const History& history,
                   const std::string& element,
                   const std::vector<const Operation*>& reads) {
  std::vector<const Operation*> operations = reads;
  for (const Operation* add : all_of(history, Function::add)) {
    if (text(history, add->input) == element) operations.push_back(add);
  }
  return order_exists(operations, 0, false, [&](const Operation& operation, bool& in) {
    if (operation.function == Function::add) {
      in = true;
      return true;
    }
    const std::vector<std::string> items = list_of(history, operation);
    return (std::ranges::find(items, element) != items.end()) == in;
  });
}

std::set<std::string> elements_of(const History& history) {
  std::set<std::string> elements;
  for (const Operation* add : all_of(history, Function::add)) {
    elements.insert(text(history, add->input));
  }
  for (const Operation* read : known_reads(history)) {
    for (const std::string& item : list_of(history, *read)) elements.insert(item);
  }
  return elements;
}

bool set_final_read(const History& history) {
  std::vector<const Operation*> reads = known_reads(history);
  if (reads.empty()) return true;
  const auto last = std::ranges::max_element(
      reads, [](const Operation* a, const Operation* b) { return a->complete < b->complete; });
  const std::vector<const Operation*> only{*last};
  return std::ranges::all_of(elements_of(history), [&](const std::string& element) {
    return element_alone(history, element, only);
  });
}

bool shows_twice(const History& history) {
  return std::ranges::any_of(known_reads(history), [&](const Operation* read) {
    const std::vector<std::string> items = list_of(history, *read);
    return std::set<std::string>(items.begin(), items.end()).size() != items.size();
  });
}

bool set_linearizable(const History& history) {
  if (shows_twice(history)) return false;
  std::vector<const Operation*> operations = all_of(history, Function::add);
  for (const Operation* read : known_reads(history)) operations.push_back(read);
  using Elements = std::set<std::string>;
  return order_exists(
      operations, 0, Elements(), [&](const Operation& operation, Elements& elements) {
        if (operation.function == Function::add) {
          elements.insert(text(history, operation.input));
          return true;
        }
        const std::vector<std::string> items = list_of(history, operation);
        return Elements(items.begin(), items.end()) == elements;
      });
}

bool set_full_fresh(const History& history) {
  if (shows_twice(history)) return false;
  return std::ranges::all_of(elements_of(history), [&](const std::string& element) {
    return element_alone(history, element, known_reads(history));
  });
}

// By the words of the definition: no read that begins after the element is known, and after every
// read that shows it, misses it.
bool set_full_stable(const History& history) {
  if (shows_twice(history)) return false;
  const std::vector<const Operation*> reads = known_reads(history);
  for (const std::string& element : elements_of(history)) {
    std::int64_t known = history::kNever;
    std::int64_t begun = history::kNever;
    for (const Operation* add : all_of(history, Function::add)) {
      if (text(history, add->input) != element) continue;
      begun = std::min(begun, add->invoke);
      if (add->outcome == Outcome::ok) known = std::min(known, add->complete);
    }
    std::vector<const Operation*> show;
    std::vector<const Operation*> miss;
    for (const Operation* read : reads) {
      const std::vector<std::string> items = list_of(history, *read);
      const bool there = std::ranges::find(items, element) != items.end();
      (there ? show : miss).push_back(read);
      if (there) known = std::min(known, read->complete);
      if (there && read->complete < begun) return false;
      if (there && begun == history::kNever) return false;
    }
    for (const Operation* late : miss) {
      const bool last = std::ranges::all_of(
          show, [&](const Operation* read) { return read->invoke < late->invoke; });
      if (last && known < late->invoke) return false;
    }
  }
  return true;
}

// One value that went in or came out, or could have come out.
struct Token {
  std::string value;   // empty: nobody knows
  std::int64_t stamp;  // the enqueue's start, or the taking's end
};

// Whether each of `left` can be given one of `right` of its own.
bool matches_all(const std::vector<Token>& left,
                 std::size_t next,
                 const std::vector<Token>& right,
                 std::vector<bool>& used,
                 const std::function<bool(const Token&, const Token&)>& fits) {
  if (next == left.size()) return true;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (used[i] || !fits(left[next], right[i])) continue;
    used[i] = true;
    if (matches_all(left, next + 1, right, used, fits)) return true;
    used[i] = false;
  }
  return false;
}

bool total_queue(const History& history, bool exactly_once) {
  std::vector<Token> attempts;
  std::vector<Token> sure;
  for (const Operation* enqueue : all_of(history, Function::enqueue)) {
    attempts.push_back({text(history, enqueue->input), enqueue->invoke});
    if (enqueue->outcome == Outcome::ok) sure.push_back(attempts.back());
  }
  std::vector<Token> out;
  std::vector<Token> takers;
  for (const Operation* dequeue : all_of(history, Function::dequeue)) {
    if (!is_known(*dequeue)) {
      takers.push_back({"", dequeue->complete});
    } else if (!dequeue->output.is_nil()) {
      out.push_back({text(history, dequeue->output), dequeue->complete});
    }
  }
  for (const Operation* drain : all_of(history, Function::drain)) {
    for (const std::string& item : list_of(history, *drain)) out.push_back({item, drain->complete});
    if (is_known(*drain)) continue;
    for (std::size_t i = 0; i < sure.size(); ++i) takers.push_back({"", drain->complete});
  }
  const auto came_from = [](const Token& taken, const Token& put) {
    return taken.value == put.value && put.stamp <= taken.stamp;
  };
  for (const Token& taken : out) {
    if (std::ranges::none_of(attempts, [&](const Token& put) { return came_from(taken, put); })) {
      return false;
    }
  }
  std::vector<bool> used(attempts.size(), false);
  if (exactly_once && !matches_all(out, 0, attempts, used, came_from)) return false;
  std::vector<Token> takes = out;
  takes.insert(takes.end(), takers.begin(), takers.end());
  std::vector<bool> taken(takes.size(), false);
  return matches_all(sure, 0, takes, taken, [](const Token& put, const Token& take) {
    return (take.value.empty() || take.value == put.value) && put.stamp <= take.stamp;
  });
}

bool total(const History& history) {
  return total_queue(history, false);
}

bool exactly_once(const History& history) {
  return total_queue(history, true);
}

bool unique(const History& history) {
  std::multiset<std::string> given;
  for (const Operation& operation : history.operations()) {
    if (is_known(operation)) given.insert(text(history, operation.output));
  }
  return std::ranges::all_of(given, [&](const std::string& id) { return given.count(id) == 1; });
}

bool bank(const History& history, bool overdrafts) {
  std::vector<const Operation*> reads = known_reads(history);
  std::ranges::stable_sort(
      reads, [](const Operation* a, const Operation* b) { return a->complete < b->complete; });
  std::optional<std::int64_t> expected;
  std::set<std::string> accounts;
  for (const Operation* read : reads) {
    std::int64_t sum = 0;
    std::set<std::string> names;
    for (const history::Value item : history.pool().items_of(read->output)) {
      const auto pair = history.pool().items_of(item);
      names.insert(text(history, pair[0]));
      const std::string balance = text(history, pair[1]);
      if (balance == "nil") return false;
      sum += std::stoll(balance);
      if (std::stoll(balance) < 0 && !overdrafts) return false;
    }
    if (!expected) {
      expected = sum;
      accounts = names;
    }
    if (*expected != sum || !std::ranges::includes(accounts, names)) return false;
  }
  return true;
}

bool non_negative(const History& history) {
  return bank(history, false);
}

bool any_balance(const History& history) {
  return bank(history, true);
}

// Every choice of additions that a read may have seen.
bool counter_bounds(const History& history) {
  const std::vector<const Operation*> adds = all_of(history, Function::add);
  for (const Operation* read : known_reads(history)) {
    std::set<std::int64_t> sums;
    for (std::uint32_t chosen = 0; chosen < (1U << adds.size()); ++chosen) {
      std::int64_t sum = 0;
      bool possible = true;
      for (std::size_t i = 0; i < adds.size(); ++i) {
        const bool in = ((chosen >> i) & 1U) != 0;
        const bool sure = adds[i]->outcome == Outcome::ok && adds[i]->precedes(*read);
        if ((sure && !in) || (in && read->precedes(*adds[i]))) possible = false;
        if (in) sum += adds[i]->input.raw();
      }
      if (possible) sums.insert(sum);
    }
    const std::int64_t value = read->output.is_nil() ? 0 : read->output.raw();
    if (value < *sums.begin() || value > *sums.rbegin()) return false;
  }
  return true;
}

// Which of two operations must come first, beside what they saw.
using Before = bool (*)(const Operation& first, const Operation& second);

// Whether the operations fit into some order that respects `before` and never lets a value of a key
// go back.
bool grows_in_some_order(const History& history,
                         const std::vector<const Operation*>& operations,
                         std::uint32_t done,
                         const std::map<std::string, std::int64_t>& last,
                         Before before) {
  if (done + 1 == 1U << operations.size()) return true;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (((done >> i) & 1U) != 0) continue;
    bool possible = true;
    for (std::size_t j = 0; j < operations.size(); ++j) {
      const bool open = ((done >> j) & 1U) == 0 && j != i;
      if (open && before(*operations[j], *operations[i])) possible = false;
    }
    std::map<std::string, std::int64_t> next = last;
    const auto see = [&](const std::string& key, history::Value seen) {
      const std::int64_t value = seen.is_nil() ? -1 : seen.raw();
      const auto [found, added] = next.try_emplace(key, value);
      if (value < found->second) possible = false;
      found->second = value;
    };
    const history::Value output = operations[i]->output;
    if (!output.is_list()) {
      see("", output);
    } else {
      for (const history::Value item : history.pool().items_of(output)) {
        const auto pair = history.pool().items_of(item);
        see(text(history, pair[0]), pair[1]);
      }
    }
    const std::uint32_t more = done | (1U << i);
    if (possible && grows_in_some_order(history, operations, more, next, before)) return true;
  }
  return false;
}

bool grows(const History& history, Before before) {
  std::vector<const Operation*> operations;
  for (const Operation& operation : history.operations()) {
    if (is_known(operation)) operations.push_back(&operation);
  }
  return grows_in_some_order(history, operations, 0, {}, before);
}

bool same_process(const Operation& first, const Operation& second) {
  return first.process == second.process && first.invoke < second.invoke;
}

bool monotonic_order(const History& history) {
  return grows(history, [](const Operation&, const Operation&) { return false; });
}

bool monotonic_session(const History& history) {
  return grows(history, same_process);
}

bool monotonic_real_time(const History& history) {
  return grows(history, [](const Operation& first, const Operation& second) {
    return same_process(first, second) || first.precedes(second);
  });
}

// Whether some order of the transactions gives each read the writes before it, time aside.
bool prefix_order(const History& history,
                  const std::vector<const Operation*>& operations,
                  std::uint32_t done,
                  const std::map<std::string, std::string>& cells) {
  bool all = true;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (((done >> i) & 1U) != 0) continue;
    const Operation& operation = *operations[i];
    if (operation.outcome != Outcome::info) all = false;
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    std::map<std::string, std::string> next = cells;
    bool possible = true;
    for (const history::Value item :
         history.pool().items_of(told ? operation.output : operation.input)) {
      const auto words = history.pool().items_of(item);
      const std::string key = text(history, words[1]);
      const std::string value = text(history, words[2]);
      if (history.pool().text_of(words[0]) == "w") {
        next[key] = value;
      } else if (told) {
        const auto found = cells.find(key);
        possible = possible && value == (found == cells.end() ? "nil" : found->second);
      }
    }
    if (possible && prefix_order(history, operations, done | (1U << i), next)) return true;
  }
  return all;
}

bool long_fork(const History& history) {
  return prefix_order(history, all_of(history, Function::txn), 0, {});
}

// Each process' last read, if it began after every acknowledged change had ended.
std::vector<const Operation*> final_reads(const History& history) {
  std::int64_t settled = -1;
  for (const Operation& operation : history.operations()) {
    const bool changes = operation.function != Function::read;
    if (changes && operation.outcome == Outcome::ok)
      settled = std::max(settled, operation.complete);
  }
  std::map<std::int64_t, const Operation*> last;
  for (const Operation* read : known_reads(history)) {
    if (read->invoke > settled) last[read->process] = read;
  }
  std::vector<const Operation*> reads;
  for (const auto& [process, read] : last) reads.push_back(read);
  return reads;
}

bool converged_sets(const History& history, bool all_elements) {
  const std::vector<const Operation*> adds = all_of(history, Function::add);
  const std::vector<const Operation*> reads = final_reads(history);
  for (const std::string& element : elements_of(history)) {
    std::size_t shown = 0;
    bool sure = false;
    for (const Operation* add : adds) {
      sure = sure || (add->outcome == Outcome::ok && text(history, add->input) == element);
    }
    for (const Operation* read : reads) {
      const std::vector<std::string> items = list_of(history, *read);
      if (std::ranges::find(items, element) == items.end()) continue;
      ++shown;
      if (std::ranges::none_of(adds, [&](const Operation* add) {
            return text(history, add->input) == element && !read->precedes(*add);
          })) {
        return false;
      }
    }
    if (sure && shown != reads.size() && (shown > 0 || all_elements)) return false;
  }
  return true;
}

bool converged(const History& history, bool last_write) {
  const bool is_set = std::ranges::any_of(history.operations(), [](const Operation& operation) {
    return operation.function == Function::add;
  });
  if (is_set) return converged_sets(history, last_write);
  const std::vector<const Operation*> writes = all_of(history, Function::write);
  std::set<std::string> certain;  // final values that no write of unknown outcome makes
  for (const Operation* read : final_reads(history)) {
    const std::string value = text(history, read->output);
    bool written = value == "nil";
    bool unknown = false;
    bool current = writes.empty();
    for (const Operation* write : writes) {
      if (text(history, write->input) != value || read->precedes(*write)) continue;
      written = true;
      unknown = unknown || write->outcome == Outcome::info;
      current = current || std::ranges::none_of(writes, [&](const Operation* other) {
                  return other->outcome == Outcome::ok && write->precedes(*other);
                });
    }
    if (value == "nil" && std::ranges::none_of(writes, [](const Operation* write) {
          return write->outcome == Outcome::ok;
        })) {
      current = true;
    }
    if (!written || (last_write && !current)) return false;
    if (!unknown) certain.insert(value);
  }
  return certain.size() <= 1;
}

bool agreement(const History& history) {
  return converged(history, false);
}

bool last_write(const History& history) {
  return converged(history, true);
}

// Pair by pair: who shows a write shows each that had ended before any write of it began.
bool comments_order(const History& history) {
  for (const Operation* read : known_reads(history)) {
    const std::vector<std::string> shown = list_of(history, *read);
    for (const std::string& value : shown) {
      // The write that it is from began at the latest then; one that failed only if all did.
      std::vector<const Operation*> sources;
      for (const bool failed : {false, true}) {
        for (const Operation& write : history.operations()) {
          const bool is_write = write.function == Function::write && write.key == read->key;
          const bool fails = write.outcome == Outcome::fail;
          if (is_write && fails == failed && text(history, write.input) == value) {
            sources.push_back(&write);
          }
        }
        if (!sources.empty()) break;
      }
      for (const Operation* earlier : all_of(history, Function::write)) {
        const std::string before = text(history, earlier->input);
        const bool sure =
            earlier->outcome == Outcome::ok && earlier->key == read->key && !sources.empty() &&
            std::ranges::all_of(sources, [&](const Operation* s) { return earlier->precedes(*s); });
        if (sure && std::ranges::find(shown, before) == shown.end()) return false;
      }
    }
  }
  return true;
}

bool comments_exact(const History& history) {
  for (const Operation* read : known_reads(history)) {
    for (const std::string& value : list_of(history, *read)) {
      if (std::ranges::none_of(all_of(history, Function::write), [&](const Operation* write) {
            return write->key == read->key && text(history, write->input) == value &&
                   !read->precedes(*write);
          })) {
        return false;
      }
    }
  }
  return comments_order(history);
}

// Whether the subkeys from `index` on can have been found so by looks one after the other, while
// ever more of them were there; `there` are, from the first written on.
bool subkeys_explained(const std::vector<bool>& seen, std::size_t index, std::size_t there) {
  if (index == seen.size()) return true;
  const std::size_t subkey = seen.size() - 1 - index;
  for (std::size_t now = there; now <= seen.size(); ++now) {
    if (seen[index] == (subkey < now) && subkeys_explained(seen, index + 1, now)) return true;
  }
  return false;
}

bool subkeys(const History& history, bool written) {
  for (const Operation* read : known_reads(history)) {
    if (!read->output.is_list()) continue;
    const auto pair = history.pool().items_of(read->output);
    std::vector<bool> seen;
    for (const history::Value value : history.pool().items_of(pair[1])) {
      seen.push_back(text(history, value) != "nil");
    }
    if (!subkeys_explained(seen, 0, 0)) return false;
    if (!written || std::ranges::find(seen, true) == seen.end()) continue;
    if (std::ranges::none_of(history.operations(), [&](const Operation& write) {
          return write.function == Function::write && !read->precedes(write) &&
                 text(history, write.input) == text(history, pair[0]);
        })) {
      return false;
    }
  }
  return true;
}

bool sequential_order(const History& history) {
  return subkeys(history, false);
}

bool sequential_exact(const History& history) {
  return subkeys(history, true);
}

// Whether the inserts under each key fit into some order, each of which finds nothing. Real time
// tells nothing more: none may be second.
bool one_insert(const History& history) {
  std::map<std::string, std::vector<const Operation*>> keys;
  for (const Operation* insert : all_of(history, Function::insert)) {
    const std::string inner = text(history, history.pool().items_of(insert->input)[0]);
    const bool keyed = insert->key != 0;
    keys[keyed ? std::string(history.pool().name(insert->key)) : inner].push_back(insert);
  }
  return std::ranges::all_of(keys, [](const auto& key) {
    return order_exists(key.second, 0, false, [](const Operation&, bool& taken) {
      return !std::exchange(taken, true);
    });
  });
}

struct Oracle {
  std::string_view model;
  bool (*holds)(const History& history);
};

constexpr std::array kOracles{
    Oracle{"bank/any-balance", any_balance},
    Oracle{"bank/non-negative", non_negative},
    Oracle{"comments/exact", comments_exact},
    Oracle{"comments/order", comments_order},
    Oracle{"convergence/agreement", agreement},
    Oracle{"convergence/last-write", last_write},
    Oracle{"counter/bounds", counter_bounds},
    Oracle{"g2/one-insert", one_insert},
    Oracle{"kafka/delivered", kafka_delivered},
    Oracle{"kafka/log", kafka_log},
    Oracle{"kafka/ordered", kafka_ordered},
    Oracle{"long-fork/prefix", long_fork},
    Oracle{"monotonic/order", monotonic_order},
    Oracle{"monotonic/real-time", monotonic_real_time},
    Oracle{"monotonic/session", monotonic_session},
    Oracle{"sequential/exact", sequential_exact},
    Oracle{"sequential/order", sequential_order},
    Oracle{"set-full/fresh", set_full_fresh},
    Oracle{"set-full/stable", set_full_stable},
    Oracle{"set/final-read", set_final_read},
    Oracle{"set/linearizable", set_linearizable},
    Oracle{"total-queue/exactly-once", exactly_once},
    Oracle{"total-queue/total", total},
    Oracle{"unique-ids/unique", unique},
};

}  // namespace

std::optional<bool> collection_oracle(const History& history, std::string_view model) {
  const auto oracle = std::ranges::find(kOracles, model, &Oracle::model);
  if (oracle == kOracles.end()) return std::nullopt;
  SUNDER_ASSERT(history.operations().size() <= 16);
  return oracle->holds(history);
}

}  // namespace sunder::test
