#include "tests/histories/support/isolation_brute_force.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "harness/base/assert.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::Operation;
using history::Outcome;
using history::Value;

struct Item {
  bool write = false;
  std::string key;
  std::string value;  // empty: unknown
};

struct Txn {
  std::vector<Item> items;
  std::int64_t process = 0;
  Outcome outcome = Outcome::ok;
  std::int64_t invoke = 0;
  std::int64_t complete = 0;
};

// A read of another transaction's write; source −1 is the initial state.
struct External {
  int position = 0;
  std::string key;
  int source = -1;
};

std::vector<Txn> parse(const History& history) {
  std::vector<Txn> all;
  for (const Operation& operation : history.operations()) {
    Txn txn;
    txn.process = operation.process;
    txn.outcome = operation.outcome;
    txn.invoke = operation.invoke;
    txn.complete = operation.complete;
    const bool told = operation.outcome == Outcome::ok && !operation.output.is_none();
    const Value list = told ? operation.output : operation.input;
    for (const Value item : history.pool().items_of(list)) {
      const auto parts = history.pool().items_of(item);
      Item made;
      made.write = history.pool().text_of(parts[0]) == "w";
      made.key = history.pool().describe(parts[1]);
      // A read without a value found nothing.
      const Value value = parts.size() > 2 ? parts[2] : Value::nil();
      if (!value.is_none()) made.value = history.pool().describe(value);
      if (made.write || told) txn.items.push_back(made);
    }
    all.push_back(txn);
  }
  return all;
}

std::map<std::string, std::string> final_writes(const Txn& txn) {
  std::map<std::string, std::string> writes;
  for (const Item& item : txn.items) {
    if (item.write) writes[item.key] = item.value;
  }
  return writes;
}

class Oracle {
 public:
  Oracle(const History& history, std::string_view level) : all_(parse(history)), level_(level) {
    SUNDER_ASSERT(all_.size() <= 8);
    if (level_.starts_with("strict-")) real_time_ = true;
    if (level_ == "strong-snapshot-isolation") real_time_ = true;
    if (level_.starts_with("strong-session-")) level_.remove_prefix(15);
    if (level_ == "strict-serializable" || level_ == "repeatable-read") level_ = "serializable";
    if (level_ == "strong-snapshot-isolation") level_ = "snapshot-isolation";
    if (level_.starts_with("monotonic-")) level_ = "read-committed";
  }

