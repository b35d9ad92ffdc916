#include "checkers/isolation/witness.hpp"

#include <algorithm>
#include <numeric>

#include "checkers/isolation/event_order.hpp"
#include "checkers/isolation/weak.hpp"

namespace sunder::checkers::isolation {
namespace {

using history::History;
using history::Operation;

const Operation& operation_of(const Transactions& data,
                              const History& history,
                              std::uint32_t transaction) {
  return history.operations()[data.operation[transaction]];
}

std::vector<std::uint32_t> positions_of(std::span<const std::uint32_t> order) {
  std::vector<std::uint32_t> position(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  return position;
}

template <typename Action>
void for_each_predecessor(const Transactions& data,
                          std::uint32_t transaction,
                          const Action& action) {
  if (data.previous[transaction] != kNone) action(data.previous[transaction]);
  for (std::uint32_t read = data.read_begin[transaction]; read < data.read_begin[transaction + 1];
       ++read) {
    const std::uint32_t writer = data.writer_of(read);
    if (writer != kNone) action(writer);
  }
}

bool is_topological(const Transactions& data, std::span<const std::uint32_t> order) {
  const std::vector<std::uint32_t> position = positions_of(order);
  bool good = true;
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    for_each_predecessor(
        data, i, [&](std::uint32_t before) { good = good && position[before] < position[i]; });
  }
  return good;
}

// Each write's successor among the writes of its key, and each key's first.
struct Versions {
  std::vector<std::uint32_t> next;    // by write; kNone: the last one
  std::vector<std::uint32_t> before;  // by write; kNone: the first one
  std::vector<std::uint32_t> first;   // by key

  Versions(const Transactions& data, std::span<const std::uint32_t> order)
      : next(data.write_key.size(), kNone),
        before(data.write_key.size(), kNone),
        first(data.key_count(), kNone) {
    std::vector<std::uint32_t> last(data.key_count(), kNone);
    for (const std::uint32_t transaction : order) {
      for (std::uint32_t write = data.write_begin[transaction];
           write < data.write_begin[transaction + 1];
           ++write) {
        const std::uint32_t key = data.write_key[write];
        before[write] = last[key];
        (last[key] == kNone ? first[key] : next[last[key]]) = write;
        last[key] = write;
      }
    }
  }

  // Who replaced what the read saw, other than the reader itself; kNone: nobody.
  [[nodiscard]] std::uint32_t replacer(const Transactions& data,
                                       std::uint32_t reader,
                                       std::uint32_t read) const {
    std::uint32_t write = data.read_write[read];
    write = write == kNone ? first[data.read_key[read]] : next[write];
    if (write != kNone && data.write_transaction[write] == reader) write = next[write];
    return write == kNone ? kNone : data.write_transaction[write];
  }
};

}  // namespace

std::vector<std::uint32_t> guess_commit_order(const Transactions& data, const History& history) {
  const auto complete = [&](std::uint32_t transaction) {
    return operation_of(data, history, transaction).complete;
  };
  std::vector<std::uint32_t> order(data.size());
  std::iota(order.begin(), order.end(), 0U);
  if (!std::ranges::is_sorted(order, {}, complete)) std::ranges::stable_sort(order, {}, complete);
  if (is_topological(data, order)) return order;
  // What somebody read from had committed by the time that the reader completed.
  std::vector<std::uint64_t> priority(data.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) priority[order[i]] = i;
  const std::vector<std::uint32_t> known = topological_order(data);
  if (known.size() < data.size()) return known;
  for (std::size_t i = known.size(); i-- > 0;) {
    for_each_predecessor(data, known[i], [&](std::uint32_t before) {
      priority[before] = std::min(priority[before], priority[known[i]]);
    });
  }
  std::vector<Before> edges;
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    for_each_predecessor(data, i, [&](std::uint32_t before) { edges.push_back({before, i}); });
  }
  return order_by_priority(priority, edges);
}

bool explains_serially(const Transactions& data, std::span<const std::uint32_t> order) {
  const std::vector<std::uint32_t> position = positions_of(order);
  const Versions versions(data, order);
  for (std::uint32_t reader = 0; reader < data.size(); ++reader) {
    for (std::uint32_t read = data.read_begin[reader]; read < data.read_begin[reader + 1]; ++read) {
      const std::uint32_t replacer = versions.replacer(data, reader, read);
      if (replacer != kNone && position[replacer] < position[reader]) return false;
    }
  }
  return true;
}

bool explains_by_snapshots(const Transactions& data,
                           std::span<const std::uint32_t> order,
                           const History* history) {
  const std::vector<std::uint32_t> position = positions_of(order);
  const Versions versions(data, order);
  // Positions count from 1 here: 0 is before everything.
  std::vector<std::uint32_t> finished;
  std::vector<std::int64_t> completions;
  std::vector<std::uint32_t> latest;  // of those that had finished by then
  if (history != nullptr) {
    finished.assign(order.begin(), order.end());
    std::ranges::stable_sort(
        finished, {}, [&](std::uint32_t i) { return operation_of(data, *history, i).complete; });
    for (const std::uint32_t i : finished) {
      completions.push_back(operation_of(data, *history, i).complete);
      latest.push_back(std::max(latest.empty() ? 0 : latest.back(), position[i] + 1));
    }
  }
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    std::uint32_t low = 0;
    std::uint32_t high = position[i];  // a snapshot holds the first so many commits
    for_each_predecessor(
        data, i, [&](std::uint32_t before) { low = std::max(low, position[before] + 1); });
    for (std::uint32_t read = data.read_begin[i]; read < data.read_begin[i + 1]; ++read) {
      const std::uint32_t replacer = versions.replacer(data, i, read);
      if (replacer != kNone) high = std::min(high, position[replacer]);
    }
    for (std::uint32_t write = data.write_begin[i]; write < data.write_begin[i + 1]; ++write) {
      const std::uint32_t before = versions.before[write];
      if (before != kNone) low = std::max(low, position[data.write_transaction[before]] + 1);
    }
    if (history != nullptr) {
      const std::int64_t invoke = operation_of(data, *history, i).invoke;
      const auto count = std::ranges::lower_bound(completions, invoke) - completions.begin();
      if (count > 0) low = std::max(low, latest[static_cast<std::size_t>(count) - 1]);
    }
    if (low > high) return false;
  }
  return true;
}

bool respects_real_time(const Transactions& data,
                        std::span<const std::uint32_t> order,
                        const History& history) {
  std::int64_t latest_invoke = std::numeric_limits<std::int64_t>::min();
  for (const std::uint32_t transaction : order) {
    const Operation& operation = operation_of(data, history, transaction);
    if (operation.complete < latest_invoke) return false;
    latest_invoke = std::max(latest_invoke, operation.invoke);
  }
  return true;
}

}  // namespace sunder::checkers::isolation
