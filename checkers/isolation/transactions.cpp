#include "checkers/isolation/transactions.hpp"

#include <algorithm>
#include <bit>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "harness/base/assert.hpp"
#include "harness/base/large_pages.hpp"

namespace sunder::checkers::isolation {
namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;
using history::Value;
using history::ValueKind;

// Numbers of things by their hash: open addressing, at most half full, grown by doubling. A slot
// holds half of the hash beside the number, so that hardly anything but the right thing is looked
// at.
class NumberTable {
 public:
  // Room for so many things, without growing.
  void reserve(std::size_t things) {
    const std::size_t slots = std::bit_ceil(std::max<std::size_t>(64, 2 * things + 2));
    slots_.reserve(slots);
    base::use_large_pages(slots_);
    slots_.assign(slots, kEmpty);
    size_ = 0;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // Precondition: reserve() was called.
  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(slots_.data() + (hash & (slots_.size() - 1)));
  }

  // The number of the thing that `equal` accepts, or kNone.
  template <typename Equal>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Equal& equal) const {
    if (slots_.empty()) return kNone;
    std::size_t place = hash & (slots_.size() - 1);
    while (slots_[place] != kEmpty) {
      const auto number = static_cast<std::uint32_t>(slots_[place]);
      if (slots_[place] >> 32 == hash >> 32 && equal(number)) return number;
      place = (place + 1) & (slots_.size() - 1);
    }
    return kNone;
  }

  // Precondition: it is not there. `hash_of` gives the hash of any number in the table.
  template <typename HashOf>
  void insert(std::uint64_t hash, std::uint32_t number, const HashOf& hash_of) {
    if (2 * (size_ + 1) > slots_.size()) grow(hash_of);
    put(hash, number);
    ++size_;
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  template <typename HashOf>
  void grow(const HashOf& hash_of) {
    const std::vector<std::uint64_t> old = std::exchange(
        slots_, std::vector<std::uint64_t>(std::max<std::size_t>(64, slots_.size() * 2), kEmpty));
    for (const std::uint64_t slot : old) {
      const auto number = static_cast<std::uint32_t>(slot);
      if (slot != kEmpty) put(hash_of(number), number);
    }
  }

  void put(std::uint64_t hash, std::uint32_t number) {
    std::size_t place = hash & (slots_.size() - 1);
    while (slots_[place] != kEmpty) place = (place + 1) & (slots_.size() - 1);
    slots_[place] = (hash >> 32 << 32) | number;
  }

  std::vector<std::uint64_t> slots_;
  std::size_t size_ = 0;
};

// One write as recorded. There are millions of these and of reads: the two parts of a Value take
// less room apart.
struct Version {
  std::int64_t raw = 0;  // of the value
  std::uint32_t key = 0;
  std::uint32_t operation = 0;
  std::uint32_t write = kNone;  // its index in Transactions, once it counts
  ValueKind kind = ValueKind::none;
  bool last = true;    // the transaction's last write of the key
  bool twins = false;  // the value was written to the key more than once
};

constexpr std::uint32_t kInitial = kNone - 1;  // a read of the value of a key at first

// One value of a key.
struct KeyValue {
  std::uint32_t key = 0;
  ValueKind kind = ValueKind::none;
  std::int64_t raw = 0;
};

std::uint64_t hash_of(const KeyValue& value) noexcept {
  std::uint64_t hash = static_cast<std::uint64_t>(value.raw) * 0x9e3779b97f4a7c15ULL;
  hash ^= (std::uint64_t{value.key} << 3U | static_cast<std::uint64_t>(value.kind)) *
          0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 32)) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 29);
}

// What the transaction under the loader's hand did with a key so far.
struct Touched {
  std::uint32_t operation = kNone;
  std::uint32_t version = kNone;  // the one written; or, later, the one read
};

// A read as recorded.
struct Read {
  static constexpr std::uint32_t kPosition_max = (std::uint32_t{1} << 28U) - 1;

  std::int64_t raw = 0;  // of the value
  std::uint32_t key = 0;
  std::uint32_t position : 28 = 0;  // in the reader's list
  std::uint32_t kind : 3 = 0;       // of the value
  std::uint32_t own : 1 = 0;        // the reader had itself written another value

