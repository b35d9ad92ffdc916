#include "checkers/elle/list_graph.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sunder::checkers::elle {
namespace {

using history::Value;

// Up to so many unread appends get an arc from each reader; more share a helper. Low enough that
// small random histories meet helpers too.
constexpr std::uint32_t kDirect_max = 2;

}  // namespace

ListGraph::ListGraph(const history::History& history,
                     const Transactions& transactions,
                     const ListOrder& order,
                     ArcKinds kinds)
    : Dependencies(history, transactions), order_(&order) {
  graph_.reserve(transactions.micro.size() + transactions.micro.size() / 2 +
                 ((kinds & arc::kRealtime) != 0 ? 3 * transactions.all.size() : 0));
  add_versions(kinds);
  if ((kinds & (arc::kWr | arc::kRw)) != 0) add_reads(kinds);
  if ((kinds & arc::kProcess) != 0) add_process_arcs(order.committed);
  if ((kinds & arc::kRealtime) != 0) add_realtime_arcs(order.committed);
}

void ListGraph::add_versions(ArcKinds kinds) {
  next_.assign(order_->versions.size(), kNone);
  for (const ListKey& key : order_->keys) {
    std::uint32_t last = kNone;
    for (std::uint32_t position = 0; position < key.count; ++position) {
      const std::uint32_t writer = order_->writer(key, position);
      if (writer == kNone) continue;
      if (last != kNone && (kinds & arc::kWw) != 0) graph_.add(last, writer, arc::kWw);
      last = writer;
    }
    std::uint32_t next = kNone;
    for (std::uint32_t position = key.count; position-- > 0;) {
      const std::uint32_t writer = order_->writer(key, position);
      if (writer != kNone) next = writer;
      next_[key.begin + position] = next;
    }
    if (last == kNone || (kinds & arc::kWw) == 0) continue;
    for (std::uint32_t i = key.tail_begin; i < key.tail_end; ++i) {
      graph_.add(last, order_->owner[order_->tail[i]], arc::kWw);
    }
  }
}

std::uint32_t ListGraph::next_writer(const ListKey& key, std::uint32_t position) const {
  return position < key.count ? next_[key.begin + position] : kNone;
}

void ListGraph::add_reads(ArcKinds kinds) {
  std::vector<std::uint32_t> helpers(order_->keys.size(), kNone);
  for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const std::uint32_t length = order_->place[i];
    if (micro.kind != MicroKind::read || length == kNone) continue;
    const ListKey& key = order_->keys[micro.key];
    if (length > key.count) continue;  // reads contradict each other
    const std::uint32_t reader = order_->owner[i];
    if (length > 0 && (kinds & arc::kWr) != 0) {
      const std::uint32_t writer = order_->writer(key, length - 1);
      if (writer != kNone) graph_.add(writer, reader, arc::kWr);
    }
    if ((kinds & arc::kRw) == 0) continue;
    if (const std::uint32_t next = next_writer(key, length); next != kNone) {
      graph_.add(reader, next, arc::kRw);
      continue;
    }
    const std::uint32_t count = key.tail_end - key.tail_begin;
    if (count > kDirect_max) {
      if (helpers[micro.key] == kNone) helpers[micro.key] = graph_.add_helper();
      graph_.add(reader, helpers[micro.key], arc::kRw);
      continue;
    }
    for (std::uint32_t j = key.tail_begin; j < key.tail_end; ++j) {
      graph_.add(reader, order_->owner[order_->tail[j]], arc::kRw);
    }
  }
  if ((kinds & arc::kWr) != 0) {
    for (const OddRead& odd : order_->odd_reads) {
      const std::uint32_t writer = order_->owner[odd.append];
      if (order_->committed[writer] == 0) continue;
      graph_.add(writer, order_->owner[odd.read], arc::kWr);
    }
  }
  for (std::uint32_t number = 0; number < helpers.size(); ++number) {
    if (helpers[number] == kNone) continue;
    const ListKey& key = order_->keys[number];
    for (std::uint32_t j = key.tail_begin; j < key.tail_end; ++j) {
      graph_.add(helpers[number], order_->owner[order_->tail[j]], kPass | arc::kRw);
    }
  }
}

void ListGraph::add_claims() {
  // Of each key the read that was last and after which nothing was appended yet, and the append
  // that claims to follow the last version.
  std::vector<std::uint32_t> reads(order_->keys.size(), kNone);
  std::vector<std::uint32_t> claims(order_->keys.size(), kNone);
  std::vector<std::uint8_t> contested(order_->keys.size(), 0);
  for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const ListKey& key = order_->keys[micro.key];
    if (micro.kind == MicroKind::read) {
      reads[micro.key] = order_->place[i] == kNone ? kNone : i;
      continue;
    }
    const std::uint32_t read = std::exchange(reads[micro.key], kNone);
    const bool same = read != kNone && order_->owner[read] == order_->owner[i];
    if (!same || !key.usable || order_->place[i] != kNone) continue;
    if (next_writer(key, order_->place[read]) != kNone) continue;
    if (claims[micro.key] != kNone) contested[micro.key] = 1;
    claims[micro.key] = i;
  }
  for (std::uint32_t number = 0; number < claims.size(); ++number) {
    // Two claims are a lost update, which needs no cycle to be told.
    if (claims[number] == kNone || contested[number] != 0) continue;
    const ListKey& key = order_->keys[number];
    for (std::uint32_t i = key.tail_begin; i < key.tail_end; ++i) {
      graph_.add(order_->owner[claims[number]], order_->owner[order_->tail[i]], arc::kWw);
    }
  }
}

