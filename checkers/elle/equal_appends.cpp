#include "checkers/elle/equal_appends.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "harness/history/value_copy.hpp"

namespace sunder::checkers::elle {
namespace {

using history::copy_value;
using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Outcome;
using history::Value;
using history::ValuePool;

}  // namespace

EqualAppends::EqualAppends(const History& history, const Transactions& transactions, Reads reads)
    : history_(&history), transactions_(&transactions) {
  find_groups();
  count_places();
  prefer_acknowledged();
  if (reads == Reads::part) let_reads_part();
  if (reads == Reads::differ) let_reads_differ();
}

void EqualAppends::find_groups() {
  using Entry = std::tuple<std::uint32_t, Value, std::uint32_t>;  // key, element, micro-operation
  std::vector<Entry> appends;
  for (const Transaction& transaction : transactions_->all) {
    if (transaction.outcome == Outcome::fail) continue;
    for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
      const MicroOperation& micro = transactions_->micro[i];
      if (micro.kind == MicroKind::append) appends.emplace_back(micro.key, micro.value, i);
    }
  }
  std::ranges::sort(appends);
  const auto same = [](const Entry& a, const Entry& b) {
    return std::get<0>(a) == std::get<0>(b) && std::get<1>(a) == std::get<1>(b);
  };
  for (auto begin = appends.begin(); begin != appends.end();) {
    const auto end = std::find_if_not(
        begin, appends.end(), [&](const Entry& entry) { return same(entry, *begin); });
    if (end - begin > 1) {
      Group group;
      std::tie(group.key, group.element, std::ignore) = *begin;
      for (auto entry = begin; entry != end; ++entry) group.appends.push_back(std::get<2>(*entry));
      group.common.order.resize(group.appends.size());
      std::iota(group.common.order.begin(), group.common.order.end(), 0U);
      groups_.push_back(std::move(group));
    }
    begin = end;
  }
}

void EqualAppends::count_places() {
  for (const MicroOperation& micro : transactions_->micro) {
    if (micro.kind != MicroKind::read || !micro.value.is_list()) continue;
    std::map<std::size_t, std::size_t> shown;
    for (const Value item : history_->pool().items_of(micro.value)) {
      const std::size_t number = find(micro.key, item);
      if (number == groups_.size()) continue;
      Group& group = groups_[number];
      std::size_t& most = group.common.shown;
      most = std::max(most, std::min(++shown[number], group.appends.size()));
    }
  }
}

// Where fewer are shown than were appended, some are unread retries of others: those that were
// acknowledged have happened.
void EqualAppends::prefer_acknowledged() {
  std::vector<std::uint8_t> acknowledged(transactions_->micro.size());
  for (const Transaction& one : transactions_->all) {
    const bool ok = one.outcome == Outcome::ok;
    std::fill(acknowledged.begin() + one.begin, acknowledged.begin() + one.end, ok ? 1 : 0);
  }
  for (Group& group : groups_) {
    if (group.common.shown == group.appends.size()) continue;
    std::ranges::stable_partition(group.appends,
                                  [&](std::uint32_t i) { return acknowledged[i] != 0; });
  }
}

std::vector<std::uint32_t> EqualAppends::told_reads() const {
  std::vector<std::uint32_t> reads;
  for (const Transaction& transaction : transactions_->all) {
    if (transaction.outcome != Outcome::ok) continue;
    for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
      const MicroOperation& micro = transactions_->micro[i];
      if (micro.kind == MicroKind::read && !micro.value.is_none()) reads.push_back(i);
    }
  }
  return reads;
}

void EqualAppends::let_reads_part() {
  std::map<std::uint32_t, std::vector<std::uint32_t>> by_key;
  for (const std::uint32_t read : told_reads()) {
    by_key[transactions_->micro[read].key].push_back(read);
  }
  for (const auto& [key, reads] : by_key) let_reads_part(key, reads);
}

// All but the longest read show the first two appends of the first element in question the other
// way round. When only one read shows it, the choice stays.
void EqualAppends::let_reads_part(std::uint32_t key, const std::vector<std::uint32_t>& reads) {
  const std::uint32_t longest =
      *std::ranges::max_element(reads, {}, [&](std::uint32_t read) { return items(read).size(); });
  const std::span<const Value> order = items(longest);
  const auto first =
      std::ranges::find_if(order, [&](Value item) { return find(key, item) != groups_.size(); });
  if (first == order.end()) return;
  const auto place = static_cast<std::size_t>(first - order.begin());
  const std::size_t number = find(key, *first);
  Arrangement turned = groups_[number].common;
  std::swap(turned.order[0], turned.order[1]);
  turned.open = false;
  bool part = false;
  for (const std::uint32_t read : reads) {
    if (read == longest) continue;
    const bool shows = items(read).size() > place;
    const std::span<const Value> known = items(read).first(std::min(items(read).size(), place));
    if (shows) own_[{read, number}] = turned;
    part = part || shows || !std::equal(known.begin(), known.end(), order.begin());
  }
  for (Group& group : groups_) {
    if (group.key == key && part) group.common.open = false;
  }
}

