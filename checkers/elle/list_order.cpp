#include "checkers/elle/list_order.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace sunder::checkers::elle {
namespace {

using history::Outcome;
using history::Value;
using history::ValueKind;

class Ordering {
 public:
  Ordering(const history::History& history,
           const Transactions& transactions,
           bool unknown_may_commit,
           Sightings& sightings)
      : history_(&history),
        transactions_(&transactions),
        unknown_may_commit_(unknown_may_commit),
        sightings_(&sightings),
        appends_(transactions, MicroKind::append) {
    order_.keys.resize(transactions.keys.size());
    common_.assign(transactions.keys.size(), std::numeric_limits<std::size_t>::max());
    order_.place.assign(transactions.micro.size(), kNone);
    order_.owner.resize(transactions.micro.size());
    order_.committed.assign(transactions.all.size(), 0);
    order_.contested.assign(transactions.keys.size(), 0);
  }

  [[nodiscard]] ListOrder run() && {
    for (std::uint32_t t = 0; t < transactions_->all.size(); ++t) note_transaction(t);
    compare_reads();
    for (std::uint32_t key = 0; key < order_.keys.size(); ++key) place_versions(key);
    if (sightings_->count(Anomaly::incompatible_order) > 0) search_odd_reads();
    find_dirt();
    collect_tails();
    return std::move(order_);
  }

 private:
  [[nodiscard]] const MicroOperation& micro(std::uint32_t index) const {
    return transactions_->micro[index];
  }

  [[nodiscard]] Outcome outcome_of(std::uint32_t index) const {
    return transactions_->all[order_.owner[index]].outcome;
  }

  [[nodiscard]] std::string text(Value value) const { return history_->pool().describe(value); }

  [[nodiscard]] std::string key_text(std::uint32_t key) const {
    return name_key(*history_, *transactions_, key);
  }

  [[nodiscard]] std::string name(std::uint32_t transaction) const {
    return name_transaction(*history_, *transactions_, transaction);
  }

  [[nodiscard]] std::span<const Value> items(std::uint32_t read) const {
    return transactions_->shown(history_->pool(), read);
  }

  // Registers appends and finds the longest read of each key.
  void note_transaction(std::uint32_t t) {
    const Transaction& transaction = transactions_->all[t];
    if (transaction.outcome == Outcome::ok) order_.committed[t] = 1;
    for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
      order_.owner[i] = t;
      const MicroOperation& one = micro(i);
      if (one.kind == MicroKind::append) {
        note_append(i);
      } else if (transaction.outcome == Outcome::ok && one.value.kind() != ValueKind::none) {
        order_.place[i] = static_cast<std::uint32_t>(items(i).size());
        ListKey& key = order_.keys[one.key];
        if (key.longest == kNone || order_.place[i] > order_.place[key.longest]) key.longest = i;
      }
    }
  }

  void note_append(std::uint32_t index) {
    const MicroOperation& one = micro(index);
    std::uint32_t& known = appends_.at(one.key, one.value);
    if (known == kNone) {
      known = index;
      return;
    }
    // Appended again after it had surely failed: what was read is the one that did not.
    const bool known_failed = outcome_of(known) == Outcome::fail;
    const bool failed = outcome_of(index) == Outcome::fail;
    if (known_failed && !failed) known = index;
    if (known_failed || failed) return;
    order_.contested[one.key] = 1;
    if (!order_.ambiguous.empty()) return;
    order_.ambiguous = fmt::format("{} was appended to {} by {} and by {}",
                                   text(one.value),
                                   key_text(one.key),
                                   name(order_.owner[known]),
                                   name(order_.owner[index]));
  }