void ListGraph::add_observations() {
  const auto& keys = order_->keys;
  // Of each version a helper that all who saw it come after, and one that comes before all whom a
  // reader without it missed; one more of the latter for the unread appends.
  std::vector<std::uint32_t> observed(order_->versions.size());
  std::vector<std::uint32_t> missed(order_->versions.size() + keys.size());
  for (std::uint32_t number = 0; number < keys.size(); ++number) {
    observe_key(number, observed, missed);
  }
  for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const ListKey& key = keys[micro.key];
    if (micro.kind != MicroKind::read || order_->place[i] == kNone || !key.usable) continue;
    const std::uint32_t reader = order_->owner[i];
    const std::uint32_t length = order_->place[i];
    if (length > 0) graph_.add(observed[key.begin + length - 1], reader, kPass | arc::kObserved);
    graph_.add(reader, missed[key.begin + micro.key + length], arc::kMissed);
  }
}

void ListGraph::observe_key(std::uint32_t number,
                            std::vector<std::uint32_t>& observed,
                            std::vector<std::uint32_t>& missed) {
  const ListKey& key = order_->keys[number];
  const std::uint32_t shift = key.begin + number;  // one more for each key before
  for (std::uint32_t position = 0; position <= key.count; ++position) {
    missed[shift + position] = graph_.add_helper();
    if (position > 0) {
      graph_.add(missed[shift + position - 1], missed[shift + position], kPass | arc::kMissed);
    }
    if (position == key.count) break;
    observed[key.begin + position] = graph_.add_helper();
    if (position > 0) {
      graph_.add(observed[key.begin + position - 1],
                 observed[key.begin + position],
                 kPass | arc::kObserved);
    }
    const std::uint32_t writer = order_->writer(key, position);
    if (writer == kNone) continue;
    graph_.add(writer, observed[key.begin + position], arc::kObserved);
    graph_.add(missed[shift + position], writer, kPass | arc::kMissed);
  }
  for (std::uint32_t i = key.tail_begin; i < key.tail_end; ++i) {
    graph_.add(missed[shift + key.count], order_->owner[order_->tail[i]], kPass | arc::kMissed);
  }
}

std::vector<std::vector<std::uint32_t>> ListGraph::tails(
    const std::vector<std::uint32_t>& places) const {
  std::vector<std::vector<std::uint32_t>> all;
  for (const ListKey& key : order_->keys) {
    if (key.tail_end - key.tail_begin < 2) continue;
    std::vector<std::uint32_t> writers;
    for (std::uint32_t i = key.tail_begin; i < key.tail_end; ++i) {
      writers.push_back(order_->owner[order_->tail[i]]);
    }
    std::ranges::sort(writers, {}, [&](std::uint32_t t) { return std::pair(places[t], t); });
    const auto repeated = std::ranges::unique(writers);
    writers.erase(repeated.begin(), repeated.end());
    if (writers.size() > 1) all.push_back(std::move(writers));
  }
  return all;
}

Reason ListGraph::data_reason(const Step& step) const {
  switch (step.kinds) {
    case arc::kWw:
      return written_after(step);
    case arc::kWr:
      return read_of(step);
    case arc::kRw:
    case arc::kMissed:
      return read_without(step);
    default:
      return saw(step);
  }
}

bool ListGraph::in_tail(const ListKey& key, std::uint32_t transaction) const {
  for (std::uint32_t i = key.tail_begin; i < key.tail_end; ++i) {
    if (order_->owner[order_->tail[i]] == transaction) return true;
  }
  return false;
}

std::uint32_t ListGraph::last_writer(const ListKey& key, std::uint32_t length) const {
  for (std::uint32_t position = length; position-- > 0;) {
    if (const std::uint32_t writer = order_->writer(key, position); writer != kNone) return writer;
  }
  return kNone;
}

// Whether a transaction read the last version of a key and appended to that.
bool ListGraph::claims(std::uint32_t transaction, std::uint32_t key) const {
  const Transaction& one = transactions_->all[transaction];
  bool read_last = false;
  for (std::uint32_t i = one.begin; i < one.end; ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    if (micro.key != key) continue;
    if (micro.kind == MicroKind::append) return read_last;
    read_last =
        order_->place[i] != kNone && next_writer(order_->keys[key], order_->place[i]) == kNone;
  }
  return false;
}

