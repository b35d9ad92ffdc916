// What the reads of single transactions show: contradictions inside a transaction, intermediate
// reads, lost updates, writes seen by halves.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/elle/list_order.hpp"

namespace sunder::checkers::elle {
namespace {

using history::Outcome;
using history::Value;

class Inspection {
 public:
  Inspection(const history::History& history,
             const Transactions& transactions,
             const ListOrder& order,
             AnomalySet asked,
             Sightings& sightings)
      : history_(&history),
        transactions_(&transactions),
        order_(&order),
        sightings_(&sightings),
        halves_(contains(asked, Anomaly::fractured_read)),
        later_halves_(contains(asked, Anomaly::non_monotonic_view)) {
    last_.assign(order.keys.size(), kNone);
    longest_.assign(order.keys.size(), kNone);
    if (halves_ || later_halves_) shortest_.assign(order.keys.size(), kNone);
  }

  void run() {
    for (std::uint32_t t = 0; t < transactions_->all.size(); ++t) {
      if (transactions_->all[t].outcome == Outcome::ok) inspect(t);
    }
  }

 private:
  [[nodiscard]] const MicroOperation& micro(std::uint32_t index) const {
    return transactions_->micro[index];
  }

  [[nodiscard]] bool is_read(std::uint32_t index) const {
    return micro(index).kind == MicroKind::read;
  }

  [[nodiscard]] std::span<const Value> items(std::uint32_t read) const {
    return transactions_->shown(history_->pool(), read);
  }

  [[nodiscard]] std::string text(Value value) const { return history_->pool().describe(value); }

  [[nodiscard]] std::string key_text(std::uint32_t index) const {
    return name_key(*history_, *transactions_, micro(index).key);
  }

  [[nodiscard]] std::string name(std::uint32_t transaction) const {
    return name_transaction(*history_, *transactions_, transaction);
  }

  void inspect(std::uint32_t t) {
    const Transaction& one = transactions_->all[t];
    previous_.resize(one.end - one.begin);
    for (std::uint32_t i = one.begin; i < one.end; ++i) {
      std::uint32_t& last = last_[micro(i).key];
      const bool same = last != kNone && last >= one.begin;
      previous_[i - one.begin] = same ? last : kNone;
      last = i;
      if (!is_read(i)) {
        if (order_->place[i] != kNone) find_future_read(t, i);
        find_lost_update(t, i);
      } else if (order_->place[i] != kNone) {
        compare_with_own(t, i);
        note_longest(t, i);
      }
    }
    if (halves_) find_halves(t, Anomaly::fractured_read);
    if (later_halves_) find_halves(t, Anomaly::non_monotonic_view);
  }

  [[nodiscard]] std::uint32_t previous(std::uint32_t t, std::uint32_t index) const {
    return previous_[index - transactions_->all[t].begin];
  }

  // A read shows the transaction's own appends last, after what it had read before them.
  void compare_with_own(std::uint32_t t, std::uint32_t read) {
    const auto found = items(read);
    std::size_t own = 0;  // appends of its own at the end of what it should have found
    std::uint32_t earlier = previous(t, read);
    bool agrees = true;
    for (; earlier != kNone && !is_read(earlier); earlier = previous(t, earlier)) {
      agrees =
          agrees && own < found.size() && found[found.size() - 1 - own] == micro(earlier).value;
      ++own;
    }
    // A read that does not tell what it found says nothing; look no further back.
    if (earlier != kNone && order_->place[earlier] != kNone) {
      const auto before = items(earlier);
      agrees = agrees && found.size() == before.size() + own &&
               std::equal(before.begin(), before.end(), found.begin());
    }
    if (!agrees) {
      report_internal(t, read);
      own = 0;
    }
    if (own < found.size()) {
      find_intermediate(t, read, static_cast<std::uint32_t>(found.size() - own));
    }
  }

  void report_internal(std::uint32_t t, std::uint32_t read) {
    sightings_->add(Anomaly::internal, micro(read).key, {t}, [&] {
      const std::uint32_t earlier = previous(t, read);
      return fmt::format(
          "{} {} {} {} and then read it as {}",
          name(t),
          is_read(earlier) ? "read" : "appended",
          is_read(earlier) ? key_text(read) : text(micro(earlier).value),
          is_read(earlier) ? "as " + text(micro(earlier).value) : "to " + key_text(read),
          text(micro(read).value));
    });
  }

  // The last foreign element must be its writer's last append to the key.
  void find_intermediate(std::uint32_t t, std::uint32_t read, std::uint32_t length) {
    const ListKey& key = order_->keys[micro(read).key];
    if (!key.usable || length > key.count) return;
    const std::uint32_t append = order_->versions[key.begin + length - 1];
    if (append == kNone || order_->owner[append] == t) return;
    const std::uint32_t writer = order_->owner[append];
    if (transactions_->all[writer].outcome == Outcome::fail) return;
    for (std::uint32_t i = append + 1; i < transactions_->all[writer].end; ++i) {
      if (is_read(i) || micro(i).key != micro(read).key) continue;
      sightings_->add(Anomaly::g1b, micro(read).key, {writer, t}, [&] {
        return fmt::format("{} read {} as {}, between the appends of {} and {} by {}",
                           name(t),
                           key_text(read),
                           text(micro(read).value),
                           text(micro(append).value),
                           text(micro(i).value),
                           name(writer));
      });
      return;
    }
  }

  void find_future_read(std::uint32_t t, std::uint32_t append) {
    const ListKey& key = order_->keys[micro(append).key];
    const std::uint32_t longest = longest_[micro(append).key];
    const bool read = longest != kNone && longest >= transactions_->all[t].begin;
    if (!read || !key.usable || order_->place[longest] <= order_->place[append]) return;
    sightings_->add(Anomaly::future_read, micro(append).key, {t}, [&] {
      return fmt::format("{} read {} as {} before it appended {}",
                         name(t),
                         key_text(append),
                         text(micro(longest).value),
                         text(micro(append).value));
    });
  }