  // Every read has to be a prefix of the longest one.
  void compare_reads() {
    for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
      if (micro(i).kind != MicroKind::read || order_.place[i] == kNone) continue;
      ListKey& key = order_.keys[micro(i).key];
      if (micro(key.longest).value == micro(i).value) continue;
      const auto own = items(i);
      const auto longest = items(key.longest);
      if (std::equal(own.begin(), own.end(), longest.begin())) continue;
      key.usable = false;
      const auto agreed = std::ranges::mismatch(own, longest).in1 - own.begin();
      common_[micro(i).key] = std::min(common_[micro(i).key], static_cast<std::size_t>(agreed));
      const std::uint32_t other = key.longest;
      sightings_->add(
          Anomaly::incompatible_order, micro(i).key, {order_.owner[other], order_.owner[i]}, [&] {
            return fmt::format(
                "{} read {} as {} and {} as {}: neither is a prefix of "
                "the other",
                name(order_.owner[other]),
                key_text(micro(i).key),
                text(micro(other).value),
                name(order_.owner[i]),
                text(micro(i).value));
          });
    }
  }

  void place_versions(std::uint32_t number) {
    ListKey& key = order_.keys[number];
    key.begin = static_cast<std::uint32_t>(order_.versions.size());
    if (key.longest == kNone) return;
    // What is wrong with reads that contradict each other is told of each of them.
    const auto longest = items(key.longest);
    for (const Value element : longest.first(std::min(longest.size(), common_[number]))) {
      std::uint32_t append = appends_.at(number, element);
      if (!key.usable) {
        if (append != kNone && order_.place[append] != kNone) append = kNone;
        if (append != kNone) order_.place[append] = key.count;
      } else if (append == kNone) {
        report_garbage(number, element, reader_of(Anomaly::garbage_read, number, key.count));
      } else if (order_.place[append] != kNone) {
        report_duplicate(key.longest, element);
        append = kNone;
      } else {
        order_.place[append] = key.count;
        note_observed(order_.owner[append]);
      }
      order_.versions.push_back(append);
      ++key.count;
    }
  }

  void note_observed(std::uint32_t transaction) {
    const bool unknown = transactions_->all[transaction].outcome == Outcome::info;
    if (unknown && unknown_may_commit_) order_.committed[transaction] = 1;
  }

  void report_garbage(std::uint32_t key, Value element, std::uint32_t reader) {
    sightings_->add(Anomaly::garbage_read, key, {order_.owner[reader]}, [&] {
      return fmt::format("{} read {} as {}, but nobody ever appended {}",
                         name(order_.owner[reader]),
                         key_text(key),
                         text(micro(reader).value),
                         text(element));
    });
  }

  void report_duplicate(std::uint32_t read, Value element) {
    sightings_->add(Anomaly::duplicate_elements, micro(read).key, {order_.owner[read]}, [&] {
      return fmt::format("{} read {} as {}, with {} twice though it was appended once",
                         name(order_.owner[read]),
                         key_text(micro(read).key),
                         text(micro(read).value),
                         text(element));
    });
  }

  // The first read of the key that is longer than `position`; once enough was told, any.
  [[nodiscard]] std::uint32_t reader_of(Anomaly anomaly,
                                        std::uint32_t key,
                                        std::uint32_t position) const {
    if (sightings_->count(anomaly) >= Sightings::kTold_max) return order_.keys[key].longest;
    for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
      const bool reads = micro(i).kind == MicroKind::read && micro(i).key == key;
      if (reads && order_.place[i] != kNone && order_.place[i] > position) return i;
    }
    return order_.keys[key].longest;
  }

  // Reads of a key that contradict each other still must not hold garbage, duplicates or aborted
  // elements, and still show which transactions committed.
  void search_odd_reads() {
    for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
      const bool told = micro(i).kind == MicroKind::read && order_.place[i] != kNone;
      if (!told || order_.keys[micro(i).key].usable) continue;
      std::vector<Value> seen;
      if (order_.place[i] > order_.keys[micro(i).key].count) note_last(i);
      for (const Value element : items(i)) {
        const std::uint32_t append = appends_.at(micro(i).key, element);
        if (append == kNone) {
          report_garbage(micro(i).key, element, i);
        } else if (outcome_of(append) == Outcome::fail) {
          report_aborted(append, i);
        } else {
          note_observed(order_.owner[append]);
        }
        seen.push_back(element);
      }
      std::ranges::sort(seen);
      const auto twice = std::ranges::adjacent_find(seen);
      if (twice != seen.end()) report_duplicate(i, *twice);
    }
  }

  void note_last(std::uint32_t read) {
    const std::uint32_t append = appends_.at(micro(read).key, items(read).back());
    if (append != kNone) order_.odd_reads.push_back({read, append});
  }

  void report_aborted(std::uint32_t append, std::uint32_t reader) {
    sightings_->add(
        Anomaly::g1a, micro(append).key, {order_.owner[append], order_.owner[reader]}, [&] {
          return fmt::format("{} read {} as {}, but the append of {} by {} was aborted",
                             name(order_.owner[reader]),
                             key_text(micro(append).key),
                             text(micro(reader).value),
                             text(micro(append).value),
                             name(order_.owner[append]));
        });
  }

  // Aborted versions that were read, and committed ones that build on them.
  void find_dirt() {
    for (std::uint32_t number = 0; number < order_.keys.size(); ++number) {
      const ListKey& key = order_.keys[number];
      std::uint32_t aborted = kNone;
      for (std::uint32_t position = 0; position < key.count; ++position) {
        const std::uint32_t append = order_.versions[key.begin + position];
        if (append == kNone) continue;
        if (outcome_of(append) == Outcome::fail) {
          aborted = append;
          if (key.usable) report_aborted(append, reader_of(Anomaly::g1a, number, position));
        } else if (outcome_of(append) == Outcome::ok && aborted != kNone) {
          report_dirty(aborted, append);
          aborted = kNone;
        }
      }
    }
  }

  void report_dirty(std::uint32_t aborted, std::uint32_t append) {
    sightings_->add(Anomaly::dirty_update,
                    micro(append).key,
                    {order_.owner[aborted], order_.owner[append]},
                    [&] {
                      return fmt::format(
                          "the append of {} to {} by {} comes after that of {} by {}, which was "
                          "aborted",
                          text(micro(append).value),
                          key_text(micro(append).key),
                          name(order_.owner[append]),
                          text(micro(aborted).value),
                          name(order_.owner[aborted]));
                    });
  }

  // Appends of committed transactions that nobody read, by key. In a transaction such an append
  // must not come before one to the same key that was read, and those that were read must be in
  // the order of the program.
  void collect_tails() {
    std::vector<std::uint32_t> last(order_.keys.size(), kNone);  // append to the key so far
    for (ListKey& key : order_.keys) key.tail_end = 0;
    const auto each = [&](auto visit) {
      for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
        const bool counts =
            micro(i).kind == MicroKind::append && order_.committed[order_.owner[i]] != 0;
        if (counts) visit(i, order_.keys[micro(i).key]);
      }
    };
    each([&](std::uint32_t i, ListKey& key) {
      if (order_.place[i] == kNone) ++key.tail_end;
      std::uint32_t& earlier = last[micro(i).key];
      const bool same = earlier != kNone && order_.owner[earlier] == order_.owner[i];
      if (same && order_.place[i] != kNone && order_.place[earlier] >= order_.place[i]) {
        report_reversed(earlier, i);
      }
      earlier = i;
    });
    std::uint32_t end = 0;
    for (ListKey& key : order_.keys) {
      key.tail_begin = end;
      end += key.tail_end;
      key.tail_end = key.tail_begin;
    }
    order_.tail.resize(end);
    each([&](std::uint32_t i, ListKey& key) {
      if (order_.place[i] == kNone) order_.tail[key.tail_end++] = i;
    });
  }

  void report_reversed(std::uint32_t earlier, std::uint32_t later) {
    const std::uint32_t key = micro(later).key;
    const std::uint32_t reader = reader_of(Anomaly::incompatible_order, key, order_.place[later]);
    sightings_->add(
        Anomaly::incompatible_order, key, {order_.owner[later], order_.owner[reader]}, [&] {
          return fmt::format("{} appended {} to {} and then {}, but {} read {}",
                             name(order_.owner[later]),
                             text(micro(earlier).value),
                             key_text(key),
                             text(micro(later).value),
                             name(order_.owner[reader]),
                             text(micro(reader).value));
        });
  }

  const history::History* history_;
  const Transactions* transactions_;
  bool unknown_may_commit_;
  Sightings* sightings_;
  Writes appends_;
  ListOrder order_;
  std::vector<std::size_t> common_;  // of each key, up to where its reads agree with each other
};

}  // namespace

ListOrder order_lists(const history::History& history,
                      const Transactions& transactions,
                      bool unknown_may_commit,
                      Sightings& sightings) {
  return Ordering(history, transactions, unknown_may_commit, sightings).run();
}

}  // namespace sunder::checkers::elle