  [[nodiscard]] KeyValue value() const noexcept {
    return {.key = key, .kind = static_cast<ValueKind>(kind), .raw = raw};
  }
};

static_assert(sizeof(Version) == 24 && sizeof(Read) == 16);

class Loader {
 public:
  Loader(const History& history, Dialect dialect)
      : history_(&history), dialect_(dialect), reader_(history.pool()) {}

  [[nodiscard]] bool load(std::string& foreign) {
    const std::vector<Operation>& operations = history_->operations();
    // Room for all at once: what is not touched costs nothing, and growing leaves holes behind.
    std::size_t items = 0;
    for (const Operation& operation : operations) items += reader_.items(operation).size();
    reserve(versions_, items);
    reserve(reads_, items);
    outcomes_.reserve(operations.size());
    reads_begin_.reserve(operations.size() + 1);
    for (std::uint32_t i = 0; i < operations.size(); ++i) {
      outcomes_.push_back(operations[i].outcome);
      reads_begin_.push_back(static_cast<std::uint32_t>(reads_.size()));
      if (operations[i].function != Function::txn || !collect(i)) {
        foreign = history_->describe(operations[i]);
        return false;
      }
    }
    reads_begin_.push_back(static_cast<std::uint32_t>(reads_.size()));
    index_versions();
    observed_.assign(operations.size(), 0);
    touched_.assign(result_.keys.size(), {});
    resolve_reads();
    if (twins_.empty()) {
      table_ = {};
      std::vector<std::uint32_t>().swap(counted_);
    }
    number_transactions();
    place_writes();
    place_reads();
    std::vector<Version>().swap(versions_);
    place_in_sessions();
    return true;
  }

  [[nodiscard]] Transactions take() { return std::move(result_); }

 private:
  template <typename Element>
  static void reserve(std::vector<Element>& elements, std::size_t count) {
    elements.reserve(count);
    base::use_large_pages(elements);
  }

  // Keys are mostly small numbers, and each operation names several: those need no search.
  std::uint32_t number_of_key(Value key) {
    constexpr std::uint64_t kSmall = 1 << 20U;
    const auto small = static_cast<std::uint64_t>(key.raw());
    if (!key.is_integer() || small >= kSmall) return find_key(key);
    if (small >= small_keys_.size()) small_keys_.resize(std::bit_ceil(small + 1), kNone);
    if (small_keys_[small] == kNone) small_keys_[small] = find_key(key);
    return small_keys_[small];
  }

  std::uint32_t find_key(Value key) {
    const auto hash_of_key = [](Value value) {
      return hash_of({.key = 0, .kind = value.kind(), .raw = value.raw()});
    };
    const std::uint64_t hash = hash_of_key(key);
    const auto& keys = result_.keys;
    const std::uint32_t known =
        keys_.find(hash, [&](std::uint32_t number) { return keys[number] == key; });
    if (known != kNone) return known;
    const auto number = static_cast<std::uint32_t>(keys.size());
    result_.keys.push_back(key);
    touched_.emplace_back();
    keys_.insert(hash, number, [&](std::uint32_t other) { return hash_of_key(keys[other]); });
    return number;
  }

  [[nodiscard]] static KeyValue value_of(const Version& version) noexcept {
    return {.key = version.key, .kind = version.kind, .raw = version.raw};
  }

  // The first version of a value, or kNone.
  [[nodiscard]] std::uint32_t find_version(const KeyValue& value) const {
    const auto is_it = [&](std::uint32_t number) {
      const Version& version = versions_[number];
      return version.raw == value.raw && version.key == value.key && version.kind == value.kind;
    };
    const std::uint32_t counted = counted_version(value);
    if (counted != kNone && is_it(counted)) return counted;
    return table_.find(hash_of(value), is_it);
  }

  // Values are mostly numbers that are counted up: the first version of such a number, if it is of
  // this key, needs no search.
  [[nodiscard]] std::uint32_t counted_version(const KeyValue& value) const {
    return is_counted(value) ? counted_[static_cast<std::uint64_t>(value.raw)] : kNone;
  }

  [[nodiscard]] bool is_counted(const KeyValue& value) const {
    return value.kind == ValueKind::integer &&
           static_cast<std::uint64_t>(value.raw) < counted_.size();
  }