// Which append of `to` follows one of `from`.
Reason ListGraph::written_after(const Step& step) const {
  const std::string from = name_of_transaction(step.from);
  const std::string to = name_of_transaction(step.to);
  for (std::uint32_t i = transactions_->all[step.to].begin; i < transactions_->all[step.to].end;
       ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const ListKey& key = order_->keys[micro.key];
    if (micro.kind != MicroKind::append) continue;
    const bool unread = order_->place[i] == kNone;
    const std::uint32_t length = unread ? key.count : order_->place[i];
    const bool follows = last_writer(key, length) == step.from;
    if (!follows && !(unread && in_tail(key, step.from))) continue;
    const std::string on = key_text(micro.key);
    if (!follows) {
      const bool claimed = claims(step.from, micro.key);
      return {"ww " + on,
              claimed
                  ? fmt::format("{} read the last version of {} and appended to it, so {}'s "
                                "append is later",
                                from,
                                on,
                                to)
                  : fmt::format("nobody read either append to {}: say {}'s came first", on, from)};
    }
    std::uint32_t position = length;
    while (order_->writer(key, --position) != step.from) {
    }
    const Value before = transactions_->micro[order_->versions[key.begin + position]].value;
    return {
        "ww " + on,
        fmt::format(
            "{} appended {} to {} after {}'s {}", to, text(micro.value), on, from, text(before))};
  }
  return {"ww", "of the order of appends"};
}

Reason ListGraph::read_of(const Step& step) const {
  const Transaction& reader = transactions_->all[step.to];
  for (std::uint32_t i = reader.begin; i < reader.end; ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const ListKey& key = order_->keys[micro.key];
    const std::uint32_t length = order_->place[i];
    if (micro.kind != MicroKind::read || length == kNone || length == 0) continue;
    const auto odd = std::ranges::find(order_->odd_reads, i, &OddRead::read);
    if (odd == order_->odd_reads.end() && length > key.count) continue;
    const std::uint32_t append =
        odd == order_->odd_reads.end() ? order_->versions[key.begin + length - 1] : odd->append;
    if (append == kNone || order_->owner[append] != step.from) continue;
    const Value element = transactions_->micro[append].value;
    return {"wr " + key_text(micro.key),
            fmt::format("{} read {}'s append of {} to {}",
                        name_of_transaction(step.to),
                        name_of_transaction(step.from),
                        text(element),
                        key_text(micro.key))};
  }
  return {"wr", "of what was read"};
}

// Which read of `from` lacks an append of `to`.
Reason ListGraph::read_without(const Step& step) const {
  const Transaction& reader = transactions_->all[step.from];
  const Transaction& writer = transactions_->all[step.to];
  const bool any = step.kinds == arc::kMissed;  // not only the next one
  for (std::uint32_t i = reader.begin; i < reader.end; ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const ListKey& key = order_->keys[micro.key];
    const std::uint32_t length = order_->place[i];
    if (micro.kind != MicroKind::read || length == kNone || length > key.count) continue;
    const std::uint32_t next = next_writer(key, length);
    if (!any && next != kNone && next != step.to) continue;
    for (std::uint32_t j = writer.begin; j < writer.end; ++j) {
      const MicroOperation& append = transactions_->micro[j];
      const bool missing =
          append.kind == MicroKind::append && append.key == micro.key && order_->place[j] >= length;
      if (!missing) continue;
      const std::string on = key_text(micro.key);
      return {"rw " + on,
              fmt::format("{} read {} as {}, without {}'s append of {}",
                          name_of_transaction(step.from),
                          on,
                          micro.value.is_list() ? text(micro.value) : "[]",
                          name_of_transaction(step.to),
                          text(append.value))};
    }
  }
  return {"rw", "of what was not read"};
}

Reason ListGraph::saw(const Step& step) const {
  const Transaction& reader = transactions_->all[step.to];
  const Transaction& writer = transactions_->all[step.from];
  for (std::uint32_t i = reader.begin; i < reader.end; ++i) {
    const MicroOperation& micro = transactions_->micro[i];
    const std::uint32_t length = order_->place[i];
    if (micro.kind != MicroKind::read || length == kNone) continue;
    for (std::uint32_t j = writer.begin; j < writer.end; ++j) {
      const MicroOperation& append = transactions_->micro[j];
      const bool seen =
          append.kind == MicroKind::append && append.key == micro.key && order_->place[j] < length;
      if (!seen) continue;
      return {"wr " + key_text(micro.key),
              fmt::format("{} read {} as {}, with {}'s append of {}",
                          name_of_transaction(step.to),
                          key_text(micro.key),
                          text(micro.value),
                          name_of_transaction(step.from),
                          text(append.value))};
    }
  }
  return {"wr", "of what was read"};
}

}  // namespace sunder::checkers::elle