void EqualAppends::let_reads_differ() {
  for (const std::uint32_t read : told_reads()) {
    for (const Value item : items(read)) {
      const std::size_t number = find(transactions_->micro[read].key, item);
      if (number == groups_.size()) continue;
      const auto [own, added] = own_.try_emplace({read, number}, groups_[number].common);
      if (added) own->second.shown = 0;
      own->second.shown = std::min(own->second.shown + 1, own->second.order.size());
    }
  }
  for (Group& group : groups_) group.common.open = false;
}

const EqualAppends::Arrangement& EqualAppends::arrangement(std::uint32_t read,
                                                           std::size_t group) const {
  const auto own = own_.find({read, group});
  return own == own_.end() ? groups_[group].common : own->second;
}

std::span<const Value> EqualAppends::items(std::uint32_t read) const {
  return transactions_->shown(history_->pool(), read);
}

std::size_t EqualAppends::find(std::uint32_t key, Value element) const {
  const auto wanted = std::pair(key, element);
  const auto found = std::ranges::lower_bound(
      groups_, wanted, {}, [](const Group& group) { return std::pair(group.key, group.element); });
  const bool known = found != groups_.end() && found->key == key && found->element == element;
  return known ? static_cast<std::size_t>(found - groups_.begin()) : groups_.size();
}

// The first copy keeps the element's own name. No text of the history is like the others.
std::string EqualAppends::name(const Group& group, std::size_t copy) const {
  const ValuePool& pool = history_->pool();
  std::string name = group.element.is_text() ? std::string(pool.text_of(group.element))
                                             : pool.describe(group.element);
  for (std::size_t i = 0; i < copy; ++i) name += "′";
  while (pool.find_symbol(name) != 0) name += "*";
  return name;
}

History EqualAppends::told_apart() const {
  HistoryBuilder builder;
  ValuePool& pool = builder.pool();
  const ValuePool& from = history_->pool();
  std::map<std::uint32_t, Value> renamed;  // by micro-operation
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.appends.size(); ++i) {
      renamed[group.appends[i]] =
          i == 0 ? copy_value(pool, from, group.element) : pool.text(name(group, i));
    }
  }
  const auto read = [&](std::uint32_t index) {
    const MicroOperation& micro = transactions_->micro[index];
    if (!micro.value.is_list()) return copy_value(pool, from, micro.value);
    std::map<std::size_t, std::size_t> seen;
    std::vector<Value> items;
    for (const Value item : from.items_of(micro.value)) {
      const std::size_t number = find(micro.key, item);
      if (number == groups_.size()) {
        items.push_back(copy_value(pool, from, item));
        continue;
      }
      // One more than there were appends stays a repetition.
      const Group& group = groups_[number];
      const std::vector<std::uint32_t>& shown = arrangement(index, number).order;
      const std::size_t place = std::min(seen[number]++, shown.size() - 1);
      items.push_back(renamed.at(group.appends[shown[place]]));
    }
    return pool.list(items);
  };
  for (const Transaction& transaction : transactions_->all) {
    Operation operation = history_->operations()[transaction.operation];
    std::vector<Value> list;
    for (std::uint32_t i = transaction.begin; i < transaction.end; ++i) {
      const MicroOperation& micro = transactions_->micro[i];
      const bool appends = micro.kind == MicroKind::append;
      const auto fresh = renamed.find(i);
      Value value = appends ? copy_value(pool, from, micro.value) : read(i);
      if (fresh != renamed.end()) value = fresh->second;
      list.push_back(pool.record(
          std::vector<Value>{pool.text(appends ? "append" : "r"),
                             copy_value(pool, from, transactions_->keys.value(micro.key)),
                             value}));
    }
    operation.input = pool.record(list);
    operation.output = operation.outcome == Outcome::ok ? operation.input : Value();
    operation.function_name = pool.symbol(from.name(operation.function_name));
    operation.key = pool.symbol(from.name(operation.key));
    operation.node = operation.error = 0;
    builder.add(operation);
  }
  return builder.finish();
}

bool EqualAppends::advance(Arrangement& arrangement) {
  std::vector<std::uint32_t>& order = arrangement.order;
  // Those that are not shown come in one order only: what follows it is skipped.
  std::reverse(order.begin() + static_cast<std::ptrdiff_t>(arrangement.shown), order.end());
  return std::ranges::next_permutation(order).found;
}

bool EqualAppends::next() {
  // Each arrangement is a wheel of a counter.
  for (Group& group : groups_) {
    if (group.common.open && advance(group.common)) return true;
  }
  for (auto& [place, own] : own_) {
    if (own.open && advance(own)) return true;
  }
  return false;
}

std::string EqualAppends::names() const {
  constexpr std::size_t kNames_max = 4;
  std::string text;
  std::size_t told = 0;
  for (const Group& group : groups_) {
    for (std::size_t i = 1; i < group.appends.size(); ++i) {
      if (told++ == kNames_max) return text + ", …";
      const auto owner = std::ranges::find_if(transactions_->all, [&](const Transaction& one) {
        return one.begin <= group.appends[i] && group.appends[i] < one.end;
      });
      const auto number = static_cast<std::uint32_t>(owner - transactions_->all.begin());
      text += fmt::format("{}{} is the append to {} by {}",
                          text.empty() ? "" : ", ",
                          name(group, i),
                          name_key(*history_, *transactions_, group.key),
                          name_transaction(*history_, *transactions_, number));
    }
  }
  return text;
}

}  // namespace sunder::checkers::elle