  // False: an item is neither a read nor a write.
  bool collect(std::uint32_t index) {
    const Operation& operation = history_->operations()[index];
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    std::uint32_t position = 0;
    for (const Value item : reader_.items(operation)) {
      const std::optional<Access> access = reader_.access(item);
      if (!access) return false;
      const std::uint32_t key = number_of_key(access->key);
      Touched& touched = touched_[key];
      if (access->write) {
        if (touched.operation == index) versions_[touched.version].last = false;
        touched = {.operation = index, .version = static_cast<std::uint32_t>(versions_.size())};
        versions_.push_back({.raw = access->value.raw(),
                             .key = key,
                             .operation = index,
                             .kind = access->value.kind()});
      } else if (told && !access->value.is_none()) {
        add_read(
            key, access->value, position, touched.operation == index ? touched.version : kNone);
      }
      ++position;
    }
    return true;
  }

  // `own`: the version that the reader itself had written, or kNone.
  void add_read(std::uint32_t key, Value value, std::uint32_t position, std::uint32_t own) {
    if (own != kNone && versions_[own].raw == value.raw() && versions_[own].kind == value.kind()) {
      return;
    }
    SUNDER_ASSERT(position <= Read::kPosition_max);
    Read read{.raw = value.raw(), .key = key};
    read.position = position & Read::kPosition_max;
    read.kind = static_cast<std::uint32_t>(value.kind()) & 7U;
    read.own = own != kNone ? 1U : 0U;
    reads_.push_back(read);
  }

  // Memory is asked for well before it is needed: each look would otherwise wait for it.
  static constexpr std::size_t kAhead = 12;

  void index_versions() {
    reserve(counted_, 2 * versions_.size());
    counted_.assign(2 * versions_.size(), kNone);
    std::size_t rest = 0;
    for (std::uint32_t i = 0; i < versions_.size(); ++i) {
      const KeyValue value = value_of(versions_[i]);
      if (is_counted(value) && counted_version(value) == kNone) {
        counted_[static_cast<std::uint64_t>(value.raw)] = i;
      } else {
        ++rest;
      }
    }
    if (rest != 0) index_rest(rest);
  }

  // What the numbers do not tell goes into the table.
  void index_rest(std::size_t count) {
    table_.reserve(count);
    const auto hash = [&](std::uint32_t i) { return hash_of(value_of(versions_[i])); };
    for (std::uint32_t i = 0; i < versions_.size(); ++i) {
      if (i + kAhead < versions_.size()) table_.prefetch(hash(i + kAhead));
      if (counted_version(value_of(versions_[i])) == i) continue;
      const std::uint32_t known = find_version(value_of(versions_[i]));
      if (known == kNone) {
        table_.insert(hash(i), i, hash);
        continue;
      }
      twins_[i] = next_twin(known);
      twins_[known] = i;
      versions_[i].twins = versions_[known].twins = true;
    }
  }

  // Another write of the same value to the same key, or kNone.
  [[nodiscard]] std::uint32_t next_twin(std::uint32_t version) const {
    if (twins_.empty()) return kNone;
    const auto found = twins_.find(version);
    return found == twins_.end() ? kNone : found->second;
  }

  // What was read goes to the result: only transactions that count have told any.
  void resolve_reads() {
    reserve(result_.read_key, reads_.size());
    reserve(result_.read_write, reads_.size());
    for (std::uint32_t index = 0; index + 1 < reads_begin_.size(); ++index) {
      const auto kept = static_cast<std::uint32_t>(result_.read_key.size());
      const std::uint32_t begin = std::exchange(reads_begin_[index], kept);
      for (std::uint32_t i = begin; i < reads_begin_[index + 1]; ++i) {
        if (i + kAhead < reads_.size()) look_ahead(reads_[i + kAhead].value());
        const std::uint32_t version = resolve_read(index, reads_[i]);
        if (version == kNone) continue;
        result_.read_key.push_back(reads_[i].key);
        result_.read_write.push_back(version);
      }
    }
    reads_begin_.back() = static_cast<std::uint32_t>(result_.read_key.size());
    std::vector<Read>().swap(reads_);
  }

  void look_ahead(const KeyValue& value) const {
    if (!table_.empty()) table_.prefetch(hash_of(value));
  }