  bool decide() {
    if (!own_reads_are_right()) return false;
    if (level_ == "read-uncommitted") return everything_was_written();
    std::vector<int> unknown;
    for (int i = 0; i < count(); ++i) {
      if (all_[at(i)].outcome == Outcome::info) unknown.push_back(i);
    }
    for (unsigned mask = 0; mask < (1U << unknown.size()); ++mask) {
      committed_.clear();
      for (int i = 0; i < count(); ++i) {
        const auto found = std::ranges::find(unknown, i);
        const bool chosen =
            found != unknown.end() && ((mask >> (found - unknown.begin())) & 1U) != 0;
        if (all_[at(i)].outcome == Outcome::ok || chosen) committed_.push_back(i);
      }
      if (choose_sources(0)) return true;
    }
    return false;
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  [[nodiscard]] int count() const { return static_cast<int>(all_.size()); }

  [[nodiscard]] static bool is_initial(const std::string& value) {
    return value == "nil" || value == "0";
  }

  // After its own write a transaction reads that; it never reads what only it writes later.
  [[nodiscard]] bool own_reads_are_right() const {
    for (const Txn& txn : all_) {
      if (txn.outcome != Outcome::ok) continue;
      std::map<std::string, std::string> own;
      for (const Item& item : txn.items) {
        if (item.write) {
          own[item.key] = item.value;
        } else if (!item.value.empty() && own.contains(item.key) && own[item.key] != item.value) {
          return false;
        }
      }
    }
    return true;
  }

  // Every other value was written by another transaction, however that ended, or nobody.
  [[nodiscard]] bool everything_was_written() const {
    for (int i = 0; i < count(); ++i) {
      if (all_[at(i)].outcome != Outcome::ok) continue;
      std::set<std::string> own;
      for (const Item& item : all_[at(i)].items) {
        if (item.write) own.insert(item.key);
        if (item.write || own.contains(item.key) || item.value.empty()) continue;
        bool others = false;
        bool mine = false;
        for (int j = 0; j < count(); ++j) {
          for (const Item& other : all_[at(j)].items) {
            const bool same = other.write && other.key == item.key && other.value == item.value;
            (i == j ? mine : others) |= same;
          }
        }
        if (!others && (mine || !is_initial(item.value))) return false;
      }
    }
    return true;
  }

  // Chooses for every external read the committed transaction that it saw, then tries all orders.
  bool choose_sources(std::size_t next_reader) {
    if (next_reader == 0) externals_.assign(all_.size(), {});
    if (next_reader == committed_.size()) return try_orders();
    const int reader = committed_[next_reader];
    if (all_[at(reader)].outcome != Outcome::ok) return choose_sources(next_reader + 1);
    return choose_read(next_reader, reader, 0);
  }

  bool choose_read(std::size_t next_reader, int reader, std::size_t position) {
    const Txn& txn = all_[at(reader)];
    if (position == txn.items.size()) return choose_sources(next_reader + 1);
    const Item& item = txn.items[position];
    const bool own = std::any_of(txn.items.begin(),
                                 txn.items.begin() + static_cast<std::ptrdiff_t>(position),
                                 [&](const Item& i) { return i.write && i.key == item.key; });
    if (item.write || own || item.value.empty()) {
      return choose_read(next_reader, reader, position + 1);
    }
    bool written = false;
    for (int source = 0; source < count(); ++source) {
      const Txn& writer = all_[at(source)];
      for (const Item& other : writer.items) {
        written |= other.write && other.key == item.key && other.value == item.value;
      }
      if (source == reader || !std::ranges::count(committed_, source)) continue;
      const auto writes = final_writes(writer);
      const auto found = writes.find(item.key);
      if (found == writes.end() || found->second != item.value) continue;
      externals_[at(reader)].push_back({static_cast<int>(position), item.key, source});
      if (choose_read(next_reader, reader, position + 1)) return true;
      externals_[at(reader)].pop_back();
    }
    if (written || !is_initial(item.value)) return false;
    externals_[at(reader)].push_back({static_cast<int>(position), item.key, -1});
    if (choose_read(next_reader, reader, position + 1)) return true;
    externals_[at(reader)].pop_back();
    return false;
  }

  // Session order, real time, and what a transaction read from.
  [[nodiscard]] bool session(int a, int b) const {
    const bool known = all_[at(a)].outcome == Outcome::ok;
    return known && a < b && all_[at(a)].process == all_[at(b)].process;
  }

  [[nodiscard]] bool wr(int a, int b) const {
    return std::ranges::any_of(externals_[at(b)],
                               [&](const External& read) { return read.source == a; });
  }

  [[nodiscard]] bool known(int a, int b) const {
    const bool timed = real_time_ && all_[at(a)].complete < all_[at(b)].invoke;
    return timed || session(a, b) || wr(a, b);
  }

  [[nodiscard]] bool writes(int txn, const std::string& key) const {
    return final_writes(all_[at(txn)]).contains(key);
  }

  bool try_orders() {
    if (level_ != "read-committed") {
      for (const int reader : committed_) {
        std::map<std::string, int> seen;
        for (const External& read : externals_[at(reader)]) {
          if (!seen.emplace(read.key, read.source).second && seen[read.key] != read.source) {
            return false;
          }
        }
      }
    }
    order_ = committed_;
    std::ranges::sort(order_);
    do {
      place_.assign(all_.size(), -1);
      for (std::size_t i = 0; i < order_.size(); ++i) place_[at(order_[i])] = static_cast<int>(i);
      if (holds()) return true;
    } while (std::ranges::next_permutation(order_).found);
    return false;
  }

  [[nodiscard]] bool before(int a, int b) const { return place_[at(a)] < place_[at(b)]; }

  [[nodiscard]] bool conflict(int a, int b) const {
    for (const auto& [key, value] : final_writes(all_[at(a)])) {
      if (writes(b, key)) return true;
    }
    return false;
  }

  // The transitive closure of a relation over the committed ones.
  [[nodiscard]] std::vector<std::vector<bool>> closure(
      const std::function<bool(int, int)>& relation) const {
    std::vector<std::vector<bool>> made(all_.size(), std::vector<bool>(all_.size(), false));
    for (const int a : order_) {
      for (const int b : order_) made[at(a)][at(b)] = a != b && relation(a, b);
    }
    for (const int k : order_) {
      for (const int a : order_) {
        for (const int b : order_) {
          if (made[at(a)][at(k)] && made[at(k)][at(b)]) made[at(a)][at(b)] = true;
        }
      }
    }
    return made;
  }

  [[nodiscard]] bool holds() const {
    for (const int a : order_) {
      for (const int b : order_) {
        if (a != b && known(a, b) && !before(a, b)) return false;
      }
    }
    const auto happened = closure([&](int a, int b) {
      const bool version =
          level_ == "parallel-snapshot-isolation" && conflict(a, b) && before(a, b);
      return version || known(a, b);
    });
    for (const int reader : order_) {
      for (const External& read : externals_[at(reader)]) {
        for (const int other : order_) {
          if (other == reader || other == read.source || !writes(other, read.key)) continue;
          if (!sees(other, reader, read, happened)) continue;
          if (read.source < 0 || !before(other, read.source)) return false;
        }
      }
    }
    return true;
  }

  // φ of the level.
  [[nodiscard]] bool sees(int other,
                          int reader,
                          const External& read,
                          const std::vector<std::vector<bool>>& happened) const {
    if (level_ == "serializable") return before(other, reader);
    if (level_ == "read-atomic") return known(other, reader);
    if (level_ == "causal" || level_ == "parallel-snapshot-isolation") {
      return happened[at(other)][at(reader)];
    }
    if (level_ == "read-committed") {
      return std::ranges::any_of(externals_[at(reader)], [&](const External& earlier) {
        return earlier.source == other && earlier.position < read.position;
      });
    }
    const bool snapshot = level_ == "snapshot-isolation";
    SUNDER_ASSERT(snapshot || level_ == "prefix");
    return std::ranges::any_of(order_, [&](int middle) {
      const bool reached = other == middle || before(other, middle);
      const bool visible =
          known(middle, reader) || (snapshot && before(middle, reader) && conflict(middle, reader));
      return reached && visible && middle != reader;
    });
  }

  std::vector<Txn> all_;
  std::string_view level_;
  bool real_time_ = false;
  std::vector<int> committed_;
  std::vector<std::vector<External>> externals_;
  std::vector<int> order_;
  std::vector<int> place_;
};

}  // namespace

bool brute_force_isolation(const History& history, std::string_view level) {
  return Oracle(history, level).decide();
}

}  // namespace sunder::test