  void note_longest(std::uint32_t t, std::uint32_t read) {
    std::uint32_t& longest = longest_[micro(read).key];
    const bool first = longest == kNone || longest < transactions_->all[t].begin;
    if (first || order_->place[read] > order_->place[longest]) longest = read;
  }

  // Its first append to a key after a read of it has to follow directly what it read.
  void find_lost_update(std::uint32_t t, std::uint32_t append) {
    const std::uint32_t read = previous(t, append);
    if (read == kNone || !is_read(read) || order_->place[read] == kNone) return;
    const ListKey& key = order_->keys[micro(append).key];
    if (!key.usable) return;
    const std::uint32_t end = std::min(order_->place[append], key.count);
    for (std::uint32_t position = order_->place[read]; position < end; ++position) {
      const std::uint32_t writer = order_->writer(key, position);
      if (writer == kNone || writer == t) continue;
      report_lost(t, read, append, order_->versions[key.begin + position]);
      return;
    }
    if (order_->place[append] != kNone) return;
    if (order_->place[read] == key.count) note_claim(t, append);
  }

  void report_lost(std::uint32_t t,
                   std::uint32_t read,
                   std::uint32_t append,
                   std::uint32_t between) {
    const std::uint32_t other = order_->owner[between];
    sightings_->add(Anomaly::lost_update, micro(read).key, {t, other}, [&] {
      return fmt::format("{} read {} as {} and appended {} to that, without the append of {} by {}",
                         name(t),
                         key_text(read),
                         text(micro(read).value),
                         text(micro(append).value),
                         text(micro(between).value),
                         name(other));
    });
  }

  // Two unread appends that both claim to follow the longest read directly.
  void note_claim(std::uint32_t t, std::uint32_t append) {
    if (claims_.empty()) claims_.assign(order_->keys.size(), kNone);
    std::uint32_t& claim = claims_[micro(append).key];
    if (claim == kNone) {
      claim = append;
    } else if (order_->owner[claim] != t) {
      report_lost(t, previous(t, append), append, claim);
    }
  }

  // Writers of which the transaction saw an append and missed another; for the monotonic view only
  // when it missed it later than it saw the first.
  void find_halves(std::uint32_t t, Anomaly anomaly) {
    const Transaction& one = transactions_->all[t];
    const bool later = anomaly == Anomaly::non_monotonic_view;
    if (!later) note_shortest(one, one.begin);
    bool done = false;
    for (std::uint32_t i = one.begin; i < one.end && !done; ++i) {
      if (!is_read(i) || order_->place[i] == kNone) continue;
      const ListKey& key = order_->keys[micro(i).key];
      if (!key.usable) continue;
      if (later) note_shortest(one, i + 1);
      const std::uint32_t length = std::min(order_->place[i], key.count);
      for (std::uint32_t position = 0; position < length && !done; ++position) {
        const std::uint32_t writer = order_->writer(key, position);
        if (writer != kNone && writer != t) done = find_half(t, i, writer, anomaly);
      }
      if (later) forget_shortest(one);
    }
    if (!later) forget_shortest(one);
  }

  // The read of each key with the fewest elements, from there to the end.
  void note_shortest(const Transaction& one, std::uint32_t from) {
    for (std::uint32_t i = from; i < one.end; ++i) {
      if (!is_read(i) || order_->place[i] == kNone) continue;
      std::uint32_t& shortest = shortest_[micro(i).key];
      if (shortest == kNone || order_->place[i] < order_->place[shortest]) shortest = i;
    }
  }

  void forget_shortest(const Transaction& one) {
    for (std::uint32_t i = one.begin; i < one.end; ++i) shortest_[micro(i).key] = kNone;
  }

  bool find_half(std::uint32_t t, std::uint32_t read, std::uint32_t writer, Anomaly anomaly) {
    const Transaction& other = transactions_->all[writer];
    for (std::uint32_t i = other.begin; i < other.end; ++i) {
      if (is_read(i)) continue;
      const std::uint32_t shortest = shortest_[micro(i).key];
      if (shortest == kNone || !order_->keys[micro(i).key].usable) continue;
      if (order_->place[i] < order_->place[shortest]) continue;  // it is in what was read
      sightings_->add(anomaly, micro(i).key, {writer, t}, [&] {
        return fmt::format("{} read {} as {}, with an append of {}, but {} as {}, without its {}",
                           name(t),
                           key_text(read),
                           text(micro(read).value),
                           name(writer),
                           key_text(shortest),
                           text(micro(shortest).value),
                           text(micro(i).value));
      });
      return true;
    }
    return false;
  }

  const history::History* history_;
  const Transactions* transactions_;
  const ListOrder* order_;
  Sightings* sightings_;
  bool halves_;
  bool later_halves_;
  std::vector<std::uint32_t> last_;      // of each key, the latest micro-operation on it
  std::vector<std::uint32_t> longest_;   // of each key, the longest read by a transaction so far
  std::vector<std::uint32_t> previous_;  // of each in the transaction, the one before on its key
  std::vector<std::uint32_t> shortest_;  // of each key, the shortest read that counts
  std::vector<std::uint32_t> claims_;
};

}  // namespace

void inspect_reads(const history::History& history,
                   const Transactions& transactions,
                   const ListOrder& order,
                   AnomalySet asked,
                   Sightings& sightings) {
  Inspection(history, transactions, order, asked, sightings).run();
}

}  // namespace sunder::checkers::elle