  // The version that was read, or kInitial; kNone: the read is wrong.
  [[nodiscard]] std::uint32_t resolve_read(std::uint32_t index, const Read& read) {
    const std::uint32_t version = version_read(index, read.value());
    const std::uint32_t writer = version < kInitial ? versions_[version].operation : kNone;
    const auto bad = [&](ReadFault fault) {
      result_.bad_reads.push_back(
          {.fault = fault, .operation = index, .position = read.position, .writer = writer});
      return kNone;
    };
    if (read.own != 0) return bad(ReadFault::not_own_write);
    if (version == kNone) return bad(ReadFault::thin_air);
    if (version != kInitial) {
      if (writer == index) return bad(ReadFault::future);
      const Outcome outcome = outcomes_[writer];
      if (outcome == Outcome::fail) return bad(ReadFault::aborted);
      if (outcome == Outcome::info) observed_[writer] = 1;
      if (!versions_[version].last) return bad(ReadFault::intermediate);
    }
    Touched& touched = touched_[read.key];
    const bool again = touched.operation == index;
    if (again && touched.version != version) (void)bad(ReadFault::non_repeatable);
    touched = {.operation = index, .version = version};
    return version;
  }

  // How much a write of the right value explains a read of another: the most is what counts.
  [[nodiscard]] int worth(const Version& version) const {
    if (outcomes_[version.operation] == Outcome::fail) return 0;
    return version.last ? 3 : 2;
  }

  // The version that a read saw, kInitial, or kNone: nobody wrote it.
  [[nodiscard]] std::uint32_t version_read(std::uint32_t reader, const KeyValue& value) {
    const std::uint32_t first = find_version(value);
    if (first == kNone) {
      const bool zero =
          dialect_.zero_is_initial && value.kind == ValueKind::integer && value.raw == 0;
      return zero || value.kind == ValueKind::nil ? kInitial : kNone;
    }
    if (!versions_[first].twins) return first;
    const auto [found, added] = best_.try_emplace(first);
    if (added) found->second = best_of(first);
    const Best& best = found->second;
    // One's own write is the last that counts, for it comes after the read.
    const bool other = versions_[best.first].operation == reader && best.second != kNone &&
                       outcomes_[versions_[best.second].operation] != Outcome::fail;
    return other ? best.second : best.first;
  }

  // Of the writes of one value the one that explains a read the most, and that of another
  // operation, or kNone.
  struct Best {
    std::uint32_t first = kNone;
    std::uint32_t second = kNone;
  };

  [[nodiscard]] Best best_of(std::uint32_t first) const {
    const auto best_but = [&](std::uint32_t operation) {
      std::uint32_t best = kNone;
      for (std::uint32_t i = first; i != kNone; i = next_twin(i)) {
        if (versions_[i].operation == operation) continue;
        if (best == kNone || worth(versions_[i]) > worth(versions_[best])) best = i;
      }
      return best;
    };
    const std::uint32_t best = best_but(kNone);
    return {.first = best, .second = best_but(versions_[best].operation)};
  }

  void number_transactions() {
    // Any of the twins of a value that was read may have been the one.
    for (const std::uint32_t version : result_.read_write) {
      if (twins_.empty()) break;
      if (version == kInitial || !versions_[version].twins) continue;
      const std::uint32_t first = find_version(value_of(versions_[version]));
      if (!groups_.try_emplace(first).second) continue;
      for (std::uint32_t i = first; i != kNone; i = next_twin(i)) {
        observed_[versions_[i].operation] = 1;
      }
    }
    for (std::uint32_t i = 0; i < outcomes_.size(); ++i) {
      const Outcome outcome = outcomes_[i];
      if (outcome == Outcome::ok) ++result_.acknowledged;
      if (outcome != Outcome::ok && (outcome == Outcome::fail || observed_[i] == 0)) continue;
      result_.operation.push_back(i);
    }
  }

  void place_writes() {
    result_.write_begin.reserve(result_.size() + std::size_t{1});
    reserve(result_.write_key, versions_.size());
    reserve(result_.write_transaction, versions_.size());
    std::uint32_t version = 0;
    std::vector<std::uint32_t> mine;
    for (std::uint32_t transaction = 0; transaction < result_.size(); ++transaction) {
      const std::uint32_t index = result_.operation[transaction];
      result_.write_begin.push_back(static_cast<std::uint32_t>(result_.write_key.size()));
      while (version < versions_.size() && versions_[version].operation < index) ++version;
      mine.clear();
      for (; version < versions_.size() && versions_[version].operation == index; ++version) {
        if (versions_[version].last) mine.push_back(version);
      }
      std::ranges::sort(mine, {}, [&](std::uint32_t i) { return versions_[i].key; });
      for (const std::uint32_t i : mine) {
        versions_[i].write = static_cast<std::uint32_t>(result_.write_key.size());
        result_.write_key.push_back(versions_[i].key);
        result_.write_transaction.push_back(transaction);
      }
    }
    result_.write_begin.push_back(static_cast<std::uint32_t>(result_.write_key.size()));
  }

  void place_reads() {
    result_.read_begin.reserve(result_.size() + std::size_t{1});
    reserve(result_.read_from, result_.read_key.size());
    for (std::uint32_t transaction = 0; transaction < result_.size(); ++transaction) {
      const std::uint32_t index = result_.operation[transaction];
      SUNDER_ASSERT(reads_begin_[index] == result_.read_from.size());
      result_.read_begin.push_back(reads_begin_[index]);
      for (std::uint32_t i = reads_begin_[index]; i < reads_begin_[index + 1]; ++i) {
        look_ahead_to_place(i + kAhead);
        place_read(i, transaction);
      }
    }
    result_.read_begin.push_back(reads_begin_.back());
  }

  void look_ahead_to_place(std::size_t read) const {
    if (read >= result_.read_write.size()) return;
    const std::uint32_t version = result_.read_write[read];
    if (version != kInitial) __builtin_prefetch(&versions_[version].write);
  }

  // In place of the version that was read comes the write that it is.
  void place_read(std::uint32_t read, std::uint32_t transaction) {
    const std::uint32_t version = result_.read_write[read];
    if (version == kInitial) {
      result_.read_write[read] = kNone;
      result_.read_from.push_back(kNone);
      return;
    }
    const std::uint32_t write = versions_[version].write;
    SUNDER_ASSERT(write != kNone);
    result_.read_write[read] = write;
    result_.read_from.push_back(result_.write_transaction[write]);
    if (!versions_[version].twins) return;
    const Group& group = group_of(version);
    AmbiguousRead ambiguous{
        .reader = transaction, .read = read, .begin = group.begin, .end = group.end};
    const std::uint32_t own = result_.find_write(transaction, result_.read_key[read]);
    const auto begin = result_.candidates.begin() + group.begin;
    const auto end = result_.candidates.begin() + group.end;
    const auto found = own == kNone ? end : std::lower_bound(begin, end, own);
    if (found != end && *found == own) {
      ambiguous.own = static_cast<std::uint32_t>(found - result_.candidates.begin());
    }
    if (ambiguous.count() < 2) return;
    result_.read_write[read] = result_.candidate(ambiguous, 0);
    result_.read_from.back() = result_.write_transaction[result_.read_write[read]];
    result_.ambiguous.push_back(ambiguous);
  }

  // The lasting writes of a value that was written more than once.
  struct Group {
    std::uint32_t begin = kNone;  // candidates[begin, end)
    std::uint32_t end = kNone;
  };

  [[nodiscard]] const Group& group_of(std::uint32_t version) {
    const std::uint32_t first = find_version(value_of(versions_[version]));
    Group& group = groups_[first];
    if (group.begin != kNone) return group;
    auto& candidates = result_.candidates;
    group.begin = static_cast<std::uint32_t>(candidates.size());
    for (std::uint32_t i = first; i != kNone; i = next_twin(i)) {
      if (versions_[i].write != kNone) candidates.push_back(versions_[i].write);
    }
    group.end = static_cast<std::uint32_t>(candidates.size());
    std::ranges::sort(candidates.begin() + group.begin, candidates.end());
    return group;
  }

  void place_in_sessions() {
    struct Session {
      std::uint32_t number = kNone;
      std::uint32_t length = 0;
      std::uint32_t last = kNone;  // its latest transaction of known outcome
    };

    std::unordered_map<std::int64_t, Session> sessions;
    std::uint32_t next = 0;
    const std::uint32_t count = result_.size();
    result_.session.reserve(count);
    result_.place.reserve(count);
    result_.previous.reserve(count);
    for (std::uint32_t transaction = 0; transaction < count; ++transaction) {
      const Operation& operation = history_->operations()[result_.operation[transaction]];
      Session& session = sessions[operation.process];
      result_.previous.push_back(session.last);
      if (operation.outcome != Outcome::ok) {  // a session of its own, beside the process'
        result_.session.push_back(next++);
        result_.place.push_back(0);
        continue;
      }
      if (session.number == kNone) session.number = next++;
      result_.session.push_back(session.number);
      result_.place.push_back(session.length++);
      session.last = transaction;
    }
    result_.sessions = next;
  }

  const History* history_;
  Dialect dialect_;
  AccessReader reader_;
  Transactions result_;
  NumberTable keys_;
  std::vector<std::uint32_t> small_keys_;  // by the key itself, or kNone
  std::vector<std::uint32_t> counted_;     // the first version of each small number, or kNone
  NumberTable table_;                      // versions by key and value: the first of each other
  std::unordered_map<std::uint32_t, std::uint32_t> twins_;  // next_twin()
  std::unordered_map<std::uint32_t, Best> best_;            // by the first of a value
  std::unordered_map<std::uint32_t, Group> groups_;         // likewise, of values that were read
  std::vector<Version> versions_;
  std::vector<Touched> touched_;
  std::vector<Outcome> outcomes_;
  std::vector<Read> reads_;
  std::vector<std::uint32_t> reads_begin_;  // by operation
  std::vector<std::uint8_t> observed_;
};

}  // namespace

std::uint32_t Transactions::find_write(std::uint32_t transaction, std::uint32_t key) const {
  const auto begin = write_key.begin() + write_begin[transaction];
  const auto end = write_key.begin() + write_begin[transaction + 1];
  const auto found = std::lower_bound(begin, end, key);
  if (found == end || *found != key) return kNone;
  return static_cast<std::uint32_t>(found - write_key.begin());
}

bool Transactions::session_precedes(std::uint32_t earlier, std::uint32_t later) const noexcept {
  if (session[earlier] == session[later]) return place[earlier] < place[later];
  const std::uint32_t before = previous[later];
  if (before == kNone || place[later] != 0) return false;
  return session[before] == session[earlier] && place[earlier] <= place[before];
}

std::optional<Transactions> read_transactions(const History& history,
                                              Dialect dialect,
                                              std::string& foreign) {
  Loader loader(history, dialect);
  if (!loader.load(foreign)) return std::nullopt;
  return loader.take();
}

bool are_transactions(const History& history) {
  const AccessReader reader(history.pool());
  return std::ranges::all_of(history.operations(), [&](const Operation& operation) {
    if (operation.function != Function::txn) return false;
    const auto items = reader.items(operation);
    return std::ranges::all_of(items, [&](Value item) { return reader.access(item).has_value(); });
  });
}

bool writes_values_once(const History& history) {
  const AccessReader reader(history.pool());
  std::vector<std::tuple<Value, Value, std::uint32_t>> writes;  // key, value, operation
  for (std::uint32_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    if (operation.outcome == Outcome::fail) continue;
    for (const Value item : reader.items(operation)) {
      const std::optional<Access> access = reader.access(item);
      if (access && access->write) writes.emplace_back(access->key, access->value, i);
    }
  }
  std::ranges::sort(writes);
  const auto same = [](const auto& a, const auto& b) {
    return std::get<0>(a) == std::get<0>(b) && std::get<1>(a) == std::get<1>(b) &&
           std::get<2>(a) != std::get<2>(b);
  };
  return std::ranges::adjacent_find(writes, same) == writes.end();
}

AccessReader::AccessReader(const history::ValuePool& pool)
    : pool_(&pool),
      read_(pool.find_symbol("read")),
      read_short_(pool.find_symbol("r")),
      write_(pool.find_symbol("write")),
      write_short_(pool.find_symbol("w")) {}

std::span<const Value> AccessReader::items(const Operation& operation) const {
  const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
  const Value list = told ? operation.output : operation.input;
  return list.is_list() ? pool_->items_of(list) : std::span<const Value>();
}

}  // namespace sunder::checkers::isolation
